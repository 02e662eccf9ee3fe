"""Who fails is left alone for a while; who says when to come back is believed; nobody else is punished."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.core.breaker import BreakerRules, State
from gateway.core.catalog import Privacy
from gateway.core.failure import Failure, FailureKind
from gateway.core.health import EndpointSnapshot, ShardSnapshot
from gateway.core.policy import Label, Objective, Requirement, Route
from tests.support.builders import EPOCH_S, START_S, a_provider, a_world, an_endpoint
from tests.support.openai_scripts import a_stream, an_answer, an_error
from tests.support.scripted_upstream import HANG, Script
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

OK = an_answer()
SERVER_ERROR = Failure(FailureKind.SERVER_ERROR, "500")
BROKEN = an_error(500)


def walking_on(*scripts: Script, **world: object) -> Walking:
    """Endpoints alpha, beta, … in the order of their price, each with one script."""
    names = ["alpha", "beta", "gamma", "delta"][: len(scripts)]
    made = a_world(*(f"{name}/m" for name in names), **world)  # type: ignore[arg-type]
    return Walking(made, {name: [script] for name, script in zip(names, scripts, strict=True)})


@pytest.mark.case("C1")
async def test_five_failures_in_a_row_open_the_breaker_and_nothing_touches_it_while_it_cools_down() -> None:
    walking = walking_on(BROKEN, OK)
    for _ in range(30):
        assert (await walking.ask()).status == 200
        await asyncio.sleep(1)
    assert [one.at_s - START_S for one in walking.upstream.calls if one.endpoint == "alpha/m"] == [0, 1, 2, 3, 4]


async def test_a_cooled_down_endpoint_is_tried_again_by_one_request() -> None:
    walking = walking_on(BROKEN, OK)
    for _ in range(5):
        await walking.ask()
    await asyncio.sleep(30.5)
    before = len(walking.upstream.calls)
    await asyncio.gather(*(walking.ask() for _ in range(5)))
    assert walking.upstream.tried[before:].count("alpha/m") == 1


@pytest.mark.case("C2")
async def test_a_sole_endpoints_429_passes_through_with_its_time_and_lasts_no_longer() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [an_error(429, "slow down", retry_after="1"), OK]})
    sink = await walking.ask()
    assert (sink.status, sink.headers["retry-after"], sink.error["message"]) == (429, "1", "slow down")
    assert "x-should-retry" not in sink.headers
    meanwhile = await walking.ask()
    assert (meanwhile.status, meanwhile.headers["retry-after"], len(walking.upstream.calls)) == (429, "1", 1)
    await asyncio.sleep(1.0)
    assert (await walking.ask()).status == 200


@pytest.mark.case("C3")
async def test_the_gateways_own_refusals_never_count_against_a_provider() -> None:
    walking = walking_on([1.0, *OK], providers=[a_provider("alpha", max_in_flight=1)])
    first = asyncio.ensure_future(walking.ask())
    await asyncio.sleep(0.5)
    refused = [await walking.ask() for _ in range(20)]
    assert {(sink.status, sink.error["code"], sink.headers["retry-after"]) for sink in refused} == {
        (503, "overloaded", "1")
    }
    assert (await first).status == 200
    assert (await walking.ask()).status == 200
    assert walking.book.verdict("alpha/m", START_S + 2).badness == 0


@pytest.mark.case("C6")
async def test_a_503_of_the_first_never_reaches_the_client_while_the_second_serves() -> None:
    walking = walking_on(an_error(503), OK)
    assert [(await walking.ask()).status for _ in range(5)] == [200] * 5


@pytest.mark.parametrize(("status", "code"), [(401, None), (403, None), (402, None), (429, "insufficient_quota")])
async def test_a_refused_key_or_balance_opens_the_whole_provider_at_once(status: int, code: str | None) -> None:
    world = a_world("alpha/m", "alpha/n", "beta/m")
    walking = Walking(world, {"alpha": [an_error(status, "no", code)], "beta": [OK]})
    await walking.ask()
    assert walking.upstream.tried == ["alpha/m", "beta/m"]  # its sibling would be refused as well
    await walking.ask()
    assert walking.upstream.tried[2:] == ["beta/m"]
    assert {walking.book.verdict(name, START_S).state for name in ("alpha/m", "alpha/n")} == {State.OPEN}


async def test_an_unknown_model_opens_that_endpoint_at_once_and_no_other() -> None:
    world = a_world("alpha/m", "alpha/n")
    walking = Walking(world, {"alpha/m": [an_error(404)], "alpha/n": [OK]})
    await walking.ask()
    await walking.ask()
    assert walking.upstream.tried == ["alpha/m", "alpha/n", "alpha/n"]


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_the_clients_own_faults_never_open_a_breaker(status: int) -> None:
    walking = walking_on(an_error(status, "bad"))
    for _ in range(30):
        await walking.ask()
    assert walking.book.verdict("alpha/m", START_S).badness == 0


# -- horizons --------------------------------------------------------------------------------------------------------


async def test_a_horizon_is_kept_and_then_forgotten() -> None:
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [an_error(429, retry_after="7"), OK], "beta": [OK]})
    await walking.ask()
    await asyncio.sleep(6.9)
    await walking.ask()
    await asyncio.sleep(0.2)
    await walking.ask()
    assert walking.upstream.tried == ["alpha/m", "beta/m", "beta/m", "alpha/m"]


async def test_a_429_that_gives_no_time_is_left_alone_for_five_seconds() -> None:
    walking = walking_on(an_error(429), OK)
    await walking.ask()
    assert walking.book.verdict("alpha/m", START_S).rate_limited_until_s == START_S + 5


async def test_a_good_answer_that_says_nothing_is_left_sends_the_next_request_elsewhere() -> None:
    headers = (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "3s"))
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [an_answer(headers=headers)], "beta": [OK]})
    await walking.ask()
    await walking.ask()
    assert walking.upstream.tried == ["alpha/m", "beta/m"]


async def test_a_shorter_horizon_does_not_end_a_longer_one() -> None:
    walking = walking_on(OK)
    walking.book.limited("alpha/m", 60.0, START_S)
    walking.book.limited("alpha/m", 1.0, START_S)
    assert walking.book.verdict("alpha/m", START_S).rate_limited_until_s == START_S + 60


async def test_the_earliest_of_several_horizons_is_told() -> None:
    walking = walking_on(an_error(429, retry_after="30"), an_error(429, retry_after="8"))
    sink = await walking.ask()
    assert (sink.status, sink.headers["retry-after"], sink.error["code"]) == (429, "8", "rate_limited")
    again = await walking.ask()
    assert (again.status, again.headers["retry-after"], len(walking.upstream.calls)) == (429, "8", 2)


async def test_a_400_with_a_time_in_it_holds_nobody_back() -> None:
    walking = walking_on(an_error(400, "bad", retry_after="60"))
    await walking.ask()
    assert walking.book.verdict("alpha/m", START_S).rate_limited_until_s is None


# -- panic -----------------------------------------------------------------------------------------------------------


def a_shard(**states: str) -> ShardSnapshot:
    entries = {f"{name}/m": EndpointSnapshot(State(state), ok_ratio=0.0) for name, state in states.items()}
    return ShardSnapshot(0, 1, 1, "monitor", datetime.fromtimestamp(EPOCH_S, UTC).timestamp(), 30.0, entries)


async def test_the_least_bad_is_tried_where_every_one_is_open() -> None:
    walking = walking_on(OK, OK)
    for _ in range(5):
        walking.book.failed("alpha/m", walking.book.enter_anyway("alpha/m", START_S), SERVER_ERROR, START_S)
    walking.book.publish(a_shard(beta="open"), START_S, EPOCH_S)
    sink = await walking.ask()
    assert (sink.status, walking.row["panic"]) == (200, True)
    assert len(walking.upstream.calls) == 1


async def test_panic_never_tries_what_sensitivity_excludes() -> None:
    world = a_world(
        "alpha/m", "beta/m", providers=[a_provider("beta", privacy=Privacy(trains_on_data=False))],
        labels={"internal": Label("internal", Requirement(trains_on_data=False))},
        routes=(Route("default", sensitivity="internal"),), breaker=BreakerRules(failures=1),
    )  # fmt: skip
    walking = Walking(world, {"alpha": [OK], "beta": [BROKEN]})
    for _ in range(10):
        assert (await walking.ask()).status == 503
    assert set(walking.upstream.tried) == {"beta/m"}


async def test_a_broken_monitor_does_not_close_a_world_that_serves() -> None:
    walking = walking_on(OK, OK)
    for _ in range(3):
        await walking.ask()
    walking.book.publish(a_shard(alpha="open", beta="open"), START_S, EPOCH_S)
    await walking.ask()
    assert (walking.row["plan"], walking.row["panic"]) == (["alpha/m"], False)


# -- retry budget ----------------------------------------------------------------------------------------------------


async def test_the_first_failover_to_another_provider_is_free_and_further_tries_share_a_budget() -> None:
    walking = walking_on(BROKEN, BROKEN, OK, breaker=BreakerRules(failures=10**6, min_requests=10**6))
    statuses = [(await walking.ask()).status for _ in range(130)]
    assert (statuses.count(200), statuses.count(503)) == (100, 30)
    assert walking.walk.retry_budget_left() == 0
    assert walking.upstream.tried.count("beta/m") == 130


async def test_another_model_of_the_same_provider_is_no_free_failover() -> None:
    world = a_world("alpha/m", "alpha/n", breaker=BreakerRules(failures=10**6, min_requests=10**6))
    walking = Walking(world, {"alpha/m": [BROKEN], "alpha/n": [OK]})
    statuses = [(await walking.ask()).status for _ in range(130)]
    assert statuses.count(200) == 100


async def test_a_failure_that_no_other_can_cure_takes_nothing_from_the_budget() -> None:
    walking = walking_on(BROKEN, an_error(400, "bad"), OK)
    assert (await walking.ask()).status == 400
    assert walking.walk.retry_budget_left() == 100


# -- places ----------------------------------------------------------------------------------------------------------


async def test_a_place_in_flight_is_given_back_however_an_attempt_ends() -> None:
    walking = walking_on(BROKEN, [HANG], OK)
    await asyncio.gather(*(walking.ask() for _ in range(3)), *(walking.ask(stream=True) for _ in range(3)))
    assert [line.load.attempts for line in walking.walk.parts.lines.values()] == [0, 0, 0]


async def test_a_full_provider_is_passed_over() -> None:
    walking = walking_on([5.0, *OK], OK, providers=[a_provider("alpha", max_in_flight=1)])
    await asyncio.gather(walking.ask(), walking.ask())
    assert walking.upstream.tried == ["alpha/m", "beta/m"]


async def test_who_stands_behind_the_plan_serves_when_those_in_it_are_full() -> None:
    full = [a_provider(name, max_in_flight=0) for name in ("alpha", "beta", "gamma", "delta")]
    world = a_world("alpha/m", "beta/m", "gamma/m", "delta/m", "eps/m", providers=full)
    walking = Walking(world, {"eps": [OK]})
    assert (await walking.ask()).headers["x-pointsman-endpoint"] == "eps/m"


async def test_an_endpoint_that_a_reload_took_away_still_ends_the_requests_that_began_with_it() -> None:
    headers = (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "3s"))
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [[1.0, *BROKEN]], "beta": [an_answer(headers=headers)]})
    asking = asyncio.ensure_future(walking.ask())
    await asyncio.sleep(0.5)
    walking.book.reconfigure({"gamma/m": "gamma"}, BreakerRules())
    assert ((await asking).status, walking.outcomes) == (200, [("alpha/m", "server_error"), ("beta/m", "ok")])


# -- no samples ------------------------------------------------------------------------------------------------------


@pytest.mark.case("P2")
async def test_endpoints_without_a_sample_or_with_failures_only_are_ordered_all_the_same() -> None:
    routes = (Route("default", objective=Objective.LATENCY, first_token_p95_ms=500.0),)
    walking = Walking(
        a_world("alpha/m", "beta/m", "gamma/m", routes=routes),
        {"alpha": [an_error(500)], "beta": [a_stream("Hello")], "gamma": [a_stream("Hello")]},
    )
    assert [(await walking.ask(stream=True)).text for _ in range(3)] == ["Hello"] * 3


async def test_who_was_slow_once_gets_another_chance() -> None:
    routes = (Route("default", first_token_p95_ms=500.0),)
    slow = [2.0, *a_stream("slow")]
    world = a_world(an_endpoint("alpha/m"), "beta/m", routes=routes)
    walking = Walking(world, {"alpha": [slow], "beta": [a_stream("fast")]})
    texts = []
    for wait_s in (1.0, 1.0, 301.0, 1.0):
        texts.append((await walking.ask(stream=True)).text)
        await asyncio.sleep(wait_s)
    assert texts == ["slow", "fast", "fast", "slow"]
