"""The admin port: health, metrics, effective configuration, outcomes for the monitor, and a plain page for people.

Nothing here changes anything, and no secret is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.web.app import json_response
from gateway.web.page import page


@dataclass(frozen=True, slots=True)
class Views:
    """What the admin port shows; each is read when asked for."""

    ready: Callable[[], str | None]  # None: ready; else why not
    config: Callable[[], Mapping[str, Any]]
    outcomes: Callable[[], bytes]
    overview: Callable[[], Mapping[str, Any]]


def admin_app(views: Views, registry: CollectorRegistry) -> web.Application:
    """The application of the admin port."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        why_not = views.ready()
        return web.Response(text="ready\n") if why_not is None else web.Response(status=503, text=f"{why_not}\n")

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def config(_: web.Request) -> web.Response:
        return json_response(views.config())

    async def outcomes(_: web.Request) -> web.Response:
        return web.Response(body=views.outcomes(), content_type="application/json")

    async def overview(_: web.Request) -> web.Response:
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return web.Response(text=page(views.overview()), content_type="text/html", headers=headers)

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
            web.get("/config", config),
            web.get("/outcomes", outcomes),
            web.get("/", overview),
        ]
    )
    return app
