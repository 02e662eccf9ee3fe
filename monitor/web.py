"""The monitor's port: health, metrics, configuration, and the page with its API. Nothing here changes anything.

    GET /api/overview    the monitor now: endpoints as published, probes, prices
    GET /api/stream      server-sent events `overview`

Where routes are evaluated, `monitor.evaluation.web` adds the scoring page.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.edge.assets import page_routes
from gateway.edge.broadcast import Broadcast
from gateway.edge.exposition import exposed

FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Views:
    """What is shown; each is read when asked for."""

    ready: Callable[[], bool]
    config: Callable[[], Mapping[str, Any]]
    overview: Callable[[], Mapping[str, Any]]
    stream: Broadcast


def monitor_app(views: Views, registry: CollectorRegistry, more: Iterable[web.RouteDef] = ()) -> web.Application:
    """The application of the monitor's port, with `more` routes beside its own."""

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
        return web.Response(body=orjson.dumps(views.overview()), content_type="application/json", headers=FRESH)

    async def end_streams(_: web.Application) -> None:
        await views.stream.close()

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
            web.get("/config", config),
            *page_routes("monitor.html"),
            web.get("/api/overview", overview),
            web.get("/api/stream", views.stream.stream),
            *more,
        ]
    )
    app.on_shutdown.append(end_streams)
    return app
