"""Shell patterns."""

import pytest

from gateway.config.globs import compiled_alternatives, compiled_globs


@pytest.mark.parametrize(
    ("glob", "fits", "fits_not"),
    [
        ("gpt-*", "GPT-4o", "my-gpt-4o"),
        ("a?c", "abc", "abbc"),
        ("[[]x]", "[x]", "x"),
        ("a.c", "a.c", "abc"),
        ("a|b", "a|b", "a"),
    ],
)
def test_fit_the_whole_text_in_any_case(glob: str, fits: str, fits_not: str) -> None:
    (pattern,) = compiled_globs([glob])
    assert pattern.fullmatch(fits)
    assert not pattern.fullmatch(fits_not)


def test_alternatives_fit_what_any_of_them_fits() -> None:
    pattern = compiled_alternatives(["a*", "b"])
    assert [bool(pattern.fullmatch(text)) for text in ("axe", "b", "bx", "")] == [True, True, False, False]
