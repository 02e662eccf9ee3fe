import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.classify import HEAD_CHARS, TAIL_CHARS
from gateway.learned.features import BUCKETS, LOOKS, see


def test_words_and_pairs_of_words_are_counted_by_hash() -> None:
    seen = see("to be or not to be")
    assert seen.words == ["to", "be", "or", "not", "to", "be"]
    assert len(seen.buckets) == 4 + 4  # to, be, or, not; to be, be or, or not, not to
    assert sorted(np.round(seen.counts.tolist(), 3)) == [1.0] * 5 + [1.693] * 3  # to, be and "to be" stand twice


def test_hashes_are_the_same_everywhere() -> None:
    assert see("hello world").buckets.tolist() == [4419, 8365, 42630]


@pytest.mark.parametrize(
    ("prompt", "place", "value"),
    [
        ("How many?", 9, 1.0),
        ("```x```", 10, 1.0),
        ("1 + 2.5 = 3.5", 13, 3.0),
        ("Which?\nA. one\nB. two", 14, 2.0),
        ("def f(): pass", 18, 1.0),
        ("Why is it so", 23, 1.0),
        ("all of these except one", 26, 1.0),
    ],
)
def test_looks_are_read_off(prompt: str, place: int, value: float) -> None:
    assert see(prompt).looks[place] == pytest.approx(value)


@given(st.text(max_size=200))
def test_any_text_can_be_seen(prompt: str) -> None:
    seen = see(prompt)
    assert seen.looks.shape == (LOOKS,)
    assert np.isfinite(seen.looks).all()
    assert (np.diff(seen.buckets) > 0).all()
    assert seen.buckets.min(initial=0) >= 0
    assert seen.buckets.max(initial=0) < BUCKETS


def test_half_a_character_is_no_trouble() -> None:
    assert np.isfinite(see("\ud83d broken").looks).all()


def test_what_stands_between_head_and_tail_is_not_looked_at() -> None:
    head, tail = "a" * HEAD_CHARS, "z" * TAIL_CHARS
    one, other = see(f"{head}{'b ' * 5000}{tail}"), see(f"{head}{'c ' * 5000}{tail}")
    assert one.words == other.words
    assert one.looks.tolist() == other.looks.tolist()
