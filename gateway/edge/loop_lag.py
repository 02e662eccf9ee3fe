"""How late the event loop is: whoever sleeps in it wakes up so much later than it wanted.

Every request waits as long for each of its turns, so this is the first sign that a process has more to do than one core
can. Used by both processes.
"""

from collections.abc import Awaitable, Callable

from gateway.edge.families import Histogram, histogram, no_cells, observe

LOOK_S = 0.5
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class LoopLag:
    """Measures while `watch` runs."""

    def __init__(self, now_s: Callable[[], float], sleep: Callable[[float], Awaitable[object]]) -> None:
        """`now_s` only moves forward; `sleep` is the loop's own."""
        self._now_s = now_s
        self._sleep = sleep
        self._cells = no_cells(BOUNDS_S)

    async def watch(self) -> None:
        """Look twice a second, until cancelled."""
        while True:
            begun_s = self._now_s()
            await self._sleep(LOOK_S)
            observe(self._cells, BOUNDS_S, max(0.0, self._now_s() - begun_s - LOOK_S))

    def family(self) -> Histogram:
        return histogram(
            "pointsman_event_loop_lag_seconds",
            "How much later than due the event loop came to its next task, seconds; looked at twice a second. "
            "Worry where the 99th percentile stays above 0.05: the process needs more CPU, or more replicas.",
            (), BOUNDS_S, [((), self._cells, {})],
        )  # fmt: skip
