"""What people in the cluster are told of."""

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot
from monitor.news import News, breaker_news, refusal_news

CLOSED, HALF, OPEN = (EndpointSnapshot(breaker=state) for state in (State.CLOSED, State.HALF_OPEN, State.OPEN))


def test_one_sentence_per_provider_that_opened_with_its_first_reason() -> None:
    ids = [f"a/m{n}" for n in range(7)]
    before = dict.fromkeys([*ids, "b/m"], CLOSED)
    now = {id_: EndpointSnapshot(breaker=State.OPEN, last_error="503 no") for id_ in ids} | {"b/m": OPEN}
    assert breaker_news(before, now) == (
        News("BreakerOpened", "open: a/m0, a/m1, a/m2, a/m3, a/m4 and 2 more (503 no)", True),
        News("BreakerOpened", "open: b/m", True),
    )


def test_a_breaker_is_closed_again_after_its_trial_and_not_before() -> None:
    assert breaker_news({"a/m": OPEN}, {"a/m": HALF}) == ()
    assert breaker_news({"a/m": HALF}, {"a/m": OPEN}) == ()
    assert breaker_news({"a/m": HALF}, {"a/m": CLOSED}) == (News("BreakerClosed", "closed again: a/m", False),)


def test_a_shard_taken_over_is_no_news() -> None:
    assert breaker_news({}, {"a/m": OPEN}) == ()


def test_a_refusal_is_one_line_within_what_an_event_may_hold() -> None:
    assert refusal_news("a.yaml:1: no\n  b: no\n") == News(
        "ConfigRefused", "new configuration refused, the old one stays: a.yaml:1: no; b: no", True
    )
    assert len(refusal_news("x" * 5_000).message) == 1024
