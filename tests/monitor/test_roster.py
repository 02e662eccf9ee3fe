"""Who counts as alive, when."""

from monitor.roster import DURATION_S, RENEW_S, SETTLE_S, LeaseSeen, Roster


def heard(roster: Roster, now_s: float, **stamps: int) -> frozenset[str]:
    """Leases by holder, each with a number that rises as it is renewed."""
    roster.heard({name: LeaseSeen(name, str(stamp)) for name, stamp in stamps.items()}, now_s)
    return roster.live(now_s)


def test_nobody_is_known_until_things_have_been_quiet() -> None:
    roster = Roster("a")
    assert heard(roster, 0.0, a=1) == frozenset()
    assert heard(roster, 4.0, a=2, b=1) == frozenset()
    assert heard(roster, 4.0 + SETTLE_S - 0.1, a=2, b=1) == frozenset()
    assert heard(roster, 4.0 + SETTLE_S, a=3, b=2) == {"a", "b"}


def settled(*names: str) -> Roster:
    roster = Roster(names[0])
    for at_s in (0.0, 5.0):
        heard(roster, at_s, **dict.fromkeys(names, int(at_s)))
    assert roster.live(5.0) == set(names)
    return roster


def test_a_lease_that_no_longer_changes_is_dead_after_its_duration() -> None:
    roster = settled("a", "b")
    assert heard(roster, 15.0, a=3, b=5) == {"a", "b"}
    assert roster.live(4.9 + DURATION_S) == {"a", "b"}
    assert roster.live(5.0 + DURATION_S) == {"a"}, "without waiting for the next list"


def test_what_was_heard_long_ago_is_no_ground_to_call_anybody_dead() -> None:
    assert settled("a", "b").live(100.0) == {"a", "b"}


def test_one_that_said_it_leaves_is_gone_at_once() -> None:
    roster = settled("a", "b")
    roster.heard({"a": LeaseSeen("a", "9"), "b": LeaseSeen("", "9")}, 6.0)
    assert roster.live(6.0) == {"a"}


def test_one_whose_lease_was_deleted_is_gone_at_once() -> None:
    assert heard(settled("a", "b", "c"), 6.0, a=9, c=9) == {"a", "c"}


def test_a_newcomer_counts_once_it_has_been_there_for_a_while() -> None:
    roster = settled("a")
    assert heard(roster, 6.0, a=6, b=1) == {"a"}
    assert heard(roster, 6.0 + SETTLE_S, a=7, b=2) == {"a", "b"}


def test_after_a_silence_of_the_api_nobody_is_dead_before_a_lease_has_run_out_anew() -> None:
    roster = settled("a", "b", "c")
    assert heard(roster, 200.0, a=6, b=5, c=5) == {"a", "b", "c"}
    assert heard(roster, 200.0 + RENEW_S, a=7, b=6, c=5) == {"a", "b", "c"}
    assert heard(roster, 200.0 + DURATION_S, a=8, b=7, c=5) == {"a", "b"}


def test_its_own_lease_does_not_matter() -> None:
    assert heard(settled("a", "b"), 6.0, b=6) == {"a", "b"}


def test_a_dead_replicas_old_lease_is_waited_for_no_longer_than_a_living_ones() -> None:
    roster = Roster("a")
    for at_s in (0.0, 5.0, 10.0):
        heard(roster, at_s, a=int(at_s), old=1)
    assert roster.live(10.0) == {"a", "old"}
    assert heard(roster, DURATION_S, a=99, old=1) == {"a"}
