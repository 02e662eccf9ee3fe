"""A listening socket that can be taken away: open, refusing, or accepting only in the kernel.

Owns the socket of one simulated vendor's service. The port stays the same through all states.
"""

import asyncio
import socket
from enum import Enum

from aiohttp import web


class ListenerState(Enum):
    OPEN = "open"
    REFUSING = "refusing"  # nothing listens: connections are refused
    HANGING = "hanging"  # the kernel makes connections; nobody reads them


class Listener:
    """Serves `runner`'s application on one port of `host`."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self._host = host
        self._port = port
        self._state = ListenerState.REFUSING
        self._site: web.SockSite | None = None
        self._deaf: socket.socket | None = None

    @property
    def port(self) -> int:
        """The bound port; known once the listener was open."""
        return self._port

    async def become(self, state: ListenerState) -> None:
        if state is self._state:
            return
        self._state = state
        await self._close()
        match state:
            case ListenerState.OPEN:
                self._site = web.SockSite(self._runner, self._bind(), backlog=1024)
                await self._site.start()
            case ListenerState.HANGING:
                self._deaf = self._bind()
                self._deaf.listen(1024)
            case ListenerState.REFUSING:
                pass

    async def _close(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
            for connection in self._runner.server.connections if self._runner.server is not None else ():
                connection.force_close()
                if connection.transport is not None:
                    connection.transport.abort()
            await asyncio.sleep(0)
        if self._deaf is not None:
            self._deaf.close()
            self._deaf = None

    def _bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self._host, self._port))
        sock.setblocking(False)
        self._port = sock.getsockname()[1]
        return sock
