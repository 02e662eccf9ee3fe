"""What a command prints on."""

import io

import pytest

from gateway.cli.ink import ENDLESS, Ink, Tone, columns, head, ink_of, ljust, plain, rjust


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_where_a_person_looks_and_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    assert ink_of(io.StringIO(), {}) == Ink(ENDLESS, coloured=False)
    assert ink_of(Screen(), {}) == Ink(77, coloured=True)
    assert ink_of(Screen(), {"NO_COLOR": "1"}) == Ink(77, coloured=False)
    assert ink_of(Screen(), {"NO_COLOR": ""}) == Ink(77, coloured=True)
    assert ink_of(Screen(), {"TERM": "dumb"}) == Ink(77, coloured=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("gpt-4o", "gpt-4o"),
        ("模型 é", "模型 é"),
        ("a\tb\r\n", "a\\u0009b\\u000d\\u000a"),
        ("\x1b]0;title\x07", "\\u001b]0;title\\u0007"),
        ("\u202eabc\ud800", "\\u202eabc\\ud800"),
        (12, "12"),
    ],
)
def test_shows_any_value_on_one_line(value: object, shown: str) -> None:
    assert plain(value) == shown


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("模型", 4), ("e\u0301", 1), ("", 0)])
def test_knows_how_wide_a_text_is(text: str, width: int) -> None:
    assert columns(text) == width
    assert columns(ljust(text, 6)) == columns(rjust(text, 6)) == 6


def test_never_cuts_a_wide_character_in_half() -> None:
    assert head("模型x", 3) == "模"
    assert head("模型x", 9) == "模型x"
    assert head("abc", -1) == ""


def test_cuts_lines_outside_of_their_colours() -> None:
    ink = Ink(5, coloured=True)
    assert ink.line("12345") == "12345"
    assert ink.line("123456") == "1234…\x1b[0m"
    assert ink.line(ink("12345", Tone.BAD)) == "\x1b[31m12345\x1b[0m"
    assert ink.line(ink("12", Tone.BAD) + "3456") == "\x1b[31m12\x1b[0m34…\x1b[0m"
