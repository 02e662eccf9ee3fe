"""The admin port: health, metrics, effective configuration, outcomes for the monitor, and the page with its API.

Nothing here changes anything, and no secret, prompt or answer is shown. The page's API:

    GET  /api/overview          the gateway now: totals, today, endpoints
    GET  /api/decisions         the last ones, newest first; ?limit, route, outcome, endpoint, id (its beginning)
    GET  /api/decisions/{id}    the whole record of one
    GET  /api/stream            server-sent events `overview` and `decision`
    POST /api/explain           where a chat completion would go, and why; nothing is sent
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.edge.assets import page_routes
from gateway.edge.broadcast import Broadcast
from gateway.edge.exposition import exposed
from gateway.formats import codec
from gateway.web.app import attended, json_response
from gateway.web.body import BODY_LIMIT_BYTES
from gateway.web.recent import OUTCOMES, ROOM, Filter, Recent, row

LIMIT = 100  # decisions in a list, where the question does not say
FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Views:
    """What the admin port shows; each is read when asked for."""

    ready: Callable[[], str | None]  # None: ready; else why not
    config: Callable[[], Mapping[str, Any]]
    outcomes: Callable[[], bytes]
    overview: Callable[[], Mapping[str, Any]]
    recent: Recent
    stream: Broadcast
    explain: Callable[[web.Request], Awaitable[web.Response]]


def admin_app(views: Views, registry: CollectorRegistry) -> web.Application:
    """The application of the admin port."""
    app = web.Application(middlewares=[attended], client_max_size=BODY_LIMIT_BYTES)
    app.add_routes([*_for_machines(views, registry), *page_routes("index.html"), *_for_the_page(views)])

    async def end_streams(_: web.Application) -> None:
        await views.stream.close()

    app.on_shutdown.append(end_streams)
    return app


def _for_machines(views: Views, registry: CollectorRegistry) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        why_not = views.ready()
        return web.Response(text="ready\n") if why_not is None else web.Response(status=503, text=f"{why_not}\n")

    async def metrics(request: web.Request) -> web.Response:
        text, content_type = await exposed(registry, request.headers.get("Accept", ""))
        return web.Response(body=text, headers={"Content-Type": content_type})

    async def config(_: web.Request) -> web.Response:
        return json_response(views.config())

    async def outcomes(_: web.Request) -> web.Response:
        return web.Response(body=views.outcomes(), content_type="application/json")

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
        web.get("/config", config),
        web.get("/outcomes", outcomes),
    ]


def _for_the_page(views: Views) -> list[web.RouteDef]:
    async def overview(_: web.Request) -> web.Response:
        return _json(views.overview())

    async def decisions(request: web.Request) -> web.Response:
        try:
            wanted, limit = _question(request.query)
        except ValueError as error:
            return _json({"error": {"message": str(error)}}, 400)
        return _json({"decisions": [row(one) for one in views.recent.pick(wanted, limit)], "kept": ROOM})

    async def decision(request: web.Request) -> web.Response:
        found = views.recent.find(request.match_info["id"])
        if found is None:
            message = "there is no such decision among the last ones; the decision stream has them all"
            return _json({"error": {"message": message}}, 404)
        return _json(found)

    async def explain(request: web.Request) -> web.Response:
        return await views.explain(request)

    return [
        web.get("/api/overview", overview),
        web.get("/api/decisions", decisions),
        web.get("/api/decisions/{id}", decision),
        web.get("/api/stream", views.stream.stream),
        web.post("/api/explain", explain),
    ]


def _question(query: Mapping[str, str]) -> tuple[Filter, int]:
    """Raises `ValueError`, which says what would be valid."""
    names = [each.name for each in fields(Filter)]
    valid = ("limit", *names)
    unknown = sorted(set(query) - set(valid))
    if unknown:
        raise ValueError(f"{unknown[0][:100]!r} is not a parameter here; valid: {', '.join(valid)}")
    limit = query.get("limit") or str(LIMIT)
    if not limit.isdecimal() or not 1 <= int(limit[:9]) <= ROOM:
        raise ValueError(f"limit must be a number from 1 to {ROOM}")
    wanted = Filter(**{name: query.get(name, "") for name in names})
    if wanted.outcome and wanted.outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {', '.join(OUTCOMES)}")
    return wanted, int(limit)


def _json(value: Mapping[str, Any], status: int = 200) -> web.Response:
    """By `codec`: a name of a client's making may hold half an emoji."""
    return web.Response(status=status, body=codec.dumps(dict(value)), content_type="application/json", headers=FRESH)
