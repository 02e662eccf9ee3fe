"""Where the walk's answer goes: an aiohttp response."""

from collections.abc import Sequence

from aiohttp import web
from multidict import CIMultiDict

from gateway.flow.ports import ClientGone


class WebSink:
    """The reply of one request. `response` is what the handler returns."""

    __slots__ = ("_request", "_stream", "response")

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._stream: web.StreamResponse | None = None
        self.response: web.StreamResponse | None = None

    def whole(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Answer in one piece."""
        self.response = web.Response(status=status, headers=CIMultiDict(headers), body=body)

    async def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin a stream."""
        stream = web.StreamResponse(status=status, headers=CIMultiDict(headers))
        self._stream = self.response = stream
        try:
            await stream.prepare(self._request)
        except ConnectionError as error:
            raise ClientGone from error

    async def chunk(self, data: bytes) -> None:
        """Write a piece; waits while the client is slower than the upstream."""
        stream = self._begun()
        try:
            await stream.write(data)
        except ConnectionError as error:
            raise ClientGone from error

    async def end(self) -> None:
        stream = self._begun()
        try:
            await stream.write_eof()
        except ConnectionError as error:
            raise ClientGone from error

    def abort(self) -> None:
        """Cut the connection, so that the client sees that something is missing."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def _begun(self) -> web.StreamResponse:
        assert self._stream is not None, "head comes before chunk and end"
        return self._stream
