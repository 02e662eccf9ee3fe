"""How late the loop is, on a clock that the test moves."""

import asyncio

import pytest

from gateway.edge.loop_lag import LOOK_S, LoopLag


class LateLoop:
    """Sleeps as long as it is asked for, and so much longer; then it is over."""

    def __init__(self, *late_s: float) -> None:
        self.now_s = 1_000.0
        self._late_s = list(late_s)

    async def sleep(self, seconds: float) -> None:
        if not self._late_s:
            raise asyncio.CancelledError
        self.now_s += seconds + self._late_s.pop(0)


async def measured(*late_s: float) -> dict[str, float]:
    loop = LateLoop(*late_s)
    lag = LoopLag(lambda: loop.now_s, loop.sleep)
    with pytest.raises(asyncio.CancelledError):
        await lag.watch()
    return {sample.labels.get("le", sample.name): sample.value for sample in lag.family().samples}


async def test_measures_how_much_later_than_due_it_wakes_up() -> None:
    found = await measured(0.0, 0.003, 0.003, 0.7, 20.0)
    assert found == {
        "0.001": 1, "0.002": 1, "0.005": 3, "0.01": 3, "0.02": 3, "0.05": 3, "0.1": 3, "0.2": 3, "0.5": 3, "1.0": 4,
        "2.0": 4, "5.0": 4, "+Inf": 5, "pointsman_event_loop_lag_seconds_count": 5,
        "pointsman_event_loop_lag_seconds_sum": pytest.approx(20.706),
    }  # fmt: skip


async def test_a_clock_that_is_coarse_makes_nobody_early() -> None:
    assert (await measured(-LOOK_S))["pointsman_event_loop_lag_seconds_sum"] == 0
