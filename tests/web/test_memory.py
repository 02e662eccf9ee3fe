"""Nothing of a request stays behind."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sized
from typing import Any

import pytest

from loadtest.faults import Fault, Match
from tests.support.running_gateway import RunningGateway, gateway_with

WARM, MANY, AT_ONCE = 400, 2_000, 20
STALLING = "open-70b"  # sends three tokens and falls silent
SLACK = 100  # a leak in each tenth request would show as 200


def tables(root: object) -> dict[str, int]:
    """Length of every container that can be reached from `root` through objects of this project."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    ahead: list[tuple[str, Any]] = [("root", root)]
    while ahead:
        path, value = ahead.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | list | set | deque | tuple | frozenset):
            if isinstance(value, Sized) and not isinstance(value, tuple | frozenset):
                found[path] = len(value)
            items = value.items() if isinstance(value, dict) else enumerate(value)
            ahead.extend((f"{path}[{key!r:.60}]", item) for key, item in items)
        elif type(value).__module__.startswith(("gateway.", "tests.")):
            ahead.extend((f"{path}.{name}", item) for name, item in _fields(value))
    return found


def _fields(value: object) -> Iterator[tuple[str, object]]:
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in (*slots, *getattr(value, "__dict__", {}), *getattr(type(value), "__struct_fields__", ())):
        if hasattr(value, name):
            yield name, getattr(value, name)


async def _one(running: RunningGateway, number: int) -> None:
    """A chat, whole or streamed; each tenth client leaves in the middle of a stream."""
    leaves = number % 10 == 3
    headers = {"x-pointsman-tags": f"n={number}"}
    fields = {"session_id": f"s-{number}", "user": f"u-{number}", "model": STALLING if leaves else "open-8b"}
    text, stream = f"Count to {number % 7 + 2}", leaves or number % 2 == 1
    async with running.chat(text, stream=stream, headers=headers, **fields) as response:
        if leaves:
            await response.content.readline()
            response.close()
        else:
            await response.read()


async def _serve(running: RunningGateway, first: int, count: int) -> None:
    numbers = iter(range(first, first + count))

    async def worker() -> None:
        for number in numbers:
            await _one(running, number)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    await running.row(first + count)
    await running.idle()


@pytest.mark.case("O1")
async def test_keeps_nothing_of_two_thousand_requests() -> None:
    async with gateway_with("sim-cheap", "sim-fast") as running:
        await running.vendors["sim-cheap"].fault(Fault(status=429, retry_after_s=0.0), Match(stream=True), times=40)
        await running.vendors["sim-fast"].fault(Fault(stall_after_events=3), Match(model=STALLING))
        await _serve(running, 0, WARM)
        before = tables([running.gateway, running.clients])
        await _serve(running, WARM, MANY)
        after = tables([running.gateway, running.clients])
        assert len(running.clients.keeper) <= AT_ONCE
        assert all(line.load.attempts == 0 for line in running.gateway.walk.parts.lines.values())
    grown = {path: (before.get(path, 0), size) for path, size in after.items() if size > before.get(path, 0) + SLACK}
    assert [path for path in grown if path != "root[0]._records.kept"] == []
    outcomes = Counter(row["outcome"] for row in running.rows.kept)
    assert outcomes == {"ok": (WARM + MANY) * 9 // 10, "cancelled": (WARM + MANY) // 10}
