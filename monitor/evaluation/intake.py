"""Takes halves in from the gateways: `POST /api/evaluation/halves`.

Only who may hand over halves is listened to (`gate`), and they can spend no more than the budgets of the configuration.
The couriers of the gateways try again where the answer is 503 or 401, and drop what is refused otherwise.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web

from gateway.core.evaluation import PATH, Half, HalfError, decode_halves
from monitor.evaluation.gate import Gate
from monitor.evaluation.store import Store, StoreError
from monitor.evaluation.turns import Turns

BODY_LIMIT = 16 << 20  # a batch of a gateway has about 4 MB at most
RETRY_AFTER_S = 2  # at least; couriers wait longer each time
AT_ONCE = 2  # requests whose halves are being kept: a store that hangs shall hold no more threads than these

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Taken:
    """Counts for metrics, since the start, in halves; the last two in requests."""

    new: int = 0
    known: int = 0  # handed over before
    refused: int = 0
    unauthorized: int = 0


class Intake:
    def __init__(self, store: Store, gate: Gate, epoch_s: Callable[[], float], wake: Callable[[], None]) -> None:
        """`wake` is called when something has come in."""
        self._store = store
        self._gate = gate
        self._epoch_s = epoch_s
        self._wake = wake
        self._failing = ""
        self._turns = Turns(AT_ONCE)
        self._turned_away = ""  # why, when it was last said
        self.taken = Taken()

    def route(self) -> web.RouteDef:
        return web.post(PATH, self._take)

    async def _take(self, request: web.Request) -> web.Response:
        why = self._gate.refusal(request.remote, request.headers)
        if why is not None:
            return self._unauthorized(request.remote, why)
        if request.content_type != "application/json":  # which no other site's page can send
            return self._refused(415, "send the halves as application/json")
        body = await read_up_to(request, BODY_LIMIT)
        if body is None:
            return self._refused(413, f"send at most {BODY_LIMIT >> 20} MiB at a time")
        try:
            halves = await asyncio.to_thread(decode_halves, body)
            new = await self._turns.take(lambda: self._add(halves))
        except HalfError as error:
            return self._refused(400, str(error))
        except StoreError as error:
            if self._failing != str(error):
                self._failing = str(error)
                log.warning("halves of pairs cannot be kept now: %s", error)
            return answered(503, "the store of evaluations does not answer", retry_after_s=RETRY_AFTER_S)
        self._failing = self._turned_away = ""
        self.taken.new += new
        self.taken.known += len(halves) - new
        self._wake()
        return web.json_response({"new": new, "known": len(halves) - new})

    def _add(self, halves: list[Half]) -> int:
        return self._store.add(halves, self._epoch_s()) if halves else 0

    def _unauthorized(self, remote: str | None, why: str) -> web.Response:
        """Without reading what they brought."""
        self.taken.unauthorized += 1
        if self._turned_away != why:
            self._turned_away = why
            log.warning("halves of pairs from %s are refused: %s", remote, why)
        response = answered(401, why)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def _refused(self, status: int, message: str) -> web.Response:
        self.taken.refused += 1
        return answered(status, message)


def answered(status: int, message: str, retry_after_s: int | None = None) -> web.Response:
    """An error in words."""
    body = msgspec.json.encode({"error": {"message": message}})
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)


async def read_up_to(request: web.Request, limit: int) -> bytes | None:
    """The body; None where it is longer than any that could be meant."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)
