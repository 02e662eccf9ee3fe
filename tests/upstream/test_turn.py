"""Writes of one turn of the event loop go out together, in their order, at its end."""

import asyncio
from typing import Any

from gateway.upstream.turn import Turn


class Transport(asyncio.Transport):
    def __init__(self, log: list[tuple[str, bytes]], name: str) -> None:
        super().__init__()
        self._log = log
        self._name = name

    def write(self, data: Any) -> None:
        self._log.append((self._name, bytes(data)))


async def test_sends_after_what_is_ready_has_run_and_in_order() -> None:
    turn, log = Turn(), list[tuple[str, bytes]]()
    one, other = Transport(log, "one"), Transport(log, "other")
    turn.write(one, b"1")
    turn.write(other, b"2")
    turn.write(one, b"3")
    assert log == []
    await asyncio.sleep(0)
    assert log == [("one", b"1"), ("other", b"2"), ("one", b"3")]


async def test_sends_at_once_when_told_so_and_nothing_twice() -> None:
    turn, log = Turn(), list[tuple[str, bytes]]()
    turn.write(Transport(log, "one"), b"1")
    turn.flush()
    assert log == [("one", b"1")]
    turn.write(Transport(log, "one"), b"2")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert log == [("one", b"1"), ("one", b"2")]
