import pytest

from loadtest.driver import Board
from loadtest.flight import Flight
from loadtest.kill import KillError, Strike, busiest, verdict
from loadtest.scenarios import Job

STREAM = Job(0.0, "chat", "", streamed=True)
WHOLE = Job(0.0, "chat", "")
STRUCK = Strike("v", 4711, running=4, committed=2)
SERVED = Flight(WHOLE, 0.0, "ok", 200, {"x-pointsman-endpoint": "v/m", "x-pointsman-attempts": "2"})
CUT = Flight(STREAM, 0.0, "in_stream_error", content_events=3, error_events=1)


def passed(*flights: Flight) -> bool:
    return bool(verdict(Board(len(flights), list(flights)), STRUCK)["passed"])


def test_counts_what_happened() -> None:
    assert verdict(Board(3, [SERVED, CUT, Flight(STREAM, 0.0, "ok", content_events=9)]), STRUCK) == {
        "killed": "v (pid 4711)",
        "running_at_the_kill": 4,
        "streams_committed_at_the_kill": 2,
        "lost_before_their_commit_point": 0,
        "streams_cut_after_commit": 1,
        "of_these_with_exactly_one_error_event": 1,
        "failed_over": 1,
        "passed": True,
    }


def test_fails_when_something_was_lost_or_ended_otherwise() -> None:
    assert not passed(CUT, Flight(WHOLE, 0.0, "http_503"))
    assert not passed(CUT, Flight(STREAM, 0.0, "in_stream_error", error_events=1))
    assert not passed(CUT, Flight(STREAM, 0.0, "cut", content_events=2))
    assert not passed(CUT, Flight(STREAM, 0.0, "garbled", content_events=2, error_events=2))


def test_proves_nothing_when_the_kill_hit_nobody() -> None:
    assert not passed(SERVED)


def test_strikes_the_provider_that_serves_most() -> None:
    other = Flight(WHOLE, 0.0, "ok", 200, {"x-pointsman-endpoint": "w/m"})
    assert busiest([other, SERVED, SERVED]) == "v"
    with pytest.raises(KillError, match="no answer has named its endpoint yet"):
        busiest([CUT])
