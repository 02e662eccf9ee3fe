"""A monitor's scoring page on a real store, with pairs that are well meant and pairs that are not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gateway.edge.assets import page_routes
from monitor.evaluation.desk import Desk
from monitor.evaluation.store import Store
from monitor.evaluation.web import evaluation_routes
from tests.support.scored import add_pair, half_of


class Scoring:
    """The page's URL, and the store behind it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = ""
        self.pairs = 0

    def add(self, prompt: str, lower: str, upper: str) -> None:
        add_pair(self.store, half_of(self.pairs, lower=self.pairs % 2 == 0), prompt, lower, upper)
        self.pairs += 1


@asynccontextmanager
async def scoring(folder: Path) -> AsyncIterator[Scoring]:
    """The page, without any pair yet."""
    store = Store.open(f"sqlite:///{folder}/evaluations.sqlite")
    running = Scoring(store)

    async def more(_: web.Request) -> web.Response:
        running.add("One more", "lower: one more", "upper: one more")
        return web.Response()

    async def config(_: web.Request) -> web.Response:
        return web.json_response({"routes": [{"name": "default", "evaluate": {"share": 0.02}}]})

    async def silence(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.add_routes([*page_routes("monitor.html"), web.get("/config", config), web.get("/api/stream", silence)])
    app.add_routes([*evaluation_routes(Desk(store, time.time)), web.post("/more", more)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield running
    finally:
        await runner.cleanup()
        store.close()
