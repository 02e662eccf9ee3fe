from dataclasses import replace

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot
from monitor.issue import Entries, Issue, following, taken_over

CALM = EndpointSnapshot(ok_ratio=1.0, probes=7)
ENTRIES: Entries = {"a/x": CALM}
LAST = Issue(epoch=9, seq=3, entries=ENTRIES, period=10)


def test_begins_with_an_epoch_that_no_reader_has_seen() -> None:
    seen = ShardSnapshot(0, 5_000, 12, "m", 0.0, 30.0, ENTRIES)

    assert taken_over(None, 1_000).epoch == 1_000
    assert taken_over(seen, 1_000).epoch == 5_001
    assert taken_over(seen, 9_000).epoch == 9_000


def test_writes_at_once_after_taking_over() -> None:
    seen = ShardSnapshot(0, 5_000, 12, "m", 0.0, 30.0, ENTRIES)

    assert following(taken_over(seen, 1), ENTRIES, 0) == Issue(5_001, 1, ENTRIES, 0)
    assert following(taken_over(None, 1), ENTRIES, 0) == Issue(1, 1, ENTRIES, 0)


def test_publishes_a_change_of_a_breaker_within_the_period() -> None:
    opened: Entries = {"a/x": replace(CALM, breaker=State.OPEN)}

    assert following(LAST, opened, 10) == Issue(9, 4, opened, 10)


def test_publishes_anything_else_with_the_next_period_only() -> None:
    changed: Entries = {"a/x": replace(CALM, ok_ratio=0.9)}

    assert following(LAST, changed, 10) is None
    assert following(LAST, changed, 11) == Issue(9, 4, changed, 11)


def test_rewrites_what_has_not_changed_every_second_period() -> None:
    assert following(LAST, ENTRIES, 11) is None
    assert following(LAST, ENTRIES, 12) == Issue(9, 4, ENTRIES, 12)


def test_takes_further_probes_for_no_change() -> None:
    assert following(LAST, {"a/x": replace(CALM, probes=8)}, 11) is None


def test_publishes_that_a_shard_was_emptied_once_and_never_an_empty_one() -> None:
    emptied = following(LAST, {}, 10)

    assert emptied == Issue(9, 4, {}, 10)
    assert following(emptied, {}, 99) is None
    assert following(taken_over(None, 1), {}, 0) is None
