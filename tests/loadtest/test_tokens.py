import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import tokens


@given(st.text())
def test_loses_no_character(text: str) -> None:
    assert "".join(tokens.pieces(text)) == text
    assert tokens.count(text) == len(tokens.pieces(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Hello, world!", ["Hello", ",", " world", "!"]),
        ("internationalisation", ["internat", "ionalisa", "tion"]),
        ("a  b\n", ["a", "  b", "\n"]),
    ],
)
def test_splits_words_and_marks(text: str, expected: list[str]) -> None:
    assert tokens.pieces(text) == expected
