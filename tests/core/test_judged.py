"""Judged pairs as the monitor exports them, read without the monitor."""

import base64
import json
from typing import Any

import msgspec
import pytest

from gateway.core.judged import GAINS, JudgedError, JudgedPair, read_judged
from monitor.evaluation.certify import Series, State, encode_state
from monitor.evaluation.exchange import PairLine, Said
from monitor.evaluation.keeper import STATE_KEY
from monitor.evaluation.pairs import By, Facts, Judgement, Verdict, weighed
from tests.support.exports import HEAD, a_pair


def read(*rows: Any) -> list[JudgedPair]:
    return read_judged(json.dumps(row).encode() for row in rows)


def said(by: str, *verdicts: str) -> list[dict[str, Any]]:
    return [{"scorer": f"s{n}", "by": by, "verdict": one, "time_s": 1.0} for n, one in enumerate(verdicts)]


def test_pairs_come_in_the_order_of_their_requests_and_only_once_judged() -> None:
    others = {"kind": "spending", "route": "default", "usd": 1.0}, {"kind": "state", "value": "YQ=="}
    found = read(HEAD, a_pair(3, "upper"), a_pair(2, None), a_pair(1, "lower"), a_pair(4, "skip"), *others)
    assert [(pair.time_s, pair.gain) for pair in found] == [(1.0, -1.0), (3.0, 1.0)]
    assert found[0] == JudgedPair(1.0, "default", "email", 0, 0.5, "m1", 0.02, -1.0, "people")
    assert read_judged([b"", b"\n"]) == []


def certifier(*series: Series, models: dict[str, str] | None = None) -> dict[str, Any]:
    value = base64.b64encode(encode_state(State(series=series, models=models or {}))).decode()
    return {"kind": "state", "key": STATE_KEY, "value": value}


def a_series(task: str | None, after_s: float, own: str = "") -> Series:
    return Series("default", task, 0, "m1", 0.02, 0.05, due=100, after_s=after_s, own=own == "own")


@pytest.mark.parametrize(
    ("state", "count"),
    [
        (certifier(), [1.0, 2.0, 3.0]),
        (certifier(a_series("email", 2.0, "own")), [3.0]),
        (certifier(a_series(None, 1.0)), [2.0, 3.0]),
        (certifier(a_series(None, 2.0), a_series("email", 1.0, "own")), [2.0, 3.0]),
        (certifier(a_series("math", 2.0, "own")), [1.0, 2.0, 3.0]),
        (certifier(models={"default": "m2"}), []),
        (certifier(models={"default": "m1", "other": "m2"}), [1.0, 2.0, 3.0]),
    ],
)
def test_what_an_alarm_has_withdrawn_does_not_count(state: dict[str, Any], count: list[float]) -> None:
    """Nor do pairs of another score, or of steps between other tiers."""
    found = read(HEAD, a_pair(1, "tie"), a_pair(2, "tie"), a_pair(3, "tie"), state)
    assert [pair.time_s for pair in found] == count


@pytest.mark.parametrize(
    "judgements",
    [
        said("people", "upper", "tie"),
        [*said("model", "upper"), *said("people", "lower")],
        [*said("model", "upper"), *said("people", "skip")],
        said("model", "tie"),
        said("same", "tie"),
        said("people", "both_bad"),
    ],
)
def test_many_judgements_amount_to_what_they_do_in_the_monitor(judgements: list[dict[str, Any]]) -> None:
    line = msgspec.convert(a_pair(1, judgements=judgements), type=PairLine)
    facts = Facts(**{name: getattr(line, name) for name in Facts.__struct_fields__})
    judged = [Judgement("d", one.scorer, one.by, one.verdict, one.time_s) for one in line.judgements]
    there = weighed(facts, judged)
    (here,) = read(HEAD, msgspec.to_builtins(line))
    assert there is not None
    assert (here.gain, here.by) == (there.gain, there.by.value)


def test_its_words_are_the_monitors() -> None:
    assert {*GAINS, "skip"} == {one.value for one in Verdict}
    assert Said("s", By("same"), Verdict("tie"), 0.0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "line 1 is no line of an export"),
        (b'{"kind": "state", "key": "certifier", "value": "WzFd"}', "line 1 is no state of certificates"),
        (b"[]", "line 1 is no line of an export"),
        (b"\xff", "line 1 is no line of an export"),
        (b"[" * 100_000, "line 1 is no line of an export"),
        (b'{"kind": "pair", "step": "x"}', "line 1 is no line of an export"),
        (b'{"kind": "evaluations", "version": 2}', "version 2"),
        (b'{"kind": "pair", "probability": 0}', "must lie between 0 and 1"),
    ],
)
def test_what_is_no_export_is_refused(line: bytes, says: str) -> None:
    with pytest.raises(JudgedError, match=says):
        read_judged([line])
