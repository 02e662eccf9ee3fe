import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.failure import Failure, FailureKind
from gateway.core.outcomes import (
    SAMPLES,
    EndpointOutcomes,
    Outcomes,
    OutcomesError,
    Sample,
    Tally,
    decode_outcomes,
    encode_outcomes,
    news,
    together,
)


def tallied(*attempts: FailureKind | Sample) -> Tally:
    tally = Tally()
    for attempt in attempts:
        if isinstance(attempt, Sample):
            tally.succeeded(attempt)
        else:
            tally.failed(Failure(attempt, "so it goes"))
    return tally


def test_counts_attempts_by_how_they_ended() -> None:
    tally = tallied(
        Sample(700.0, 310.0),
        FailureKind.RATE_LIMITED,
        FailureKind.OVERLOADED,
        FailureKind.CREDENTIAL,
        FailureKind.NOT_FOUND,
    )

    assert tally.outcomes(12.5) == EndpointOutcomes(
        ok=1,
        failed=3,
        rate_limited=1,
        consecutive_failures=3,
        last_error="not_found: so it goes",
        rate_limited_for_s=12.5,
        cursor=1,
        samples=(Sample(700.0, 310.0),),
    )


def test_forgets_the_row_and_the_error_with_a_success() -> None:
    assert tallied(FailureKind.TRUNCATED, Sample(5.0)).outcomes(None) == EndpointOutcomes(
        ok=1, failed=1, cursor=1, samples=(Sample(5.0),)
    )


def test_does_not_count_what_the_client_or_the_gateway_did() -> None:
    assert tallied(FailureKind.CANCELLED, FailureKind.REJECTED, FailureKind.INTERNAL).outcomes(None) == (
        EndpointOutcomes()
    )


def test_lists_the_last_samples_only() -> None:
    outcomes = tallied(*(Sample(float(ms)) for ms in range(100))).outcomes(None)

    assert (outcomes.cursor, len(outcomes.samples), outcomes.samples[0]) == (100, SAMPLES, Sample(36.0))


def test_tells_what_is_new_since_the_last_read() -> None:
    tally = tallied(Sample(1.0), Sample(2.0), FailureKind.OVERLOADED)
    before = tally.outcomes(None)
    tally.succeeded(Sample(3.0))
    tally.failed(Failure(FailureKind.RATE_LIMITED, "slow down"))

    assert news(before, tally.outcomes(5.0)) == EndpointOutcomes(
        ok=1,
        rate_limited=1,
        last_error="rate_limited: slow down",
        rate_limited_for_s=5.0,
        cursor=3,
        samples=(Sample(3.0),),
    )
    assert news(before, before).samples == ()


def test_takes_at_most_the_samples_that_are_listed() -> None:
    tally = tallied(Sample(0.0))
    before = tally.outcomes(None)
    for ms in range(1, 200):
        tally.succeeded(Sample(float(ms)))

    fresh = news(before, tally.outcomes(None))

    assert (fresh.ok, len(fresh.samples), fresh.samples[-1]) == (199, SAMPLES, Sample(199.0))


def test_joins_gateways_and_lets_the_best_served_one_tell_the_row() -> None:
    one = EndpointOutcomes(ok=3, failed=1, cursor=3, samples=(Sample(1.0),), rate_limited_for_s=4.0)
    two = EndpointOutcomes(failed=7, consecutive_failures=7, last_error="overloaded: no", rate_limited_for_s=9.0)
    idle = EndpointOutcomes(consecutive_failures=0, last_error="old", cursor=90)

    assert together([one, two, idle]) == EndpointOutcomes(
        ok=3, failed=8, cursor=3, samples=(Sample(1.0),), rate_limited_for_s=9.0
    )
    assert together([two, idle]) == two
    assert together([idle]) == EndpointOutcomes()


COUNTS = st.integers(0, 2**53)
MS = st.floats(0, 1e9)
OUTCOMES = st.builds(
    Outcomes,
    since=st.text(),
    endpoints=st.dictionaries(
        st.text(),
        st.builds(
            EndpointOutcomes,
            ok=COUNTS,
            failed=COUNTS,
            rate_limited=COUNTS,
            consecutive_failures=COUNTS,
            last_error=st.none() | st.text(),
            rate_limited_for_s=st.none() | MS,
            cursor=COUNTS,
            samples=st.lists(st.builds(Sample, MS, st.none() | MS), max_size=3).map(tuple),
        ),
        max_size=3,
    ),
)


@given(OUTCOMES)
def test_reads_what_it_writes(outcomes: Outcomes) -> None:
    assert decode_outcomes(encode_outcomes(outcomes)) == outcomes


ENTRY = b'{"ok":0,"failed":0,"rate_limited":0,"consecutive_failures":0,"cursor":1,"samples":%s}'


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<html>", "Expecting value"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "outcomes is not an object"),
        (b'{"version": 2}', "version 2 is not 1"),
        (b'{"version": 1, "since": 5, "endpoints": {}}', "outcomes: since is not text"),
        (b'{"version": 1, "since": "x", "endpoints": {"a/b": {"ok": -1}}}', "a/b: ok is not a whole number from 0"),
        (b'{"version": 1, "since": "x", "endpoints": {"a/b": %s}}' % (ENTRY % b"[[1]]"), "a sample is"),
        (
            b'{"version": 1, "since": "x", "endpoints": {"a/b": %s}}' % (ENTRY % b"[[1, null]]"),
            "sample: total is not a",
        ),
        (b'{"version": 1, "since": "x", "endpoints": {"a/b": %s}}' % (ENTRY % b"7"), "a/b: samples is not a list"),
    ],
)
def test_refuses_what_is_no_report(raw: bytes, message: str) -> None:
    with pytest.raises(OutcomesError, match=message):
        decode_outcomes(raw)
