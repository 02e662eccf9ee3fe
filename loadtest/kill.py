"""The acceptance of failover: `kill -9` on the serving vendor under parallel streams and whole replies.

Owns choosing the moment and the victim, and the verdict: no request that had not reached its commit point is
lost, and each that had ends with exactly one in-stream error.
"""

import asyncio
import os
import signal
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp

from loadtest.driver import Board
from loadtest.flight import OK, Flight

Json = Any  # a parsed JSON value

_POLL_S = 0.01


class KillError(Exception):
    """There is nobody to kill; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to kill: a pid, or the vendor of that name (`None`: the busiest) that the control server knows."""

    control: str | None
    provider: str | None = None
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """What was killed, and what ran at that moment."""

    provider: str
    pid: int
    running: int
    committed: int


async def strike(board: Board, streams: int, target: Target, session: aiohttp.ClientSession) -> Strike:
    """Kills when half of the streams have begun to speak; waits for that without end, so the caller bounds it."""
    while _committed(board) < max(1, streams // 2):  # noqa: ASYNC110  # the flights know nothing of kills
        await asyncio.sleep(_POLL_S)
    provider = target.provider or busiest(board.flights)
    pid = target.pid or await _pid_of(provider, target.control, session)
    seen = Strike(provider, pid, board.running, _committed(board))
    os.kill(pid, signal.SIGKILL)
    return seen


async def restart(provider: str, control: str, session: aiohttp.ClientSession) -> None:
    """Brings the vendor back, on the same port."""
    async with session.post(f"{control}/_control/start", json={"provider": provider}) as answer:
        await answer.read()


def busiest(flights: list[Flight]) -> str:
    """The provider that serves the most; raises `KillError` where no answer has come yet."""
    counted = Counter(flight.provider for flight in flights if flight.provider)
    if not counted:
        raise KillError("no answer has named its endpoint yet (header x-pointsman-endpoint)")
    return counted.most_common(1)[0][0]


def verdict(board: Board, struck: Strike) -> dict[str, Json]:
    """The count of what happened; `passed` is the acceptance."""
    streamed = [flight for flight in board.flights if flight.job.streamed]
    plain = [flight for flight in board.flights if not flight.job.streamed]
    failed_streams = [flight for flight in streamed if flight.outcome != OK]
    lost = [flight for flight in plain if flight.outcome != OK]
    lost += [flight for flight in failed_streams if not flight.content_events]
    after_commit = [flight for flight in failed_streams if flight.content_events]
    clean = [flight for flight in after_commit if flight.outcome == "in_stream_error" and flight.error_events == 1]
    return {
        "killed": f"{struck.provider} (pid {struck.pid})",
        "running_at_the_kill": struck.running,
        "streams_committed_at_the_kill": struck.committed,
        "lost_before_their_commit_point": len(lost),
        "streams_cut_after_commit": len(after_commit),
        "of_these_with_exactly_one_error_event": len(clean),
        "failed_over": sum(1 for flight in board.flights if flight.attempts > 1),
        "passed": not lost and len(clean) == len(after_commit) and bool(after_commit),
    }


def _committed(board: Board) -> int:
    return sum(1 for flight in board.flights if flight.running and flight.job.streamed and flight.content_events)


async def _pid_of(provider: str, control: str | None, session: aiohttp.ClientSession) -> int:
    if control is None:
        raise KillError("give --kill-pid, --control or --simulated, so that the vendor's process is known")
    async with session.get(f"{control}/_control/vendors") as answer:
        vendors = await answer.json()
    if provider not in vendors:
        raise KillError(f"{provider} is no simulated vendor; there are: {', '.join(vendors)}")
    return int(vendors[provider]["pid"])
