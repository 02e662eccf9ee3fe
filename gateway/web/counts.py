"""How many requests are being answered now: what a drain waits for."""

import asyncio
import contextlib


class Counts:
    """Requests being answered now."""

    __slots__ = ("_idle", "active")

    def __init__(self) -> None:
        self.active = 0
        self._idle: asyncio.Future[None] | None = None

    def enter(self) -> None:
        self.active += 1

    def leave(self) -> None:
        self.active -= 1
        if self.active == 0 and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def settled(self, grace_s: float) -> int:
        """Wait until no request runs, at most `grace_s`; how many still do.

        A connection that was kept alive may bring one more request before it is told to close, so it is looked again.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self.active:
                    self._idle = asyncio.get_running_loop().create_future()
                    await self._idle
        return self.active
