"""The client API: one handler for every surface, explain, feedback and the list of models.

A handler reads, parses and hands over to the walk; how refusals look is the surface's business, which statuses they
have that of `flow.faults`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from gateway.core.ask import Ask, Surface, Survey
from gateway.core.decision import Outcome, feedback
from gateway.core.extras import NO_EXTRAS, BadExtra, read_extras
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.flow import faults
from gateway.flow.answer import Walk
from gateway.flow.consider import Client, Moment, Planner
from gateway.flow.explain import explained
from gateway.flow.run import Request, Run
from gateway.flow.tokens import count_tokens
from gateway.formats.registry import surface as surface_named
from gateway.formats.surface import BadRequest, ClientSurface
from gateway.web.auth import Door
from gateway.web.body import parse_json, read_body
from gateway.web.listing import models_page, one_model
from gateway.web.sink import WebSink

NO_SURVEY = Survey("", "", (), 0, (), 0, 0, 0, False, frozenset(), "", frozenset(), None, False)


class Api:
    """Handlers of the client port."""

    def __init__(self, walk: Walk, door: Door, keep: Callable[[Mapping[str, Any]], None]) -> None:
        self._walk = walk
        self._door = door
        self._keep = keep
        self._clock = walk.clock

    def routes(self) -> list[web.RouteDef]:
        """All routes of the client port."""
        served = (Surface.CHAT, Surface.COMPLETIONS, Surface.MESSAGES, Surface.EMBEDDINGS, Surface.COUNT_TOKENS)
        return [
            *(web.post(surface_named(s).path, self._handler(surface_named(s))) for s in served),
            web.post("/v1/explain", self.explain),
            web.post("/v1/feedback", self.feedback),
            web.get("/v1/models", self.models),
            web.get("/v1/models/{id:.+}", self.model),
            web.get("/", self.hello),
        ]

    def _handler(self, surface: ClientSurface) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, surface)

        return handle

    async def _answer(self, request: web.Request, surface: ClientSurface) -> web.StreamResponse:
        sink = WebSink(request)
        moment = self._moment()
        try:
            parsed = await self._read(request, surface, moment)
        except _Unreadable as unreadable:
            return self._refuse(surface, unreadable)
        if surface.surface is Surface.COUNT_TOKENS:
            await count_tokens(self._walk, parsed, sink)
        else:
            await self._walk.answer(parsed, sink)
        assert sink.response is not None, "the walk always answers"
        return sink.response

    def _moment(self) -> Moment:
        return Moment(self._clock.epoch_s(), self._clock.now_s())

    async def _read(self, request: web.Request, surface: ClientSurface, moment: Moment) -> Request:
        """The request as a value.

        Raises:
            _Unreadable: it is not one; says why, with what could be read.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        client = Client(None, headers)
        name, stream, fault = "", False, None
        request_id = self._clock.new_id()
        try:
            client = Client(self._door.enter(headers), headers)
            raw = await read_body(request)
            given = parse_json(raw)
            name, stream = str(given.get("model", ""))[:256], given.get("stream") is True
            extras, body = read_extras(given, headers, self._walk.parts.planner.world.policy)
            if extras.models and "model" not in body:
                body["model"] = extras.models[0]
            ask = surface.parse(body, len(raw), headers)
            return Request(request_id, ask, extras, client, surface, moment)
        except Refused as refused:
            fault = faults.of_refusal(refused.refusal)
        except BadExtra as bad:
            message = f"{bad.param}: {bad.message}"
            fault = faults.of_refusal(Refusal(RefusalKind.INVALID_REQUEST, message, param=bad.param))
        except BadRequest as bad:
            fault = faults.of_bad_request(bad)
        ask = Ask(surface.surface, name, stream, {}, NO_SURVEY)
        raise _Unreadable(fault, Request(request_id, ask, NO_EXTRAS, client, surface, moment))

    def _refuse(self, surface: ClientSurface, unreadable: "_Unreadable") -> web.Response:
        fault = unreadable.fault
        if fault.error.status != 401:  # a flood of wrong keys must not become a flood of records
            status, message = fault.error.status, fault.error.message
            self._walk.record(Run(unreadable.request, outcome=Outcome.REJECTED, status=status, error=message))
        response = _shown(surface, fault)
        response.headers["x-pointsman-decision"] = unreadable.request.id
        return response

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """The whole decision of a chat completion, without sending it."""
        surface = surface_named(Surface.CHAT)
        try:
            parsed = await self._read(request, surface, self._moment())
        except _Unreadable as unreadable:
            return _shown(surface, unreadable.fault)
        return _json(explained(self._walk, parsed))

    async def feedback(self, request: web.Request) -> web.StreamResponse:
        """A client's judgement of an earlier answer, into the decision stream."""
        surface = surface_named(Surface.CHAT)
        try:
            self._door.enter({name.lower(): value for name, value in request.headers.items()})
            row = _feedback_row(parse_json(await read_body(request)), self._clock.epoch_s())
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
            self._door.enter({name.lower(): value for name, value in request.headers.items()})
            return _json(page(self._walk.parts.planner))
        except Refused as refused:
            return _shown(surface_named(Surface.CHAT), faults.of_refusal(refused.refusal))

    async def hello(self, request: web.Request) -> web.StreamResponse:
        """Claude Code asks `HEAD /` before anything else; a person may open it in a browser."""
        return _json({"service": "pointsman", "api": "/v1", "models": "/v1/models"})


class _Unreadable(Exception):
    def __init__(self, fault: faults.Fault, request: Request) -> None:
        super().__init__(fault.error.message)
        self.fault = fault
        self.request = request


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
