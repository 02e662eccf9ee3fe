"""Requests that are no HTTP, answered as everything else here is: in JSON, without a word of what was sent.

aiohttp's own answer names its version and repeats the offending line, which may hold a key.
"""

from aiohttp import web

from gateway.core.ask import Surface
from gateway.formats.registry import surface
from gateway.formats.surface import ClientError

NOT_HTTP = ClientError(400, "the request is not valid HTTP", "invalid_request_error", code="invalid_request")


class CalmHandler(web.RequestHandler):
    """aiohttp's protocol of one connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what the parser refused; the connection is closed after it."""
        if status != NOT_HTTP.status:
            return super().handle_error(request, status, exc, message)
        body = surface(Surface.CHAT).error_body(NOT_HTTP)
        response = web.Response(status=status, body=body, content_type="application/json")
        response.headers["Server"] = "pointsman"
        response.force_close()
        return response
