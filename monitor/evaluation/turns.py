"""Threads for what waits for the store, a few at a time: one that hangs shall not hold those of the rest."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from monitor.evaluation.store_errors import StoreError

WAIT_S = 5.0  # for a turn; gateways wait for ten

T = TypeVar("T")


class Turns:
    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def take(self, work: Callable[[], T]) -> T:
        """What `work` returns, in a thread. Raises StoreError where nothing is free in time, and what `work` raises."""
        try:
            async with asyncio.timeout(WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise StoreError("it has not answered others for a while") from None
        try:
            return await asyncio.to_thread(work)
        finally:
            self._free.release()
