"""Following a collection through everything an API server can do to us, in virtual time."""

import asyncio
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from gateway.edge.kube.course import CAP_S, SILENCE_S
from gateway.edge.kube.ports import Json, KubeError
from gateway.edge.kube.reflector import Reflector
from tests.support.kube import (
    Answer,
    Noted,
    ScriptedApi,
    Wait,
    Word,
    bookmark,
    error_event,
    event,
    item,
    listing,
    surroundings,
)

pytestmark = pytest.mark.virtual_time

ONE = listing("10", item("a", "8"))
QUIET: Sequence[Word] = [step for _ in range(9) for step in (Wait(60), bookmark("11"))]
WORST_PER_MINUTE = 2 * 60 / CAP_S + 12  # a list and a watch for each wait at the cap, and a first burst


async def followed(api: ScriptedApi, seconds: float) -> tuple[Reflector, Noted]:
    """What a reflector makes of the API in so many seconds."""
    noted = Noted()
    reflector = Reflector(api, "/configmaps", noted, surroundings(random.Random(5).random), {"fieldSelector": "x"})
    task = asyncio.create_task(reflector.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return reflector, noted


@contextmanager
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    with caplog.at_level(logging.INFO, "pointsman"):
        yield (found := [])
    found.extend(record.getMessage() for record in caplog.records)


async def test_lists_then_watches_from_the_lists_version() -> None:
    api = ScriptedApi([ONE], [[event("MODIFIED", item("a", "11")), event("DELETED", item("a", "12")), *QUIET]])
    reflector, noted = await followed(api, 30)
    assert noted.said == [("listed", ["a@8"]), ("changed", "a@11"), ("deleted", "a@12")]
    assert [(one.verb, one.query["resourceVersion"]) for one in api.asked] == [("list", "0"), ("watch", "10")]
    assert (reflector.tally.up, reflector.tally.lists, reflector.tally.restarts) == (True, 1, {})
    assert reflector.synced.is_set()


async def test_takes_up_a_watch_that_ended_in_order_where_the_last_bookmark_was() -> None:
    api = ScriptedApi([ONE], [[Wait(60), bookmark("15"), Wait(60)], QUIET])
    reflector, noted = await followed(api, 200)
    assert [(one.verb, one.query["resourceVersion"]) for one in api.asked][1:] == [("watch", "10"), ("watch", "15")]
    assert (noted.said, reflector.tally.restarts) == ([("listed", ["a@8"])], {"end": 1})


@pytest.mark.parametrize(
    ("watch", "why"),
    [
        ([error_event(410)], "expired"),
        ([KubeError(410, "gone")], "expired"),
        ([error_event(500, "oh")], "error"),
        ([KubeError(500, "oh")], "error"),
        ([KubeError(403, "cold caches")], "denied"),
        ([KubeError(401, "token")], "denied"),
        ([KubeError(429, "slow", 7.0)], "throttled"),
        ([KubeError(None, "the watch broke off within an event")], "network"),
        ([event("ADDED", {"kind": "ConfigMap"})], "network"),
        ([{"type": "ADDED"}], "network"),
        ([event("RENAMED", item("a", "9"))], "network"),
        ([{"type": "ERROR"}], "network"),
        ([event("ERROR", {"message": None})], "network"),
        ([Wait(SILENCE_S + 1)], "silent"),
        ([], "short"),
    ],
)
async def test_lists_again_after_a_watch_that_failed(watch: Sequence[Word], why: str) -> None:
    api = ScriptedApi([ONE, listing("20", item("a", "18"))], [watch, QUIET])
    reflector, noted = await followed(api, 200)
    assert noted.said == [("listed", ["a@8"]), ("listed", ["a@18"])]
    assert api.verbs() == "list watch list watch"
    assert [one.query["resourceVersion"] for one in api.asked] == ["0", "10", "", "20"]
    assert (reflector.tally.restarts, reflector.tally.up) == ({why: 1}, True)


async def test_comes_back_no_earlier_than_the_api_asked_for() -> None:
    told = {"kind": "Status", "code": 429, "message": "slow", "details": {"retryAfterSeconds": 40}}
    for refusal in (KubeError(429, "slow", 40.0), event("ERROR", told)):
        api = ScriptedApi([ONE], [[refusal], QUIET])
        await followed(api, 100)
        assert 40 <= api.asked[2].at_s - api.asked[1].at_s < 42


@pytest.mark.parametrize(
    ("lists", "watch"),
    [
        ([KubeError(None, "refused")], QUIET),
        ([KubeError(500, "oh")], QUIET),
        ([KubeError(403, "no")], QUIET),
        ([{"kind": "nonsense"}], QUIET),
        ([{**ONE, "items": "none"}], QUIET),
        ([ONE], []),  # a load balancer that ends every watch
        ([ONE], [error_event(410)]),  # a storm of them
        ([ONE], [event("ADDED", item("a", "9"))]),  # a word, and the end
        ([ONE], [KubeError(None, "reset")]),
        ([ONE], [Wait(4.9)]),
    ],
)
async def test_never_asks_often_while_the_trouble_lasts(lists: Sequence[Answer], watch: Sequence[Word]) -> None:
    api = ScriptedApi(lists, [watch])
    await followed(api, 600)
    starts = [one.at_s for one in api.asked]
    busiest = max(sum(at <= other < at + 60 for other in starts) for at in starts)
    assert busiest <= WORST_PER_MINUTE
    late = [at for at in starts if at > starts[0] + 300]
    assert 5 < len(late) <= 2 * 300 / CAP_S + 2, "slow, but not given up"


async def test_goes_on_gently_where_every_watch_is_cut_after_some_seconds() -> None:
    api = ScriptedApi([ONE], [[Wait(5.1)]])
    reflector, _ = await followed(api, 600)
    assert len(api.asked) <= 600 / 5.1 + 2
    assert (reflector.tally.lists, reflector.tally.up) == (1, True)


async def test_says_it_is_not_there_before_the_first_list_and_keeps_trying() -> None:
    api = ScriptedApi([KubeError(None, "refused")] * 3 + [ONE], [QUIET])
    reflector, noted = await followed(api, 3)
    assert (reflector.tally.up, reflector.synced.is_set(), noted.said) == (False, False, [])
    reflector, noted = await followed(ScriptedApi([KubeError(None, "refused")] * 3 + [ONE], [QUIET]), 30)
    assert (reflector.tally.up, reflector.synced.is_set(), noted.said) == (True, True, [("listed", ["a@8"])])


async def test_accepts_an_older_version_from_a_list() -> None:
    """A cluster restored from a backup counts from further back."""
    api = ScriptedApi([ONE, listing("3", item("a", "2"))], [[KubeError(None, "reset")], QUIET])
    _, noted = await followed(api, 60)
    assert (noted.said[-1], api.asked[-1].query["resourceVersion"]) == (("listed", ["a@2"]), "3")


async def test_hands_on_what_comes_twice_for_the_sink_to_tell() -> None:
    history: list[Json] = [event("MODIFIED", item("a", version)) for version in ("5", "6", "5")]
    _, noted = await followed(ScriptedApi([ONE], [[*history, *QUIET]]), 10)
    assert noted.said[1:] == [("changed", "a@5"), ("changed", "a@6"), ("changed", "a@5")]


async def test_says_once_what_the_trouble_is_and_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    troubles = [KubeError(None, "refused"), KubeError(None, "reset"), KubeError(403, "no"), ONE]
    with lines(caplog) as said:
        await followed(ScriptedApi(troubles, [[error_event(410)], QUIET]), 60)
    assert said == [
        "Kubernetes API: /configmaps cannot be followed, the last state stays: refused",
        "Kubernetes API: /configmaps cannot be followed, the last state stays: no (status 403)",
        "Kubernetes API: /configmaps is followed again",
    ]


async def test_closes_its_watch_when_it_is_cancelled() -> None:
    api = ScriptedApi([ONE], [QUIET])
    await followed(api, 30)
    assert api.closed_watches == 1


async def test_comes_back_spread_out_when_the_api_was_away_for_all() -> None:
    """Fifty gateways, five minutes without an API: no second sees more than a fifth of them."""
    back_s: list[float] = []
    for seed in range(50):
        noted, draw = Noted(), random.Random(seed).random
        begun_s = asyncio.get_running_loop().time()

        class Away(ScriptedApi):
            async def get(self, path: str, query: object = None) -> Json:
                now_s = asyncio.get_running_loop().time() - begun_s  # noqa: B023 - run within this turn
                if now_s < 300:
                    raise KubeError(None, "refused")
                back_s.append(now_s)
                return ONE

        task = asyncio.create_task(Reflector(Away([], [QUIET]), "/x", noted, surroundings(draw)).run())
        await asyncio.sleep(400)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(back_s) == 50
    assert max(back_s) < 300 + 2 * CAP_S
    assert max(sum(at <= other < at + 1 for other in back_s) for at in back_s) <= 10
