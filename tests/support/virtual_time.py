"""An event loop whose clock jumps to the next timer instead of waiting for it.

`await asyncio.sleep(30)` takes no wall time and `loop.time()` says exactly 30 s more afterwards. A module asks by
`pytestmark = pytest.mark.virtual_time` (tests/conftest.py hands the loop to pytest-asyncio). Not for tests with real
sockets: while the loop waits for one, the clock runs on to the next timeout. Threads are waited for in real time.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

START_S = 1_000.0  # not 0, so that nobody mistakes an instant for "never"
STUCK_S = 5.0  # real seconds after which a test that waits for nothing fails


class NothingLeftToDoError(Exception):
    """The test awaits something that no timer, thread or task of this loop will ever bring."""


class _JumpingSelector(selectors.DefaultSelector):
    """Reports what is ready; where nothing is, moves the clock by the time asyncio was going to wait."""

    def __init__(self, stuck_s: float) -> None:
        super().__init__()
        self.stuck_s = stuck_s
        self.now = START_S
        self.jobs = 0  # in threads, whose end no timer announces

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.jobs:
            ready = super().select(self.stuck_s)
            if not ready:
                raise NothingLeftToDoError
            return ready
        self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, stuck_s: float = STUCK_S) -> None:
        self._jumping = _JumpingSelector(stuck_s)
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(  # type: ignore[override]  # as asyncio's own, whose stub returns Any
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.jobs += 1
        future.add_done_callback(self._job_done)
        return future

    def _job_done(self, _future: asyncio.Future[Any]) -> None:
        self._jumping.jobs -= 1
