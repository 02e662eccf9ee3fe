"""An `Upstream` whose answers are scripts, for the walk in virtual time.

A script is a sequence of steps: `Status` (the head), bytes (sent), floats (slept), failure kinds (raised). The limits
of the call are kept as the real client keeps them, and everything that was asked is written down.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.answer import Answer, Exchange
from gateway.upstream.call import Call, Limits
from gateway.upstream.response import Head

HANG = inf  # a step: nothing more ever comes


@dataclass(frozen=True, slots=True)
class Status:
    """The head of an answer."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


Step = Status | bytes | float | FailureKind
Script = Sequence[Step]


@dataclass(slots=True)
class Asked:
    """One call as the upstream saw it."""

    endpoint: str
    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    limits: Limits
    at_s: float
    sent_pieces: int = 0
    aborted_s: float | None = None  # when the gateway dropped the connection
    released: bool = False
    over: bool = field(default=False)


class ScriptedUpstream:
    """Plays, for each endpoint (or else its provider), one script after another; the last one is repeated."""

    def __init__(self, scripts: Mapping[str, Sequence[Script]]) -> None:
        self._scripts = {name: list(played) for name, played in scripts.items()}
        self.calls: list[Asked] = []

    @property
    def tried(self) -> list[str]:
        """Endpoints in the order in which they were asked."""
        return [call.endpoint for call in self.calls]

    async def open(self, call: Call, limits: Limits) -> Answer:
        loop = asyncio.get_running_loop()
        provider = call.origin.host.removesuffix(".test")
        body = json.loads(call.body)
        endpoint = f"{provider}/{body.get('model')}"
        asked = Asked(endpoint, call.path, body, dict((*call.headers, *call.tracing)), limits, loop.time())
        self.calls.append(asked)
        play = _Play(asked, self._next(endpoint, provider), limits)
        return await play.open()

    def _next(self, endpoint: str, provider: str) -> Script:
        scripts = self._scripts.get(endpoint) or self._scripts[provider]
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


class _Play:
    """One exchange; the carrier of its own answer."""

    def __init__(self, asked: Asked, script: Script, limits: Limits) -> None:
        self._asked = asked
        self._script = script
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._exchange = Exchange([], self)
        self._head: asyncio.Future[Head] = self._loop.create_future()
        self._task = self._loop.create_task(self._run())

    async def open(self) -> Answer:
        try:
            head = await asyncio.wait_for(asyncio.shield(self._head), self._until(self._limits.head_s))
        except TimeoutError:
            self.stop()
            raise AttemptError(self._late(FailureKind.ANSWER_TIMEOUT)) from None
        except BaseException:
            if not self._asked.over:
                self.stop()
            raise
        return Answer(head, self._exchange)

    def _until(self, limit_s: float) -> float:
        total_at = self._limits.total_at
        return limit_s if total_at is None else max(0.0, min(limit_s, total_at - self._loop.time()))

    def _late(self, kind: FailureKind) -> Failure:
        total_at = self._limits.total_at
        if total_at is not None and self._loop.time() >= total_at:
            kind = FailureKind.TOTAL_TIMEOUT
        return Failure(kind, f"nothing came in time ({kind.value})")

    async def _run(self) -> None:
        try:
            for step in self._script:
                if not await self._step(step):
                    break
            else:
                self._end(None)
        finally:
            self._asked.over = True
            if not self._head.done():
                self._head.cancel()

    async def _step(self, step: Step) -> bool:
        match step:
            case Status():
                self._begin(step)
            case bytes():
                self._begin(Status(200, (("content-type", "text/event-stream"),)))
                self._exchange.pieces.append(step)
                self._exchange.wake()
                self._asked.sent_pieces += 1
                await asyncio.sleep(0)
            case FailureKind():
                self._end(Failure(step, f"scripted {step.value}"))
                return False
            case _:
                return await self._sleep(float(step))
        return True

    async def _sleep(self, seconds: float) -> bool:
        """Sleep; False where a limit ended the exchange meanwhile."""
        allowed_s = self._until(self._limits.idle_s) if self._head.done() else inf
        if seconds <= allowed_s:
            await (asyncio.Event().wait() if seconds == inf else asyncio.sleep(seconds))
            return True
        await asyncio.sleep(allowed_s)
        self._asked.aborted_s = self._loop.time()
        self._end(self._late(FailureKind.IDLE_TIMEOUT))
        return False

    def _begin(self, status: Status) -> None:
        if not self._head.done():
            self._head.set_result(Head(status.status, dict(status.headers)))

    def _end(self, failure: Failure | None) -> None:
        if failure is not None and not self._head.done():
            self._head.set_exception(AttemptError(failure))
        self._exchange.finish(failure)

    # -- what the reader commands ------------------------------------------------------------------------------------

    def stop(self) -> None:
        if not self._asked.over:
            self._asked.aborted_s = self._loop.time()
        self._task.cancel()

    def resume(self) -> None:
        pass

    def linger(self) -> None:
        self._asked.released = True
