"""An office of evaluation on a port, over scripted providers and a store in a directory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from gateway.config.compile import Compiled
from gateway.core.breaker import BreakerRules
from gateway.core.evaluation import PATH, Half, encode_halves
from gateway.core.policy import Evaluate, Label, Route
from gateway.core.prices import price_book
from gateway.edge.sinks.keys import SinkKey
from monitor.evaluation.office import Around, Office
from monitor.evaluation.store import StoreError
from monitor.ports import Clock
from monitor.press import Press
from tests.support.builders import EPOCH_S, a_catalog, a_policy
from tests.support.evaluating import PRICES, Keys, upstream
from tests.support.monitoring import PlayedPublisher
from tests.support.scripted_upstream import ScriptedUpstream

EVALUATING = Route("default", evaluate=Evaluate(share=0.02, against=1))
PLAIN = Route("default")
NO_TOKEN = SinkKey("evaluations", "token", "TOKEN", {}, "/nowhere")


def compiled(*routes: Route, labels: tuple[Label, ...] = ()) -> Compiled:
    policy = a_policy(a_catalog(*PRICES), routes=routes, labels={label.name: label for label in labels})
    return Compiled(policy, price_book({}, {}, ""), BreakerRules())


@dataclass
class PlayedPlace:
    """A file in a directory, which may be away."""

    folder: Path
    away: bool = False
    before: bool = False

    def url(self) -> str:
        if self.away:
            raise StoreError("the disk is gone")
        return str(self.folder / "evaluations.sqlite")

    def used(self) -> bool:
        return self.before


@dataclass
class Rig:
    office: Office
    place: PlayedPlace
    vendors: ScriptedUpstream
    publisher: PlayedPublisher
    http: aiohttp.ClientSession = field(repr=False)

    def reconfigure(self, *routes: Route, labels: tuple[Label, ...] = ()) -> None:
        self.office.reconfigure(compiled(*routes, labels=labels), Keys())

    async def hand_over(self, *halves: Half) -> tuple[int, Any, str | None]:
        return await self.post(encode_halves(list(halves)))

    async def post(
        self, body: bytes, content_type: str = "application/json", **headers: str
    ) -> tuple[int, Any, str | None]:
        """Status, JSON, and when to come again."""
        async with self.http.post(PATH, data=body, headers={"Content-Type": content_type, **headers}) as response:
            return response.status, await response.json(), response.headers.get("Retry-After")

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.http.get(path) as response:
            return response.status, await response.json()


@asynccontextmanager
async def office(
    place: PlayedPlace, *routes: Route, vendors: ScriptedUpstream | None = None, token: SinkKey = NO_TOKEN
) -> AsyncIterator[Rig]:
    """In real time, since it has a port."""
    now_s = asyncio.get_running_loop().time
    begun_s = now_s()
    clock = Clock(now_s, lambda: EPOCH_S + now_s() - begun_s)
    publisher, asked = PlayedPublisher(), vendors or upstream()
    press = Press(publisher, clock, "monitor-1", 30.0)
    around = Around(asked, clock, "monitor-1", press, lambda: PRICES, lambda: True, token)
    made = Office(place, around)
    made.reconfigure(compiled(*routes), Keys())
    app = web.Application()
    app.add_routes(made.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    task = asyncio.create_task(made.run())
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as http:
            yield Rig(made, place, asked, publisher, http)
        assert not task.done(), "the office works until it is told to stop"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await runner.cleanup()


async def until(true: Any) -> None:
    """Another task has no event to wait for."""
    async with asyncio.timeout(10.0):
        while not true():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.005)


async def until_open(rig: Rig) -> None:
    """The store is open as soon as it says how much there is."""
    while (await rig.get("/api/evaluation/progress"))[0] != 200:  # noqa: ASYNC110 - another task has no event
        await asyncio.sleep(0.005)
