"""A decision in one line."""

from typing import Any

import pytest

from gateway.cli.decision_line import Wanted, line
from gateway.cli.ink import Ink

ROW: dict[str, Any] = {
    "id": "3923db011270e294",
    "time": "2026-11-25T10:16:03.514Z",
    "route": "support",
    "task": "factual",
    "tier_required": "small",
    "attempts": [{"endpoint": "a/x", "outcome": "rate_limited"}, {"endpoint": "b/x", "outcome": "ok"}],
    "endpoint": "b/x",
    "status": 200,
    "outcome": "ok",
    "error": None,
    "cost_usd": 3.3e-06,
    "baseline_cost_usd": 0.000375,
    "saved_usd": 0.0003717,
    "latency_ms": 1228.48,
}
REJECTED = {"id": "1" * 16, "time": "2026-11-25T10:16:03.514Z", "outcome": "rejected", "status": 404}


def test_tells_who_was_tried_and_what_was_saved() -> None:
    assert line(ROW, Ink()) == (
        "10:16:03.514  3923db011270e294  ok         200    1.23 s  $0.00000330  saved 99 %    support   factual/small"
        "        a/x (rate_limited) → b/x"
    )


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (
            {**REJECTED, "error": "no model\nis named x", "cost_usd": 0.0},
            "10:16:03.514  1111111111111111  rejected   404         -           $0                -         -"
            "                    no model\\u000ais named x",
        ),
        (
            {**REJECTED, "outcome": "cancelled", "status": 499, "error": "the client left",
             "attempts": [{"endpoint": "a/x", "outcome": "cancelled"}]},
            "10:16:03.514  1111111111111111  cancelled  499         -            -                -         -"
            "                    a/x (cancelled): the client left",
        ),
        (
            {**REJECTED, "outcome": "ok", "status": 200, "endpoint": "a/x", "saved_usd": -1.0,
             "baseline_cost_usd": 2.0},
            "10:16:03.514  1111111111111111  ok         200         -            -  dearer 50 %   -         -"
            "                    a/x",
        ),
        (
            {"type": "feedback", "decision": "3923db011270e294", "score": -0.5, "comment": "wrong",
             "time": "2026-11-25T10:17:00.000Z"},
            "10:17:00.000  3923db011270e294  feedback   -0.5  wrong",
        ),
        ({"type": "feedback", "decision": "x"}, "              x  feedback"),
    ],
)  # fmt: skip
def test_tells_what_there_is(row: dict[str, Any], shown: str) -> None:
    assert line(row, Ink()) == shown


def test_colours_the_outcome_and_keeps_to_the_width() -> None:
    assert line(ROW, Ink(46, coloured=True)) == (
        "\x1b[2m10:16:03.514\x1b[0m  3923db011270e294  \x1b[32mok       \x1b[0m  20…\x1b[0m"
    )


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Wanted(), True),
        (Wanted(route="support", outcome="ok", endpoint="a/x"), True),
        (Wanted(endpoint="b/x"), True),
        (Wanted(endpoint="c/x"), False),
        (Wanted(route="other"), False),
        (Wanted(outcome="failed"), False),
    ],
)
def test_picks_by_route_outcome_and_endpoint(wanted: Wanted, fits: bool) -> None:
    assert wanted.fits(ROW) is fits


def test_feedback_is_shown_where_nothing_is_filtered() -> None:
    assert Wanted().fits({"type": "feedback"})
    assert not Wanted(outcome="ok").fits({"type": "feedback"})
