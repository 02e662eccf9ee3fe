"""How the snapshot joins with what the gateway itself saw."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.breaker import State
from gateway.core.health import (
    UNKNOWN,
    EndpointSnapshot,
    OwnHealth,
    Seen,
    ShardSnapshot,
    Verdict,
    join,
    observe,
    outdated,
    shifted,
    weight,
)
from gateway.core.window import Counts, Quantiles

NOW_S = 1_000.0
FRESH_S, FADING_S, STALE_S = 60.0, 195.0, 300.0
OPEN = EndpointSnapshot(breaker=State.OPEN)
P95_560 = Quantiles(310, 480, 560, 900)


def joined(own: OwnHealth, published: EndpointSnapshot | None, age_s: float = FRESH_S) -> Verdict:
    return join(own, published, age_s, 30.0, NOW_S)


@pytest.mark.parametrize(
    ("age_s", "expected"), [(0.0, 1.0), (90.0, 1.0), (195.0, 0.5), (299.0, 1 / 210), (300.0, 0.0), (9_999.0, 0.0)]
)
def test_counts_in_full_for_three_periods_and_fades_to_nothing_at_ten(age_s: float, expected: float) -> None:
    assert weight(age_s, 30.0) == pytest.approx(expected)


def test_ages_from_the_moment_the_publication_changed() -> None:
    seen = observe(None, 7, 1, 100.0)
    assert seen == Seen(7, 1, since_s=100.0)

    assert observe(seen, 7, 1, 130.0) == seen
    assert observe(seen, 7, 2, 130.0) == Seen(7, 2, since_s=130.0)
    assert observe(seen, 8, 1, 140.0) == Seen(8, 1, since_s=140.0)


@pytest.mark.parametrize(
    ("epoch", "seq", "age_s", "expected"),
    [
        (7, 5, 0.0, False),
        (7, 6, 0.0, False),
        (8, 1, 0.0, False),
        (7, 4, 0.0, True),
        (6, 9, 299.0, True),
        (6, 9, 300.0, False),
    ],
)
def test_passes_over_what_is_older_while_the_newer_says_something(
    epoch: int, seq: int, age_s: float, expected: bool
) -> None:
    shard = ShardSnapshot(0, epoch, seq, "test", 0.0, 30.0, {})
    assert outdated(Seen(7, 5, NOW_S), shard, NOW_S + age_s) is expected
    assert not outdated(None, shard, NOW_S)


def test_knows_nothing_against_an_endpoint_nobody_has_heard_of() -> None:
    assert joined(OwnHealth(), None) == UNKNOWN
    assert (UNKNOWN.open, UNKNOWN.half_open, UNKNOWN.rate_limited) == (False, False, False)


def test_takes_the_worse_state_while_the_snapshot_is_fresh() -> None:
    assert joined(OwnHealth(), OPEN) == Verdict(State.OPEN, badness=2.0)
    assert joined(OwnHealth(State.OPEN), EndpointSnapshot()).open
    assert joined(OwnHealth(), EndpointSnapshot(breaker=State.HALF_OPEN)).half_open


@pytest.mark.parametrize("age_s", [91.0, FADING_S, STALE_S, 9_999.0])
def test_is_not_made_unavailable_by_a_snapshot_that_is_no_longer_fresh(age_s: float) -> None:
    assert joined(OwnHealth(), OPEN, age_s) == UNKNOWN


def test_is_kept_closed_by_live_successes_whatever_the_monitor_says() -> None:
    own = OwnHealth(counts=Counts(3, 0), proven=True)

    assert joined(own, replace(OPEN, ok_ratio=0.0)) == UNKNOWN


def test_adds_the_published_failures_as_far_as_the_snapshot_is_trusted() -> None:
    failing = EndpointSnapshot(ok_ratio=0.6)

    assert [joined(OwnHealth(), failing, age_s).badness for age_s in (FRESH_S, FADING_S, STALE_S)] == pytest.approx(
        [0.4, 0.2, 0.0]
    )


def test_counts_its_own_failures_where_they_are_worse() -> None:
    own = OwnHealth(counts=Counts(1, 3))

    assert joined(own, EndpointSnapshot(ok_ratio=0.6)).badness == 0.75
    assert joined(own, None).badness == 0.75


@pytest.mark.parametrize("age_s", [FRESH_S, FADING_S, STALE_S])
def test_holds_a_rate_limit_until_it_passes_whoever_heard_of_it(age_s: float) -> None:
    heard = EndpointSnapshot(rate_limited_until_s=NOW_S + 60)

    assert joined(OwnHealth(), heard, age_s) == Verdict(badness=3.5, rate_limited_until_s=NOW_S + 60)
    assert joined(OwnHealth(rate_limited_until_s=NOW_S + 5), heard, age_s).rate_limited_until_s == NOW_S + 60
    assert joined(OwnHealth(rate_limited_until_s=NOW_S + 90), heard, age_s).rate_limited_until_s == NOW_S + 90
    assert joined(OwnHealth(rate_limited_until_s=NOW_S + 90), None, age_s).rate_limited


def test_forgets_a_rate_limit_that_has_passed() -> None:
    passed = EndpointSnapshot(rate_limited_until_s=NOW_S)

    assert joined(OwnHealth(rate_limited_until_s=NOW_S - 1), passed) == UNKNOWN


def test_prefers_its_own_first_token_time_and_then_the_published_one() -> None:
    published = EndpointSnapshot(ttfb_ms=P95_560)

    assert joined(OwnHealth(ttft_p95_ms=300.0), published).ttft_p95_ms == 300.0
    assert joined(OwnHealth(), published).ttft_p95_ms == 560
    assert joined(OwnHealth(), published, STALE_S).ttft_p95_ms is None
    assert joined(OwnHealth(), EndpointSnapshot()).ttft_p95_ms is None


def test_orders_the_least_bad_first() -> None:
    worst_last = [
        joined(OwnHealth(), EndpointSnapshot(ok_ratio=1.0)),
        joined(OwnHealth(), EndpointSnapshot(ok_ratio=0.5)),
        joined(OwnHealth(State.HALF_OPEN), EndpointSnapshot(ok_ratio=0.9)),
        joined(OwnHealth(State.OPEN), EndpointSnapshot(ok_ratio=0.9)),
        joined(OwnHealth(State.OPEN), EndpointSnapshot(ok_ratio=0.0)),
        joined(OwnHealth(), EndpointSnapshot(rate_limited_until_s=NOW_S + 1)),
        joined(OwnHealth(), EndpointSnapshot(rate_limited_until_s=NOW_S + 100)),
    ]

    badness = [verdict.badness for verdict in worst_last]
    assert badness == sorted(set(badness))


def test_moves_published_times_onto_the_readers_clock() -> None:
    entry = EndpointSnapshot(since_s=1_764_000_000.0, rate_limited_until_s=1_764_000_060.0)
    shard = ShardSnapshot(0, 1, 1, "m", 1_764_000_000.0, 30.0, {"a/x": entry, "a/y": EndpointSnapshot(since_s=5.0)})

    moved = shifted(shard, -1_763_999_000.0)

    assert moved == replace(
        shard,
        endpoints={
            "a/x": EndpointSnapshot(since_s=1_000.0, rate_limited_until_s=1_060.0),
            "a/y": EndpointSnapshot(since_s=5.0 - 1_763_999_000.0),
        },
    )


HORIZONS = st.none() | st.floats(NOW_S - 100, NOW_S + 1_000)
OWN = st.builds(
    OwnHealth,
    state=st.sampled_from(State),
    counts=st.builds(Counts, st.integers(0, 50), st.integers(0, 50)),
    proven=st.booleans(),
    rate_limited_until_s=HORIZONS,
    ttft_p95_ms=st.none() | st.floats(1, 1e5),
)
PUBLISHED = st.builds(
    EndpointSnapshot,
    breaker=st.sampled_from(State),
    ok_ratio=st.none() | st.floats(0, 1),
    ttfb_ms=st.none() | st.just(P95_560),
    rate_limited_until_s=HORIZONS,
)
AGES = st.floats(0, 1_000)
ORDER = [State.CLOSED, State.HALF_OPEN, State.OPEN]


@given(OWN, PUBLISHED, AGES)
def test_keeps_its_promises_for_any_health(own: OwnHealth, published: EndpointSnapshot, age_s: float) -> None:
    alone, both = joined(own, None, age_s), joined(own, published, age_s)

    assert ORDER.index(both.state) >= ORDER.index(own.state), "never better than what was seen"
    if own.proven or age_s > 90:
        assert both.state is own.state
    else:
        assert ORDER.index(both.state) == max(ORDER.index(own.state), ORDER.index(published.breaker))
    horizons = [until for until in (own.rate_limited_until_s, published.rate_limited_until_s) if until]
    assert both.rate_limited_until_s == max([until for until in horizons if until > NOW_S], default=None)
    assert 0 <= alone.badness <= both.badness < 7
