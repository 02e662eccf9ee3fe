"""The day's requests: one after the other at a steady pace, and what was seen of each.

Owns pace and bookkeeping. An error is remembered, never raised: the script says at the end that there were some.
"""

import asyncio
import time
from collections.abc import Callable

from loadtest.client import Client
from loadtest.day.blocks import Served
from loadtest.day.prompts import Prompts
from loadtest.flight import OK, Flight
from loadtest.scenarios import Job

PER_S = 40.0  # gentle for two cores, on which seven processes share the work
_MOST_AT_ONCE = 32


class Traffic:
    def __init__(self, client: Client, prompts: Prompts) -> None:
        self._client = client
        self._prompts = prompts
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self.sent = 0
        self.served: list[Served] = []
        self.errors: list[str] = []

    async def until(self, enough: Callable[[], bool]) -> None:
        """Send until somebody has seen enough; returns when all are answered. Bounded by the caller's patience."""
        began_s, sent = time.monotonic(), 0
        async with asyncio.TaskGroup() as group:
            while not enough():
                await asyncio.sleep(max(0.0, began_s + sent / PER_S - time.monotonic()))
                await self._slots.acquire()
                group.create_task(self._one()).add_done_callback(lambda _: self._slots.release())
                sent += 1
                self.sent += 1

    async def some(self, requests: int) -> list[Served]:
        """So many requests; what was answered of them."""
        target, before = self.sent + requests, len(self.served)
        await self.until(lambda: self.sent >= target)
        return self.served[before:]

    async def _one(self) -> None:
        asked = self._prompts.next()
        flight = Flight(Job(0.0, asked.task, asked.prompt), time.monotonic())
        await self._client.send(flight)
        if flight.outcome == OK:
            model = flight.endpoint.partition("/")[2]
            self.served.append(Served(asked, model, flight.cost_usd or 0.0))
        else:
            self.errors.append(f"{flight.outcome}: {flight.detail}")
