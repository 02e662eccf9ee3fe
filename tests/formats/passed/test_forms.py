"""Forms cut into parts and put together again: byte for byte, bounded, and never in more than one pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.passed.forms import (
    FIELD_LIMIT_BYTES,
    HEAD_LIMIT_BYTES,
    MOST_PARTS,
    content_type_of,
    files,
    is_form,
    read_form,
    without_parts,
    write_form,
)
from gateway.formats.surface import BadRequest

TYPE = "multipart/form-data; boundary=xYz"


def a_part(name: str, content: bytes, more: bytes = b"") -> bytes:
    return b'Content-Disposition: form-data; name="' + name.encode() + b'"' + more + b"\r\n\r\n" + content


def a_body(*parts: bytes, boundary: bytes = b"xYz") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


FILE = a_part("file", b"\0\r\n--xY\r\n", b'; filename="a; name=\\"model\\".wav"\r\nContent-Type: audio/wav')


def test_leaves_out_the_parts_that_were_meant_for_the_gateway() -> None:
    form, _ = read_form(TYPE, a_body(FILE, a_part("tags", b"a"), a_part("language", b"de")))
    assert [part.name for part in without_parts(form, {"tags", "absent"}).parts] == ["file", "language"]
    assert without_parts(form, set()) is form


def test_reads_fields_and_leaves_files_alone() -> None:
    raw = a_body(FILE, a_part("model", b"w"), a_part("t[]", b"1"), a_part("t[]", b"2"), a_part("t[]", b"3"))
    form, fields = read_form(TYPE, b"preamble\r\n" + raw + b"epilogue")
    assert fields == {"model": "w", "t[]": ["1", "2", "3"]}
    assert [part.name for part in form.parts] == ["file", "model", "t[]", "t[]", "t[]"]
    assert form.parts[0].content == b"\0\r\n--xY\r\n"
    assert files(form, fields) == 1


def test_writes_the_model_anew_and_leaves_out_what_is_ours() -> None:
    own = [a_part("session_id", b"s"), a_part("provider", b'{"order":["a"]}'), a_part("models", b'["w","v"]')]
    form, fields = read_form(TYPE, a_body(a_part("model", b"w"), *own, FILE))
    assert fields == {"model": "w", "session_id": "s", "provider": {"order": ["a"]}, "models": ["w", "v"]}
    assert write_form(form, "up/w") == a_body(a_part("model", b"up/w"), FILE)
    assert content_type_of(form) == 'multipart/form-data; boundary="xYz"'


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_sends_again_what_came(contents: list[bytes]) -> None:
    parts = [a_part("file", content, b'; filename="f"') for content in contents if b"\r\n--xYz" not in content]
    raw = a_body(a_part("model", b"w"), *parts)
    form, _ = read_form(TYPE, raw)
    assert write_form(form, "w") == raw
    assert read_form(content_type_of(form), write_form(form, "w"))[0] == form


@pytest.mark.parametrize(
    "content_type",
    [TYPE, 'Multipart/Form-Data; charset=utf-8; boundary="xYz"', "multipart/form-data;boundary=xYz; a=b"],
)
def test_knows_a_form_and_its_boundary(content_type: str) -> None:
    assert is_form(content_type)
    assert read_form(content_type, a_body(a_part("model", b"w")))[1] == {"model": "w"}


def test_knows_what_is_no_form() -> None:
    assert not is_form("application/json")


@pytest.mark.parametrize("names", ["name=model", 'NAME="model"', 'name = "mo\\del"', "x=1; name=model"])
def test_reads_names_however_they_are_written(names: str) -> None:
    part = b"content-disposition: form-data; " + names.encode() + b"\r\n\r\nw"
    assert read_form(TYPE, a_body(part))[1] == {"model": "w"}


MANY = a_body(*[a_part("t", b"1")] * (MOST_PARTS + 1))
LONG_HEAD = a_part("a", b"1", b"\r\nX: " + b"x" * HEAD_LIMIT_BYTES)


@pytest.mark.parametrize(
    ("content_type", "raw", "said"),
    [
        ("multipart/form-data", a_body(), "must name its boundary"),
        (TYPE, b"", "has no part"),
        (TYPE, b"--xYz", "followed by something else"),
        (TYPE, b"--xYzabc\r\n", "followed by something else"),
        (TYPE, b"--xYz\r\n" + FILE, "cut short"),
        (TYPE, a_body(b"no header"), "has no header lines"),
        (TYPE, a_body(LONG_HEAD), "has no header lines"),
        (TYPE, a_body(b"X: y\r\n\r\n1"), "one Content-Disposition"),
        (TYPE, a_body(b'Content-Disposition: form-data; name="a"\r\n' * 2 + b"\r\n1"), "one Content-Disposition"),
        (TYPE, a_body(b"Content-Disposition: form-data\r\n\r\n1"), "such as"),
        (TYPE, a_body(b'Content-Disposition: file; name="a"\r\n\r\n1'), "such as"),
        (TYPE, a_body(b'Content-Disposition: form-data; name="a\r\n\r\n1'), "such as"),
        (TYPE, a_body(a_part("model", b"a"), a_part("model", b"b")), "given twice"),
        (TYPE, a_body(a_part("provider", b"{")), "must be JSON"),
        (TYPE, a_body(a_part("prompt", b"\xff")), "not UTF-8"),
        (TYPE, a_body(a_part("prompt", b"x" * (FIELD_LIMIT_BYTES + 1))), "longer than"),
        (TYPE, MANY, "more than 256 parts"),
    ],
)
def test_refuses_what_is_no_form_or_too_much_of_one(content_type: str, raw: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        read_form(content_type, raw)


def test_reads_a_body_full_of_beginnings_of_its_delimiter() -> None:
    """With more than one pass this would take hours."""
    content = b"\r\n--xY" * 3_000_000
    form, _ = read_form(TYPE, a_body(a_part("file", content, b'; filename="f"')))
    assert form.parts[0].content == content
