"""The scoring page's API over a real port: what it gives, what it refuses and in which words, and who may not ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Semaphore
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.evaluation import turns
from monitor.evaluation.desk import Desk
from monitor.evaluation.store import Store, StoreError
from monitor.evaluation.web import evaluation_routes
from tests.support.builders import EPOCH_S
from tests.support.scored import add_pair, half_of

VALID = "verdict being one of left, right, tie, both_bad, skip"


class Client:
    def __init__(self, url: str, http: aiohttp.ClientSession, store: Store) -> None:
        self.url = url
        self.store = store
        self._http = http

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self._http.get(f"{self.url}/api/evaluation/{path}", headers=headers) as response:
            assert response.headers["Cache-Control"] == "no-store"
            return response.status, await response.json()

    async def say(self, body: bytes | dict[str, Any], **headers: str) -> tuple[int, Any]:
        given: dict[str, Any] = {"json": body} if isinstance(body, dict) else {"data": body}
        if isinstance(body, bytes):
            headers = {"Content-Type": "application/json", **headers}
        async with self._http.post(f"{self.url}/api/evaluation/verdicts", headers=headers, **given) as response:
            return response.status, await response.json()

    async def page(self) -> tuple[str, str]:
        async with self._http.get(f"{self.url}/evaluate") as response:
            return await response.text(), response.headers["Content-Security-Policy"]


@asynccontextmanager
async def desk_on_a_port(folder: Path, pairs: int = 1) -> AsyncIterator[Client]:
    store = Store.open(f"sqlite:///{folder}/evaluations.sqlite")
    for number in range(pairs):
        add_pair(store, half_of(number), "prompt", "lower", "upper")
    app = web.Application()
    app.add_routes(evaluation_routes(Desk(store, lambda: EPOCH_S)))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Client(f"http://127.0.0.1:{runner.addresses[0][1]}", http, store)
    finally:
        await runner.cleanup()
        store.close()


def message(told: Any) -> str:
    text: str = told["error"]["message"]
    return text


async def test_gives_a_pair_takes_a_verdict_and_counts_it(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, pair = await client.get("next?scorer=Ann")
        assert (status, sorted(pair)) == (200, ["left", "prompt", "right", "ticket"])
        said = {"ticket": pair["ticket"], "scorer": "Ann", "verdict": "left"}
        assert await client.say(said) == (200, {"taken": True})
        assert await client.get("next?scorer=Ann") == (200, {"waiting": 0, "done": True})
        status, told = await client.get("progress")
        none = {"compared": 0, "agreed": 0}
        count = {
            "route": "default", "task": "chat", "waiting": 0, "complete": 1, "by_people": 1, "by_model": 0, "same": 0,
            "people_agree": none, "model_agrees": none,
        }  # fmt: skip
        assert (status, told) == (200, {"progress": [count]})
        assert [one.gain for one in client.store.judged()] == [{"lower": -1.0, "upper": 1.0}[pair["left"]]]


async def test_serves_the_page_under_a_strict_policy(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path) as client:
        page, policy = await client.page()
        assert '<script type="module" src="static/evaluate.js">' in page
        assert "default-src 'none'; script-src 'self'" in policy


@pytest.mark.parametrize("query", ["next", "next?scorer=", "next?scorer=%0A", f"next?scorer={'x' * 65}"])
async def test_refuses_a_question_without_a_name(tmp_path: Path, query: str) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, told = await client.get(query)
        assert (status, message(told)) == (400, "'scorer' must be a name of 1 to 64 printable characters")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff", "malformed"),
        (b"{}", "missing required field `ticket`"),
        (b'{"ticket": "t", "scorer": "Ann", "verdict": "best"}', "Invalid enum value 'best'"),
        (b'{"ticket": 1, "scorer": "Ann", "verdict": "tie"}', "Expected `str`"),
        (b'{"ticket": "t", "scorer": "Ann", "verdict": "tie", "lower": 1}', "unknown field `lower`"),
    ],
)
async def test_says_what_a_verdict_is_where_it_got_none(tmp_path: Path, body: bytes, words: str) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, told = await client.say(body)
        assert status == 400
        assert words in message(told)
        assert VALID in message(told)


async def test_refuses_tickets_that_it_never_gave_and_pairs_that_are_gone(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, told = await client.say({"ticket": "forged", "scorer": "Ann", "verdict": "tie"})
        assert (status, message(told)) == (400, "'ticket' is none of this monitor's; GET api/evaluation/next gives one")
        _, pair = await client.get("next?scorer=Ann")
        status, told = await client.say({"ticket": pair["ticket"], "scorer": "Ben", "verdict": "tie"})
        assert (status, message(told)) == (400, "the ticket was given to another scorer than 'Ben'")
        client.store.purge(EPOCH_S + 9)
        status, told = await client.say({"ticket": pair["ticket"], "scorer": "Ann", "verdict": "tie"})
        assert (status, message(told)) == (410, "the pair is no longer kept; ask for the next one")
        assert client.store.judged() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_refuses_what_the_page_of_another_site_asks(tmp_path: Path, headers: dict[str, str]) -> None:
    async with desk_on_a_port(tmp_path) as client:
        _, pair = await client.get("next?scorer=Ann")
        said = {"ticket": pair["ticket"], "scorer": "Ann", "verdict": "tie"}
        for status, _ in (await client.say(said, **headers), await client.get("next?scorer=Ben", **headers)):
            assert status == 403
        assert client.store.judged() == []


async def test_takes_what_its_own_page_asks(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path, pairs=3) as client:
        for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": client.url}, {}):
            _, pair = await client.get("next?scorer=Ann", **headers)
            said = {"ticket": pair["ticket"], "scorer": "Ann", "verdict": "tie"}
            assert await client.say(said, **headers) == (200, {"taken": True})


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_takes_no_form_which_any_page_could_send(tmp_path: Path, kind: str) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, told = await client.say(b"{}", **{"Content-Type": kind})
        assert (status, message(told)) == (415, "send the verdict as application/json")


async def test_takes_no_more_than_a_verdict_can_have(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path) as client:
        status, told = await client.say(b'{"ticket": "' + b"x" * 20_000 + b'"}')
        assert (status, message(told)) == (413, "send at most 16 KiB")


async def test_a_store_that_hangs_holds_no_more_threads_than_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many people, or programs, come again: probes and publishing need threads as well."""
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    entered, free = Semaphore(0), Event()

    def hang(*_: object) -> None:
        entered.release()
        free.wait()

    async with desk_on_a_port(tmp_path) as client:
        client.store.next_for = hang  # type: ignore[method-assign,assignment]
        held = [asyncio.create_task(client.get("next?scorer=Ann")) for _ in range(4)]
        try:
            for _ in held:
                await asyncio.to_thread(entered.acquire)
            async with asyncio.timeout(10.0):
                others = [await client.get(path) for path in ("next?scorer=Ben", "progress")]
        finally:
            free.set()
        assert [status for status, _ in others] == [503, 503]
        assert [status for status, _ in await asyncio.gather(*held)] == [200] * 4


async def test_says_where_the_store_fails_without_its_words(tmp_path: Path) -> None:
    async with desk_on_a_port(tmp_path) as client:

        def failing(*_: object) -> None:
            raise StoreError("postgresql://db.internal is gone")

        client.store.next_for = failing  # type: ignore[method-assign,assignment]  # the database goes away
        status, told = await client.get("next?scorer=Ann")
        assert (status, message(told)) == (503, "the store of pairs does not answer; try again later")
