import pytest

from gateway.core.user_regex import check_user_regex

OPEN = "an open repeat of something that repeats or branches can take forever: bound it, e.g. (?:…){1,5}"
MANY = "too many open repeats: bound them, e.g. .{0,60} for .*, or make them possessive, e.g. \\s++"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)\b(refactor|stack trace|unit test)\b",
        r"write.{0,60}function",
        r"\bfoo\s++bar\s++baz",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        r"(?>a+)+b",
        r"[]*+(]+x",
        r"\(\*\+\x41",
        r"(?P<n>a)(?P=n)(?#note)(?i:x)(?(n)b|c)",
        r"(?:ab)+",
        r"a{3}(b){2,}",
        r"colou?r",
        r"{x}",
    ],
)
def test_accepts_what_ends_soon(pattern: str) -> None:
    assert check_user_regex(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a+)+b", OPEN),
        (r"(a|aa)*c", OPEN),
        (r"((a?){30})+", OPEN),
        (r"(?:(?:x*)+)++y", OPEN),
        (r"(?>(a+)+)b", OPEN),
        (r".*a.*b", MANY),
        (r"(a?){40}a{40}", MANY),
        (r"(?x)(a+) +", "the flag x (verbose) is not supported here: write the expression without spaces and comments"),
        ("[", "not a valid regular expression: unterminated character set at position 0"),
    ],
)
def test_refuses_what_could_take_forever(pattern: str, why: str) -> None:
    assert check_user_regex(pattern) == why
