"""The client API: one handler for every surface, explain, feedback and the list of models.

A handler reads the request and takes it to the desk. How refusals look is the surface's business, which statuses they
have that of `flow.faults`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from gateway.core.ask import Surface
from gateway.core.record import feedback
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.flow import faults
from gateway.flow.answer import Walk
from gateway.flow.consider import Planner
from gateway.flow.ending import REFUSAL
from gateway.flow.ports import ClientGone
from gateway.formats.registry import surface as surface_named
from gateway.formats.registry import surfaces
from gateway.formats.surface import ClientError, ClientSurface
from gateway.web.auth import Door
from gateway.web.body import parse_json, read_body
from gateway.web.desk import Desk
from gateway.web.explaining import explain
from gateway.web.listing import models_page, one_model
from gateway.web.sink import WebSink

log = logging.getLogger(__name__)


class Api:
    """Handlers of the client port."""

    def __init__(self, walk: Walk, door: Door, keep: Callable[[Mapping[str, Any]], None]) -> None:
        self.desk = Desk(walk, door)
        self._walk = walk
        self._keep = keep

    def routes(self) -> list[web.RouteDef]:
        """All routes of the client port."""
        return [
            *(web.post(surface.path, self._handler(surface)) for surface in surfaces().values()),
            web.post("/v1/explain", self.explain),
            web.post("/v1/feedback", self.feedback),
            *(web.route(method, "/v1/responses/{id:.+}", self.nothing_stored) for method in ("GET", "POST", "DELETE")),
            web.get("/v1/models", self.models),
            web.get("/v1/models/{id:.+}", self.model),
            web.get("/", self.hello),
        ]

    def _handler(self, surface: ClientSurface) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            sink = WebSink(request)
            try:
                await self._answer(request, surface, sink)
            except ClientGone:
                raise
            except Exception:
                if sink.response is None:
                    raise
                log.exception("a stream failed by a fault of the gateway")
                sink.abort()
            assert sink.response is not None, "the walk always answers"
            return sink.response

        return handle

    async def _answer(self, request: web.Request, surface: ClientSurface, sink: WebSink) -> None:
        headers = _headers(request)
        try:
            self.desk.check(headers)
            raw = await read_body(request)
        except Refused as refused:
            self.desk.turn_away(surface, headers, refused, sink)
            return
        except asyncio.CancelledError:
            if not self.desk.ending.takes_back():
                raise
            self.desk.turn_away(surface, headers, Refused(REFUSAL), sink)
            return
        await self.desk.answer(surface, headers, raw, sink)

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """The whole decision of a chat completion, without sending it."""
        return await explain(self.desk, self._walk, request)

    async def feedback(self, request: web.Request) -> web.StreamResponse:
        """A client's judgement of an earlier answer, into the decision stream."""
        surface = surface_named(Surface.CHAT)
        try:
            self.desk.check(_headers(request))
            row = _feedback_row(parse_json(await read_body(request)), self.desk.clock.epoch_s())
        except Refused as refused:
            return _shown(surface, faults.of_refusal(refused.refusal))
        self._keep(row)
        return _json({"status": "recorded", "decision": row["decision"]})

    async def models(self, request: web.Request) -> web.StreamResponse:
        """Every name that `model` may have."""
        return self._listed(request, lambda planner: models_page(planner.world, planner.keyless()))

    async def model(self, request: web.Request) -> web.StreamResponse:
        """One of them."""
        name = request.match_info["id"]
        return self._listed(request, lambda planner: one_model(planner.world, planner.keyless(), name))

    def _listed(self, request: web.Request, page: Callable[[Planner], Mapping[str, Any]]) -> web.Response:
        try:
            self.desk.check(_headers(request))
            return _json(page(self._walk.parts.planner))
        except Refused as refused:
            return _shown(surface_named(Surface.CHAT), faults.of_refusal(refused.refusal))

    async def nothing_stored(self, request: web.Request) -> web.StreamResponse:
        """Looking up, cancelling or deleting an earlier answer: none is kept."""
        self.desk.check(_headers(request))
        name = request.match_info["id"][:200]
        message = f"there is no response {name!r}: answers are not stored here (store: false)"
        advice = "send the conversation in input instead"
        error = ClientError(404, f"{message}; {advice}", "invalid_request_error", "not_found")
        return _shown(surface_named(Surface.RESPONSES), faults.Fault(error))

    async def hello(self, request: web.Request) -> web.StreamResponse:
        """Claude Code asks `HEAD /` before anything else; a person may open it in a browser."""
        return _json({"service": "pointsman", "api": "/v1", "models": "/v1/models"})


def _headers(request: web.Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _shown(surface: ClientSurface, fault: faults.Fault) -> web.Response:
    body = surface.error_body(fault.error)
    headers = dict(fault.headers)
    return web.Response(status=fault.error.status, headers=headers, body=body, content_type="application/json")


def _json(value: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


COMMENT_LIMIT_CHARS = 4_000


def _feedback_row(body: Mapping[str, Any], epoch_s: float) -> dict[str, Any]:
    decision, score, comment = body.get("decision"), body.get("score"), body.get("comment")
    unknown = sorted(set(body) - {"decision", "score", "comment"})
    if unknown:
        raise _wrong(unknown[0], "unknown field; valid: decision, score, comment")
    if not isinstance(decision, str) or not 0 < len(decision) <= 64:
        raise _wrong("decision", "must be the id from the x-pointsman-decision header of the answer")
    if isinstance(score, bool) or not isinstance(score, int | float) or not -1 <= score <= 1:
        raise _wrong("score", "must be a number from -1 (bad) to 1 (good)")
    if comment is not None and (not isinstance(comment, str) or len(comment) > COMMENT_LIMIT_CHARS):
        raise _wrong("comment", f"must be a text of at most {COMMENT_LIMIT_CHARS} characters")
    return feedback(decision, float(score), comment, epoch_s)


def _wrong(param: str, message: str) -> Refused:
    return Refused(Refusal(RefusalKind.INVALID_REQUEST, f"{param}: {message}", param=param))
