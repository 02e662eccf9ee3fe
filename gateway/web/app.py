"""The listening servers: the client API behind its doorkeeper, and the drain that lets streams finish."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from gateway.core.ask import Surface
from gateway.core.refusal import Refused
from gateway.flow import faults
from gateway.flow.ports import ClientGone
from gateway.formats.registry import surface
from gateway.formats.surface import ClientError
from gateway.web.api import Api
from gateway.web.body import BODY_LIMIT_BYTES
from gateway.web.counts import Counts
from gateway.web.desk import INTERNAL
from gateway.web.guard import KEEPALIVE_S, Doorkeeper
from gateway.web.lane import Lane
from gateway.web.lanes import Front, Lanes
from gateway.web.unhttp import CalmHandler

BACKLOG = 1_024
# Of a drain's time: for requests that outlast it to tell their clients so, and to be recorded.
LAST_WORDS_S = 2.0  # at most, ...
LAST_WORDS_SHARE = 0.5  # ... and no more than this of it
FLUSH_S = 5.0  # of what is left of it then, for the last bytes of answers; ...
FLUSH_LEAST_S = 1.0  # ... where nothing is left, this

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Listening:
    """One server that accepts connections. `active` counts requests that have begun and not ended."""

    runner: web.AppRunner
    keeper: Doorkeeper
    lanes: Lanes | None
    server: asyncio.Server
    watcher: asyncio.Task[None]
    counts: Counts

    @property
    def port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    async def drain(self, grace_s: float) -> int:
        """Accept no more, wait for what runs, close. Returns how many requests had to be cut off.

        The last of the `grace_s` is for telling their clients, as far as they read.
        """
        self.server.close()
        if self.lanes is not None:
            self.lanes.retire()
        until_s = asyncio.get_running_loop().time() + grace_s
        words_s = min(LAST_WORDS_S, grace_s * LAST_WORDS_SHARE)
        left = await self._settled(grace_s - words_s)
        if left and self.lanes is not None:
            self.lanes.break_off()
            await self.counts.settled(words_s)
        await self._close(until_s)
        return left

    async def _close(self, until_s: float) -> None:
        """Cut what is unfinished, and send the rest of what is not."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + max(FLUSH_LEAST_S, min(FLUSH_S, until_s - loop.time()))
        if self.lanes is not None:
            self.lanes.end()
        await self.runner.cleanup()
        await self.keeper.emptied(until_s - loop.time())
        await self.counts.settled(FLUSH_LEAST_S)  # what was cut has been recorded then
        self.watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.watcher

    async def _settled(self, grace_s: float) -> int:
        """Wait for what runs, and for what a client may still ask on a connection that it was told it may keep."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + grace_s
        left = await self.counts.settled(grace_s)
        while left == 0 and loop.time() < until_s and self.lanes is not None and await self.lanes.parting():
            left = await self.counts.settled(until_s - loop.time())
        return left


async def listen(app: web.Application, host: str, port: int, counts: Counts) -> Listening:
    """Serve `app`; port 0 takes a free one.

    Raises:
        OSError: the port cannot be had.
    """
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # a client that leaves cancels its handler, and so the upstream
        shutdown_timeout=1.0,  # `drain` has waited already
    )

    def new_protocol() -> asyncio.Protocol:
        assert runner.server is not None, "setup makes it, before the first connection"
        no_log: Any = None  # as AppRunner hands it on
        return CalmHandler(runner.server, loop=loop, access_log=no_log, keepalive_timeout=KEEPALIVE_S)

    keeper = Doorkeeper(new_protocol, loop.time)
    app[KEEPER] = keeper  # before setup, which freezes the application
    app.on_response_prepare.append(_introduce)
    await runner.setup()
    lanes = Lanes(app[FRONT], keeper) if FRONT in app else None
    server = await loop.create_server(keeper if lanes is None else partial(Lane, lanes), host, port, backlog=BACKLOG)
    return Listening(runner, keeper, lanes, server, asyncio.create_task(keeper.watch()), counts)


async def _introduce(_: web.Request, response: web.StreamResponse) -> None:
    """Which libraries and versions serve here is nobody's business."""
    response.headers["Server"] = "pointsman"


KEEPER: web.AppKey[Doorkeeper] = web.AppKey("keeper", Doorkeeper)
FRONT: web.AppKey[Front] = web.AppKey("front", Front)  # of an application with hot paths


@web.middleware
async def attended(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the doorkeeper when a request's head is complete and when it is answered: a long answer is no late head."""
    keeper = request.app.get(KEEPER)
    protocol = request.protocol
    if keeper is None:
        return await handler(request)
    keeper.began(protocol)
    try:
        return await handler(request)
    finally:
        keeper.ended(protocol)


def client_app(api: Api, counts: Counts, drained: Callable[[], bool]) -> web.Application:
    """The application of the client port; `listen` puts the fast lane before it."""

    @web.middleware
    async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
        counts.enter()
        try:
            response = await handler(request)
            if drained() and not response.prepared:  # a head that has gone out cannot be taken back
                response.force_close()
            return response
        except web.HTTPException as error:
            return _plain(request, error.status, error.headers.get("Allow"))
        except ClientGone:
            raise asyncio.CancelledError from None
        except Refused as refused:
            return _error(request, faults.of_refusal(refused.refusal).error)
        except Exception:
            log.exception("a request failed by a fault of the gateway")
            return _error(request, INTERNAL)
        finally:
            counts.leave()

    app = web.Application(middlewares=[attended, around], client_max_size=BODY_LIMIT_BYTES)
    app.add_routes(api.routes())
    app[FRONT] = Front(api.desk, counts, drained)
    return app


def _plain(request: web.Request, status: int, allow: str | None) -> web.Response:
    """An HTTP error of the router's, in the shape that clients of this API parse."""
    if status == 404:
        message = f"there is no {request.path[:200]} here; the API is under /v1, see /v1/models"
    elif status == 405:
        message = f"{request.method} is not allowed here; use {allow}"
    else:
        message = "the request cannot be served"
    response = _error(request, ClientError(status, message, "invalid_request_error"))
    if allow is not None:
        response.headers["Allow"] = allow
    return response


def _error(request: web.Request, error: ClientError) -> web.Response:
    shape = Surface.MESSAGES if request.path.startswith("/v1/messages") else Surface.CHAT
    return web.Response(status=error.status, body=surface(shape).error_body(error), content_type="application/json")


def json_response(value: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=orjson.dumps(value, option=orjson.OPT_INDENT_2), content_type="application/json"
    )
