"""The monitor's port: health, metrics, configuration, and a page for people. Nothing here changes anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.edge.exposition import exposed

# The page has a style of its own and nothing else.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Views:
    """What is shown; each is read when asked for."""

    ready: Callable[[], bool]
    config: Callable[[], Mapping[str, Any]]
    page: Callable[[], str]


def monitor_app(views: Views, registry: CollectorRegistry) -> web.Application:
    """The application of the monitor's port."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if views.ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="nothing was published yet\n")

    async def metrics(request: web.Request) -> web.Response:
        text, content_type = await exposed(registry, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})

    async def config(_: web.Request) -> web.Response:
        body = orjson.dumps(views.config(), option=orjson.OPT_INDENT_2)
        return web.Response(body=body, content_type="application/json")

    async def overview(_: web.Request) -> web.Response:
        return web.Response(text=views.page(), content_type="text/html", headers=PAGE_HEADERS)

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
            web.get("/config", config),
            web.get("/", overview),
        ]
    )
    return app
