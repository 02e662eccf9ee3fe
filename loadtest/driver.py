"""Carries out a plan: sends each job at its time, never more at once than allowed, never longer than allowed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TextIO

from loadtest.client import Client
from loadtest.flight import OK, Flight
from loadtest.scenarios import Act, Plan, Size

_DRAIN_S = 60.0  # how long running requests may still take after the last one went out
_TTY_EVERY_S = 0.2
_LINES_EVERY_S = 2.0

Perform = Callable[[Act], Awaitable[None]]


@dataclass(slots=True)
class Board:
    """All flights of one run."""

    planned: int
    flights: list[Flight] = field(default_factory=list)

    @property
    def running(self) -> int:
        return sum(1 for flight in self.flights if flight.running)

    def line(self, elapsed_s: float) -> str:
        ended = [flight for flight in self.flights if not flight.running]
        failed = sum(1 for flight in ended if flight.outcome != OK)
        return (
            f"{elapsed_s:5.1f} s  sent {len(self.flights)}/{self.planned}  done {len(ended)}  "
            f"running {len(self.flights) - len(ended)}  not ok {failed}"
        )


class Driver:
    """Drives one plan. `now_s` is a monotonic clock, `perform` does what the plan does to vendors."""

    def __init__(self, client: Client, now_s: Callable[[], float], perform: Perform, progress: TextIO) -> None:
        self._client = client
        self._now_s = now_s
        self._perform = perform
        self._progress = progress

    async def run(self, plan: Plan, size: Size, board: Board) -> None:
        """Fills `board`; returns when every flight has ended, at the latest a minute after `size.seconds`."""
        started_s = self._now_s()
        acts = [asyncio.ensure_future(self._act(at_s, act)) for at_s, act in plan.acts]
        ticker = asyncio.ensure_future(self._show(board, started_s))
        try:
            async with asyncio.timeout(size.seconds + _DRAIN_S):
                await self._send_all(plan, size, board, started_s)
                await asyncio.gather(*acts)
        except TimeoutError:
            pass  # the flights that had not ended are counted as cancelled
        finally:
            for task in (ticker, *acts):
                task.cancel()
            await asyncio.gather(ticker, *acts, return_exceptions=True)
        self._print_line(board.line(self._now_s() - started_s), "\n")

    async def _send_all(self, plan: Plan, size: Size, board: Board, started_s: float) -> None:
        slots = asyncio.Semaphore(size.concurrency)
        async with asyncio.TaskGroup() as group:
            for job in plan.jobs:
                await self._until(started_s + job.at_s)
                await slots.acquire()
                if self._now_s() - started_s > size.seconds:
                    break
                flight = Flight(job, self._now_s())
                board.flights.append(flight)
                group.create_task(self._client.send(flight)).add_done_callback(lambda _: slots.release())

    async def _act(self, at_s: float, act: Act) -> None:
        await asyncio.sleep(at_s)
        await self._perform(act)

    async def _until(self, moment_s: float) -> None:
        wait_s = moment_s - self._now_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _show(self, board: Board, started_s: float) -> None:
        on_terminal = self._progress.isatty()
        while True:
            await asyncio.sleep(_TTY_EVERY_S if on_terminal else _LINES_EVERY_S)
            self._print_line(board.line(self._now_s() - started_s), "" if on_terminal else "\n")

    def _print_line(self, line: str, end: str) -> None:
        lead = "\r" if self._progress.isatty() else ""
        print(f"{lead}{line}", end=end, file=self._progress, flush=True)


def stderr() -> TextIO:
    """Progress goes beside the report, so that `--json > file` stays clean."""
    return sys.stderr
