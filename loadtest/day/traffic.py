"""The day's requests: one after the other at a steady pace, and what was seen of each.

Owns pace and bookkeeping. An error is remembered, never raised: the script says at the end that there were some.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from loadtest.day.blocks import Served
from loadtest.day.prompts import Prompts
from loadtest.flight import OK, Flight
from loadtest.scenarios import Job

PER_S = 40.0  # gentle for two cores, on which seven processes share the work
_MOST_AT_ONCE = 32


class Sender(Protocol):
    """`loadtest.client.Client`."""

    async def send(self, flight: Flight) -> None: ...


class Traffic:
    def __init__(self, client: Sender, prompts: Prompts) -> None:
        self._client = client
        self._prompts = prompts
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self.sent = 0
        self.served: list[Served] = []
        self.errors: list[str] = []

    async def until(self, enough: Callable[[], bool]) -> None:
        """Send until somebody has seen enough; returns when all are answered. Bounded by the caller's patience."""
        now_s = asyncio.get_running_loop().time
        began_s, sent = now_s(), 0
        async with asyncio.TaskGroup() as group:
            while not enough():
                await asyncio.sleep(max(0.0, began_s + sent / PER_S - now_s()))
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
        flight = Flight(Job(0.0, asked.task, asked.prompt), started_s=asyncio.get_running_loop().time())
        await self._client.send(flight)
        if flight.outcome == OK:
            model = flight.endpoint.partition("/")[2]
            self.served.append(Served(asked, model, flight.cost_usd or 0.0))
        else:
            self.errors.append(f"{flight.outcome}: {flight.detail}")
