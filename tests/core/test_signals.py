"""Scores of answers: what somebody said counts before what was only seen, and silence counts for nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.signals import ASKED_AGAIN, BROKEN_OFF, MALFORMED, WELL_FORMED, Signals

NAN = float("nan")


def one(feedback: float = NAN, form: float = NAN, again: bool = False, broken: bool = False) -> Signals:
    return Signals(np.array([feedback]), np.array([form]), np.array([again]), np.array([broken]))


@pytest.mark.parametrize(
    ("signals", "score", "two_sided"),
    [
        (one(), NAN, False),
        (one(feedback=0.4), 0.4, True),
        (one(feedback=-3.0), -1.0, True),
        (one(feedback=1.0, form=0, again=True, broken=True), 1.0, True),
        (one(feedback=0.0, again=True), 0.0, True),
        (one(form=1), WELL_FORMED, True),
        (one(form=0), MALFORMED, True),
        (one(form=1, again=True), ASKED_AGAIN, True),
        (one(form=0, again=True), MALFORMED, True),
        (one(again=True), ASKED_AGAIN, False),
        (one(again=True, broken=True), BROKEN_OFF, False),
    ],
)
def test_the_worst_that_was_seen_counts_unless_somebody_said_something(
    signals: Signals, score: float, two_sided: bool
) -> None:
    assert signals.scores()[0] == pytest.approx(score, nan_ok=True)
    assert signals.two_sided()[0] == two_sided


def test_being_asked_again_is_not_useless_yet() -> None:
    many = Signals(
        np.array([NAN, NAN, -1.0, 1.0, NAN]), np.array([NAN, 0.0, NAN, 0.0, NAN]), np.array([True] * 5),
        np.array([False, False, False, False, True]),
    )  # fmt: skip
    assert many.useless().tolist() == [False, True, True, False, True]


def test_counts_each_kind() -> None:
    many = Signals(
        np.array([1.0, NAN, NAN]), np.array([NAN, 0.0, 1.0]), np.array([True, True, False]), np.array([False] * 3)
    )
    assert many.counts() == {"feedback": 1, "malformed": 1, "well_formed": 1, "asked_again": 2, "broken_off": 0}


@given(
    st.one_of(st.just(NAN), st.floats(-5, 5)), st.sampled_from([NAN, 0.0, 1.0]), st.booleans(), st.booleans()
)  # fmt: skip
def test_more_trouble_never_makes_a_score_better(feedback: float, form: float, again: bool, broken: bool) -> None:
    plain = one(feedback, form, again, broken).scores()[0]
    assert np.isnan(plain) or -1 <= plain <= 1
    worse = one(feedback, form, True, broken), one(feedback, form, again, True), one(feedback, 0.0, again, broken)
    assert not any(signals.scores()[0] > plain for signals in worse)
