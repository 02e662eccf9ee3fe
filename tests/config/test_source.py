"""YAML bytes to plain data with lines, and every way to refuse them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.problems import ConfigError
from gateway.config.source import MAX_BYTES, Document, read_document


def refusal(text: bytes) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read_document(text, "f")
    return [str(problem) for problem in refused.value.problems]


def test_gives_data_and_the_line_of_every_node() -> None:
    assert read_document(b"a: 1\nb:\n  - x\n  - {c: 2}\n", "f") == Document(
        {"a": 1, "b": ["x", {"c": 2}]},
        {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4},
    )


@pytest.mark.parametrize("text", [b"", b"# nothing\n", b"---\n", b"---\n...\n", b"{}", b"~"])
def test_takes_an_empty_file_for_an_empty_mapping(text: bytes) -> None:
    assert read_document(text, "f").data == {}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("9" * 30, 1e30),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
    ],
)
def test_reads_plain_words_as_yaml_1_2_does(written: str, value: object) -> None:
    assert read_document(f"a: {written}\n".encode(), "f").data == {"a": value}


def test_reads_a_byte_order_mark_and_any_unicode() -> None:
    assert read_document("\ufeffname: Grüße 你好\n".encode(), "f").data == {"name": "Grüße 你好"}


def test_expands_aliases_and_merges() -> None:
    text = b"base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree: {<<: [*b, {z: 4}]}\nn: &n 5\nm: *n\n"
    assert read_document(text, "f").data == {
        "base": {"x": 1, "y": 2},
        "one": {"x": 1, "y": 2},
        "two": {"x": 1, "y": 3},
        "three": {"x": 1, "y": 2, "z": 4},
        "n": 5,
        "m": 5,
    }


def test_refuses_every_key_that_is_given_twice() -> None:
    assert refusal(b"a: 1\na: 2\nb:\n  c: 1\n  d: 1\n  c: 3\n") == [
        "f:2: a: given twice; the first is on line 1",
        "f:6: b.c: given twice; the first is on line 4",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[1]", "f:1: the file must be a mapping: lines of `key: value` at the left margin"),
        (b"word", "f:1: the file must be a mapping: lines of `key: value` at the left margin"),
        (b"a: 1\n---\nb: 1", "f:2: a second document begins here; one file holds one configuration"),
        (b"a: *x", "f:1: a: the alias *x has no anchor before it"),
        (b"a: &a [*a]", "f:1: a[0]: the alias *a has no anchor before it"),
        (b"a: &a 1\n*a : 2", "f:2: the alias *a cannot be a key"),
        (b"? [a]\n: 1", "f:1: a key must be a simple word (a value with { or [ may need quotes)"),
        (b"a: {<<: 3}", "f:1: a.<<: only mappings can be merged"),
        (
            b"a: !!python/object:os.system x",
            "f:1: a: the tag tag:yaml.org,2002:python/object:os.system is not supported",
        ),
        (b"a: !env KEY", "f:1: a: the tag !env is not supported"),
        (b"a: 1\nb: \xff", "f:2: the file is not UTF-8 text"),
        (b"a: 1\nb: \x07", "f:2: not valid YAML: control characters are not allowed"),
        (b"a: " + b"{b: " * 40, "f:1: " + ".".join(["a", *"b" * 31]) + ": nested more than 32 deep"),
    ],
)
def test_says_where_and_what_is_wrong(text: bytes, problem: str) -> None:
    assert refusal(text) == [problem]


def test_says_where_the_syntax_breaks() -> None:
    (problem,) = refusal(b"a: 1\nb: [1\nc: 2\n")
    assert problem.startswith("f:3: not valid YAML: ")


def test_refuses_a_file_that_is_too_large() -> None:
    assert refusal(b"#" * (MAX_BYTES + 1)) == ["f: the file is larger than 1 MiB"]


def test_refuses_aliases_that_expand_without_measure() -> None:
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    text += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    (problem,) = refusal(text.encode())
    assert problem.endswith("more than 100,000 values, aliases counted as what they stand for")


@given(st.binary(max_size=200) | st.text(alphabet="ab:-{}[]&*!<>|'\"#%@?,~ \n\t0", max_size=80).map(str.encode))
def test_never_raises_anything_but_a_config_error(text: bytes) -> None:
    try:
        data = read_document(text, "f").data
    except ConfigError:
        return
    assert isinstance(data, dict)
