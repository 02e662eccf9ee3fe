"""From a request's headers and bytes to its answer in a sink: the part of the client API that knows no HTTP library.

Both doors lead here, aiohttp's handlers (`api`) and the fast lane (`lane`). What is no request is refused in the words
of its surface and still written down; which statuses refusals have is known by `flow.faults`.
"""

from collections.abc import Mapping
from typing import Any

from gateway.core.ask import Ask, Form, Surface, Survey
from gateway.core.compat.wishes import matched_headers, read_wishes
from gateway.core.decision import Outcome
from gateway.core.extras import NO_EXTRAS, BadExtra
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.core.trace import Trace
from gateway.flow import faults
from gateway.flow.answer import Walk
from gateway.flow.ports import ReplySink
from gateway.flow.run import Request, Run
from gateway.flow.stage import Client, Moment
from gateway.flow.tokens import count_tokens
from gateway.formats.passed.forms import is_form, read_form, without_parts
from gateway.formats.surface import BadRequest, ClientError, ClientSurface
from gateway.formats.surfaces.passed import PassedSurface
from gateway.web.auth import Door
from gateway.web.body import parse_json

INTERNAL = ClientError(500, "internal error; the gateway's log says more", "api_error")
NO_SURVEY = Survey("", "", (), 0, (), 0, 0, 0, False, frozenset(), "", frozenset(), None, False)
JSON_TYPE = ("content-type", "application/json")

Headers = Mapping[str, str]  # names in lower case


class Unreadable(Exception):
    """What came is no request that can be answered; carries why, and what could be read of it."""

    def __init__(self, fault: faults.Fault, request: Request) -> None:
        super().__init__(fault.error.message)
        self.fault = fault
        self.request = request


class Desk:
    """Takes in requests. One per process."""

    def __init__(self, walk: Walk, door: Door) -> None:
        self._walk = walk
        self._door = door
        self.clock = walk.clock
        self.ending = walk.ending

    def check(self, headers: Headers) -> None:
        """Whether the client may come in, asked before its body is read.

        Raises:
            Refused: it may not.
        """
        self._door.enter(headers)

    async def answer(self, surface: ClientSurface, headers: Headers, raw: bytes | bytearray, sink: ReplySink) -> None:
        """Answer a request, whatever it says; `raw` is its whole body. Cancellation as for `Walk.answer`."""
        try:
            request = self.read(surface, headers, raw)
        except Unreadable as unreadable:
            self._refuse(unreadable, sink)
            return
        if surface.surface is Surface.COUNT_TOKENS:
            await count_tokens(self._walk, request, sink)
        else:
            await self._walk.answer(request, sink)

    def turn_away(self, surface: ClientSurface, headers: Headers, refused: Refused, sink: ReplySink) -> None:
        """Answer a request whose body was not read, or not in full."""
        ask = Ask(surface.surface, "", False, {}, NO_SURVEY)
        request_id = self.clock.new_id()
        trace = self._traced(request_id, headers)
        request = Request(request_id, ask, NO_EXTRAS, Client(None, headers), surface, self._moment(), trace)
        self._refuse(Unreadable(faults.of_refusal(refused.refusal), request), sink)

    def broken(self, surface: ClientSurface, sink: ReplySink) -> None:
        """Answer a request that failed by a fault of the gateway."""
        sink.whole(INTERNAL.status, (JSON_TYPE,), surface.error_body(INTERNAL))

    def read(self, surface: ClientSurface, headers: Headers, raw: bytes | bytearray) -> Request:
        """The request as a value.

        Raises:
            Unreadable: it is not one.
        """
        request_id, moment = self.clock.new_id(), self._moment()
        trace = self._traced(request_id, headers)
        client = Client(None, headers)
        name, stream = "", False
        try:
            client = Client(self._door.enter(headers), headers)
            form, given = _content(surface, headers, raw)
            name, stream = str(given.get("model", ""))[:256], given.get("stream") is True
            policy = self._walk.parts.planner.world.policy
            extras, body = read_wishes(given, headers, policy, request_id, surface.path)
            client = Client(client.key_id, matched_headers(headers, policy))
            if extras.models and "model" not in body:
                body["model"] = extras.models[0]
            if form is not None and isinstance(surface, PassedSurface):
                ask = surface.parse_form(without_parts(form, given.keys() - body.keys()), body, len(raw))
            else:
                ask = surface.parse(body, len(raw), headers)
            return Request(request_id, ask, extras, client, surface, moment, trace)
        except Refused as refused:
            fault = faults.of_refusal(refused.refusal)
        except BadExtra as extra:
            message = f"{extra.param}: {extra.message}"
            fault = faults.of_refusal(Refusal(RefusalKind.INVALID_REQUEST, message, param=extra.param))
        except BadRequest as bad:
            fault = faults.of_bad_request(bad)
        ask = Ask(surface.surface, name, stream, {}, NO_SURVEY)
        raise Unreadable(fault, Request(request_id, ask, NO_EXTRAS, client, surface, moment, trace))

    def _moment(self) -> Moment:
        return Moment(self.clock.epoch_s(), self.clock.now_s())

    def _traced(self, request_id: str, headers: Headers) -> Trace | None:
        sampling = self._walk.sampling
        return None if sampling is None else sampling.begin(request_id, headers)

    def _refuse(self, unreadable: Unreadable, sink: ReplySink) -> None:
        fault, request = unreadable.fault, unreadable.request
        status, message = fault.error.status, fault.error.message
        if status != 401:  # a flood of wrong keys must not become a flood of records
            self._walk.record(Run(request, outcome=Outcome.REJECTED, status=status, error=message))
        headers = [JSON_TYPE, *fault.headers, ("x-pointsman-decision", request.id)]
        sink.whole(status, headers, request.surface.error_body(fault.error))


def _content(
    surface: ClientSurface, headers: Headers, raw: bytes | bytearray
) -> tuple[Form | None, dict[str, Any]]:
    """The body as a JSON object; where the surface takes a form and one came, its text fields and the form itself."""
    if isinstance(surface, PassedSurface) and surface.takes_form and is_form(headers.get("content-type", "")):
        return read_form(headers["content-type"], raw)
    return None, parse_json(raw)
