"""One simulated vendor as a running server: what it was asked, answered, charged, and how it misbehaves.

Owns the walk of a request (record, fault, key, read, answer, bill) and the vendor's state. Wire formats, faults
and pacing live in their own files; the control endpoints in `control`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from loadtest.anthropic_api import ANTHROPIC
from loadtest.asks import ApiError
from loadtest.billing import Bill, Tokens
from loadtest.faults import HEADER, Fault, FaultBook, break_of, fault_from_header
from loadtest.generation import Answer, generate
from loadtest.openai_api import OPENAI
from loadtest.prompt_cache import PromptCache
from loadtest.quality import FLAWLESS, Quality
from loadtest.sending import Meter, Sender, Sleep, pace_of, reset
from loadtest.vendors import Vendor
from loadtest.wire import Reply, Surface, WireFormat, reporting_of

Json = Any  # a parsed JSON value

WIRE_FORMATS: Mapping[str, WireFormat] = {"openai": OPENAI, "anthropic": ANTHROPIC}
MAX_BODY_BYTES = 64 * 1024 * 1024  # twice what the gateway accepts
_RECORDED = 100
_RECORDED_BODY_BYTES = 256 * 1024
_NOTHING = Fault()
_HTML = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
# What reading a body of the wrong shape raises: answered as the client's mistake, as real vendors do.
_MISSHAPEN = (KeyError, TypeError, AttributeError, ValueError, IndexError)


@dataclass(slots=True)
class VendorServer:
    """A vendor's state and its request handler. `speed` scales its pace; `None` never waits."""

    vendor: Vendor
    speed: float | None = 1.0
    sleep: Sleep = asyncio.sleep
    now_s: Callable[[], float] = time.time
    required_key: str | None = None
    bill: Bill = field(default_factory=Bill)
    faults: FaultBook = field(default_factory=FaultBook)
    quality: Quality = FLAWLESS
    requests: deque[dict[str, Json]] = field(default_factory=lambda: deque(maxlen=_RECORDED))
    _cache: PromptCache = field(default_factory=PromptCache)
    _answers: int = 0

    def reset(self) -> None:
        """As if just started."""
        self.bill = Bill()
        self.faults.clear()
        self.requests.clear()
        self.required_key = None
        self.quality = FLAWLESS
        self._cache = PromptCache()
        self._answers = 0

    @property
    def wire_format(self) -> WireFormat:
        return WIRE_FORMATS[self.vendor.api]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers any request to the vendor's API."""
        raw = await request.read()
        body = _parsed(raw)
        self._record(request, raw)
        fault = self._fault(request, body)
        try:
            if (instead := await self._instead(request, fault)) is not None:
                return instead
            self._check_key(request)
            return await self._answer(request, body, fault)
        except ApiError as error:
            return self._refusal(error, {})

    def _record(self, request: web.Request, raw: bytes) -> None:
        self.requests.append(
            {
                "at_s": self.now_s(),
                "peer": request.remote,
                "method": request.method,
                "path": request.path_qs,
                "headers": [[name, value] for name, value in request.headers.items()],
                "body": raw[:_RECORDED_BODY_BYTES].decode("utf-8", "replace"),
            }
        )

    def _fault(self, request: web.Request, body: Mapping[str, Json] | None) -> Fault:
        if HEADER in request.headers:
            try:
                return fault_from_header(request.headers[HEADER])
            except ValueError as error:
                raise web.HTTPBadRequest(text=str(error)) from error
        given = body or {}
        return self.faults.take(_versioned(request.path), given.get("model"), bool(given.get("stream"))) or _NOTHING

    async def _instead(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        """The response that a fault puts in the place of an answer; `None` where it leaves room for one."""
        has_status = fault.status is not None and fault.error_event_after is None  # else it is the error event's
        if not (fault.drop_before_head or fault.html_502 or fault.body is not None or has_status):
            return None
        if fault.delay_first_byte_ms:
            await self.sleep(fault.delay_first_byte_ms / 1000)
        if fault.drop_before_head:
            reset(request)
            return web.Response()  # goes nowhere: the connection is gone
        if fault.html_502:
            return web.Response(status=502, text=_HTML, content_type="text/html")
        if fault.body is not None:
            kind = fault.content_type or "application/json"
            headers = {"content-type": kind, **(fault.headers or {})}
            return web.Response(status=fault.status or 200, body=fault.body.encode(), headers=headers)
        return self._refusal(self.wire_format.fault_error(fault), self._fault_headers(fault))

    def _fault_headers(self, fault: Fault) -> dict[str, str]:
        headers: dict[str, str] = {}
        wait_s = 1.0 if fault.status == 429 and fault.retry_after_s is None else fault.retry_after_s
        if wait_s is not None:
            headers |= (
                self.wire_format.rate_limit_headers(wait_s) if fault.status == 429 else {"retry-after": f"{wait_s:g}"}
            )
        return headers | dict(fault.headers or {})

    def _refusal(self, error: ApiError, headers: Mapping[str, str]) -> web.Response:
        body = orjson.dumps(self.wire_format.error_body(error))
        return web.Response(status=error.status, body=body, content_type="application/json", headers=headers)

    def _check_key(self, request: web.Request) -> None:
        given = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.required_key is not None and given != self.required_key:
            raise self.wire_format.fault_error(Fault(status=401, message="Incorrect API key provided."))

    async def _answer(self, request: web.Request, body: Mapping[str, Json] | None, fault: Fault) -> web.StreamResponse:
        wire = self.wire_format
        path = _versioned(request.path)
        if request.method == "GET" and path == "/v1/models":
            return web.json_response(wire.models(self.vendor))
        if request.method != "POST" or path not in (*wire.surfaces, *wire.lookups):
            raise wire.fault_error(Fault(status=404, message=f"Invalid URL ({request.method} {request.path})"))
        if body is None:
            raise wire.fault_error(Fault(status=400, message="We could not parse the JSON body of your request."))
        if path in wire.lookups:
            return await self._look_up(request, body, fault)
        surface = wire.surfaces[path]
        reply = self._reply(surface, body, fault)
        return await self._send(request, surface, reply, fault, streamed=bool(body.get("stream")))

    async def _look_up(self, request: web.Request, body: Mapping[str, Json], fault: Fault) -> web.StreamResponse:
        try:
            result, consumed = self.wire_format.lookups[_versioned(request.path)](body, self.vendor)
        except _MISSHAPEN as error:
            raise self._misshapen(error) from error
        meter = Meter()
        response = await self._sender(request, fault).whole(orjson.dumps(result), 0, break_of(fault), meter)
        if consumed is not None and meter.events:
            self._charge(result["model"], consumed)
        return response

    def _reply(self, surface: Surface, body: Mapping[str, Json], fault: Fault) -> Reply:
        try:
            ask = surface.read(body, self.vendor)
            answer = generate(ask, f"{ask.model.id} at {self.vendor.id}", self._cache, self.quality)
        except _MISSHAPEN as error:
            raise self._misshapen(error) from error
        self._answers += 1
        return Reply(
            ask=ask,
            answer=answer,
            serial=self._answers,
            vendor_id=self.vendor.id,
            created_s=int(self.now_s()),
            include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
            reporting=reporting_of(fault),
        )

    def _misshapen(self, error: Exception) -> ApiError:
        message = f"Your request has a field of the wrong shape ({type(error).__name__}: {error})."
        return self.wire_format.fault_error(Fault(status=400, message=message))

    async def _send(
        self, request: web.Request, surface: Surface, reply: Reply, fault: Fault, *, streamed: bool
    ) -> web.StreamResponse:
        sender, broken, meter = self._sender(request, fault), break_of(fault), Meter()
        wire = self.wire_format
        error = wire.fault_error(Fault(status=fault.status, message=fault.message, code=fault.code))
        try:
            if streamed:
                frames = surface.frames(reply)
                return await sender.stream(frames, broken, meter, wire.error_frame(error), wire.keepalives)
            if fault.error_event_after is not None:  # an error with a 200 over it, as OpenRouter sends
                return web.json_response(wire.error_body(error))
            return await sender.whole(orjson.dumps(surface.whole(reply)), reply.answer.usage.output, broken, meter)
        finally:
            if meter.events:
                self._charge(reply.ask.model.id, _delivered(reply.answer, meter))

    def _sender(self, request: web.Request, fault: Fault) -> Sender:
        pace = pace_of(self.vendor, fault, self.speed)
        return Sender(request, pace, self.sleep, segments_of_one_byte=bool(fault.byte_by_byte))

    def _charge(self, model_id: str, consumed: Tokens) -> None:
        model = self.vendor.model(model_id)
        assert model is not None
        self.bill.charge(model, consumed)


def _delivered(answer: Answer, meter: Meter) -> Tokens:
    """The answer's usage, with no more output than was sent."""
    usage = answer.usage
    return Tokens(usage.input, meter.tokens, usage.cached, usage.cache_write, min(usage.reasoning, meter.tokens))


def _versioned(path: str) -> str:
    """The path with its version: base URLs are written with and without it."""
    return path if path.startswith("/v1/") else f"/v1{path}"


def _parsed(raw: bytes) -> Mapping[str, Json] | None:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
