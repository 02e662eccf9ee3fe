"""Keeping an answer: for the record only where the route asks for it and every label of the request allows it, for
evaluation of requests that were drawn."""

from collections.abc import Sequence

from gateway.core.decision import Considered
from gateway.core.sensitivity import content_allowed
from gateway.flow.ports import ReplySink
from gateway.flow.run import Run

KEPT_BYTES = 1024 * 1024  # of one answer: a record is a line that people and sinks must be able to handle


def keeps_texts(considered: Considered) -> bool:
    return considered.route.record_full and content_allowed(considered.labels)


class KeepingSink:
    """Passes an answer on, and keeps in the run what the client got of it: its JSON, or the events of its stream."""

    def __init__(self, sink: ReplySink, run: Run) -> None:
        self._sink = sink
        self._run = run
        self._readable = True

    def whole(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self._keep(body)
        self._sink.whole(status, headers, body)

    async def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self._readable = not dict(headers).get("content-type", "").startswith("audio/")
        await self._sink.head(status, headers)

    async def chunk(self, data: bytes) -> None:
        if self._readable:
            self._keep(data)
        await self._sink.chunk(data)

    async def end(self) -> None:
        await self._sink.end()

    def abort(self) -> None:
        self._sink.abort()

    def _keep(self, data: bytes) -> None:
        self._run.answer += data[: KEPT_BYTES - len(self._run.answer)]
