"""The gateway's book of health: its own breakers joined with the monitor's snapshot."""

import json

import pytest

from gateway.core.breaker import BreakerRules, State
from gateway.core.failure import Failure, FailureKind
from gateway.core.health import EndpointSnapshot, ShardSnapshot
from gateway.core.outcomes import Sample
from gateway.core.plan import Ill
from gateway.core.window import Quantiles
from gateway.flow.health import REFRESH_S, UNWATCHED, HealthBook

NOW = 1_000.0
EPOCH = 1_764_000_000.0
SLOW = Quantiles(100.0, 200.0, 300.0, 400.0)
ERROR = Failure(FailureKind.SERVER_ERROR, "500")


def a_book(**rules: int) -> HealthBook:
    return HealthBook({"a/m": "a", "a/n": "a", "b/m": "b"}, BreakerRules(**rules))


def a_shard(seq: int = 1, **entry: object) -> ShardSnapshot:
    entries = {"a/m": EndpointSnapshot(**entry), "gone/m": EndpointSnapshot()}  # type: ignore[arg-type]
    return ShardSnapshot(0, 1, seq, "monitor", EPOCH, 30.0, entries)


def failed(book: HealthBook, name: str, failure: Failure = ERROR, now_s: float = NOW) -> None:
    book.failed(name, book.enter_anyway(name, now_s), failure, now_s)


def test_knows_nothing_against_anyone_at_first() -> None:
    book = a_book()
    health = book.health(NOW)
    assert (health.ill, health.ttft_p95_ms, book.snapshot_age_s(NOW)) == ({}, {}, None)
    assert set(book.states(NOW).values()) == {State.CLOSED}


def test_calls_an_endpoint_ill_with_the_time_at_which_it_is_tried_again() -> None:
    book = a_book(failures=1)
    failed(book, "a/m")
    assert book.health(NOW).ill == {"a/m": Ill("breaker_open", NOW + 30.0, 2.0)}
    assert book.states(NOW)["a/m"] is State.OPEN
    assert book.health(NOW + 30.3).ill == {}


def test_forgets_an_endpoint_that_is_well_again() -> None:
    book = a_book(failures=1)
    failed(book, "a/m")
    ticket = book.enter("a/m", NOW + 31)
    assert ticket is not None
    book.succeeded("a/m", ticket, Sample(900.0, 250.0), NOW + 31)
    assert book.health(NOW + 31).ill == {}
    assert not book._watched


def test_takes_the_monitors_word_while_it_is_fresh() -> None:
    book = a_book()
    book.publish(a_shard(breaker=State.OPEN, ttfb_ms=SLOW, total_ms=SLOW), NOW, EPOCH)
    health = book.health(NOW)
    assert (health.ill["a/m"].reason, health.ttft_p95_ms, health.total_p50_ms) == (
        "breaker_open", {"a/m": 300.0}, {"a/m": 100.0},
    )  # fmt: skip
    assert book.health(NOW + 91).ill == {}  # three periods later it only fades
    assert book.health(NOW + 301).ttft_p95_ms == {}  # ten periods later it says nothing
    assert book.snapshot_age_s(NOW + 301) == 301.0


def test_an_unchanged_snapshot_grows_old_however_often_it_is_read() -> None:
    book = a_book()
    for later in (0.0, 30.0, 60.0):
        book.publish(a_shard(), NOW + later, EPOCH + later)
    assert book.snapshot_age_s(NOW + 60) == 60.0
    book.publish(a_shard(seq=2), NOW + 60, EPOCH + 60)
    assert book.snapshot_age_s(NOW + 60) == 0.0


def test_passes_over_an_older_snapshot_that_comes_by_a_slower_way() -> None:
    book = a_book()
    book.publish(a_shard(seq=5, breaker=State.OPEN), NOW, EPOCH)
    book.publish(a_shard(seq=4), NOW + 1, EPOCH + 1)
    assert (book.verdict("a/m", NOW + 1).open, book.snapshot_age_s(NOW + 1)) == (True, 1)


def test_keeps_to_a_rate_limit_that_the_monitor_heard_of() -> None:
    book = a_book()
    book.publish(a_shard(rate_limited_until_s=EPOCH + 20), NOW, EPOCH)
    assert book.health(NOW).ill["a/m"] == Ill("rate_limited", NOW + 20, 3.25)
    assert book.health(NOW + 20).ill == {}


def test_prefers_what_it_measured_itself() -> None:
    book = a_book()
    book.publish(a_shard(ttfb_ms=SLOW), NOW, EPOCH)
    book.succeeded("a/m", book.enter_anyway("a/m", NOW), Sample(900.0, 50.0), NOW)
    assert book.health(NOW + REFRESH_S).ttft_p95_ms == {"a/m": pytest.approx(50.0, rel=0.01)}


def test_notices_what_time_alone_changes_a_quarter_of_a_second_later() -> None:
    book = a_book(failures=1)
    assert book.health(NOW) is book.health(NOW + REFRESH_S / 2)
    failed(book, "a/m")
    assert book.health(NOW).ill  # news is noticed at once


def test_watches_every_endpoint_of_a_provider_that_refuses_our_key() -> None:
    book = a_book()
    failed(book, "a/m", Failure(FailureKind.CREDENTIAL, "401"))
    assert set(book.health(NOW).ill) == {"a/m", "a/n"}


def test_keeps_what_it_knows_over_a_reload_and_drops_who_left() -> None:
    book = a_book(failures=1)
    failed(book, "a/m")
    failed(book, "b/m")
    book.reconfigure({"a/m": "a", "c/m": "c"}, BreakerRules(failures=1))
    assert set(book.health(NOW).ill) == {"a/m"}
    assert set(book.states(NOW)) == {"a/m", "c/m"}


def test_lets_attempts_at_an_endpoint_that_left_end_in_peace() -> None:
    book = a_book()
    book.reconfigure({"b/m": "b"}, BreakerRules())
    assert book.enter("a/m", NOW) == book.enter_anyway("a/m", NOW) == UNWATCHED
    book.succeeded("a/m", UNWATCHED, Sample(1.0), NOW)
    book.failed("a/m", UNWATCHED, ERROR, NOW)
    book.limited("a/m", 5.0, NOW)
    assert book.health(NOW).ill == {}


def test_reports_outcomes_with_what_is_left_of_each_horizon() -> None:
    book = a_book()
    book.limited("a/m", 7.0, NOW)
    book.limited("b/m", 1.0, NOW - 5)
    told = json.loads(book.outcomes("process 1", NOW))
    limited = {name: entry.get("rate_limited_for_s") for name, entry in told["endpoints"].items()}
    assert limited["a/m"] == 7.0
    assert not limited.get("b/m")
