import asyncio
import time

import pytest

from tests.support.virtual_time import START_S, NothingLeftToDoError, VirtualLoop

pytestmark = pytest.mark.virtual_time


async def test_sleeps_without_waiting() -> None:
    await asyncio.sleep(3_600)

    assert asyncio.get_running_loop().time() == START_S + 3_600


async def test_wakes_sleepers_in_the_order_of_their_times() -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        woken.append((name, asyncio.get_running_loop().time()))

    await asyncio.gather(sleeper("c", 30), sleeper("a", 0.5), sleeper("b", 10))

    assert woken == [("a", START_S + 0.5), ("b", START_S + 10), ("c", START_S + 30)]


async def test_times_out_at_the_virtual_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await asyncio.Event().wait()

    assert asyncio.get_running_loop().time() == START_S + 20


async def test_does_not_jump_while_a_thread_works() -> None:
    async with asyncio.timeout(1):
        assert await asyncio.to_thread(lambda: time.sleep(0.05) or "done") == "done"


def test_fails_a_test_that_waits_for_nothing() -> None:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(stuck_s=0)) as runner, pytest.raises(NothingLeftToDoError):
        runner.run(asyncio.Event().wait())
