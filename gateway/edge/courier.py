"""Carries items to somewhere slow: a bounded queue, a thread of its own, batches, and patience where they are refused.

Owns when an item goes, when it goes again and when it is given up; nobody who adds one ever waits. What an item is and
how a batch travels is the business of `deliver`, which says by `Undelivered` what became of one that did not arrive.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Undelivered(Exception):
    """A batch did not arrive. The message is for people: it names no key and no content, and is the same each time."""

    def __init__(self, message: str, retry_after_s: float | None, final: bool, lost: int | None = None) -> None:
        """
        Args:
            message: why, in words; each is logged once.
            retry_after_s: what the receiver asked for.
            final: it would not help to send it again.
            lost: of a final one, how many items; None: all. The others arrived.
        """
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.final = final
        self.lost = lost


@dataclass(frozen=True, slots=True)
class Rules:
    """How much waits and for how long. Weights are what the courier's `weigh` says, in bytes."""

    queue_limit: int = 20_000  # a minute at 300 requests a second
    queue_bytes: int = 64 * 1024 * 1024
    batch_limit: int = 512  # as OpenTelemetry's batches
    batch_bytes: int = 2 * 1024 * 1024  # receivers begin to refuse bodies at about 4 MB
    linger_s: float = 1.0  # how long an item waits at most for others
    first_wait_s: float = 1.0  # then twice as long each time
    longest_wait_s: float = 30.0
    give_up_s: float = 300.0  # after its first try a batch makes room; as the OpenTelemetry Collector's exporters


def in_a_thread(name: str, run: Callable[[], None]) -> None:
    """A daemon: nothing waits for it at the end of the process."""
    threading.Thread(target=run, name=name, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Means:
    """Clock, dice and threads, for whoever has others."""

    now_s: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = SystemRandom().random  # in [0, 1)
    pause: Callable[[float], None] = time.sleep  # between tries of a courier that is being closed
    start: Callable[[str, Callable[[], None]], None] = in_a_thread


def wait_s(rules: Rules, failures: int, retry_after_s: float | None, draw: float) -> float:
    """How long to wait after that many failures in a row: doubling, jittered by `draw` in [0, 1) so that the replicas
    do not come back together, and never less than the receiver asked for."""
    doubled = min(rules.first_wait_s * 2.0 ** min(failures - 1, 30), rules.longest_wait_s)
    jittered = doubled * (0.5 + draw / 2)
    if retry_after_s is None:
        return jittered
    return max(min(retry_after_s, rules.give_up_s) + rules.first_wait_s * draw, jittered)


def weightless(_item: object) -> int:
    return 0


class Courier(Generic[T]):
    """Takes items one by one and hands them to `deliver` in batches, in their order, in its own daemon thread."""

    def __init__(
        self,
        name: str,
        deliver: Callable[[Sequence[T]], None],
        rules: Rules,
        weigh: Callable[[T], int] = weightless,
        means: Means | None = None,
    ) -> None:
        """
        Args:
            name: for people and for metrics.
            deliver: runs in the thread, and raises `Undelivered`.
            rules: how much waits and for how long.
            weigh: bytes of an item beyond the usual, the same whenever it is asked.
            means: None for the real ones.
        """
        self.name = name
        self.delivered = 0
        self.retries = 0
        self._deliver = deliver
        self._rules = rules
        self._weigh = weigh
        self._means = means or Means()
        self._queue: deque[T] = deque()
        self._added_bytes = self._shed_bytes = self._shed = 0  # written where items are added
        self._taken_bytes = self._lost = 0  # written by the thread
        self._batch: list[T] = []  # what is on its way
        self._begun_s = 0.0  # when that was first tried
        self._failures = 0  # in a row
        self._said: set[str] = set()
        self._closing = threading.Event()
        self._closed = threading.Event()
        self._deadline_s = 0.0
        self._means.start(name, self._run)

    @property
    def dropped(self) -> int:
        """Items that were given up, since start."""
        return self._shed + self._lost

    @property
    def waiting(self) -> int:
        return len(self._queue) + len(self._batch)

    # -- who adds ----------------------------------------------------------------------------------------------------

    def add(self, item: T) -> None:
        """Take an item; returns at once. Where too much waits, the oldest makes room."""
        queue, rules = self._queue, self._rules
        queue.append(item)
        self._added_bytes += self._weigh(item)
        while (
            len(queue) > rules.queue_limit
            or self._added_bytes - self._shed_bytes - self._taken_bytes > rules.queue_bytes
        ):
            try:
                oldest = queue.popleft()
            except IndexError:  # the thread was faster
                return
            self._shed += 1
            self._shed_bytes += self._weigh(oldest)

    # -- the end -----------------------------------------------------------------------------------------------------

    def hurry(self, within_s: float) -> None:
        """Deliver what waits now and stop; returns at once, so that several can hurry together."""
        if not self._closing.is_set():
            self._deadline_s = self._means.now_s() + within_s
            self._closing.set()

    def close(self, within_s: float) -> None:
        """Deliver what waits, for at most so long, and stop; what is left then counts as dropped."""
        self.hurry(within_s)
        self._closed.wait(max(self._deadline_s - self._means.now_s(), 0.0))
        if left := self.waiting:
            self._shed += left
            self._queue.clear()
            self._batch = []
            log.warning("%s: the end came before %d of its records were delivered", self.name, left)

    # -- the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.wait(self.turn()):
            pass
        self._flush()
        self._closed.set()

    def turn(self) -> float:
        """Deliver what waits now; seconds until the next turn."""
        due = len(self._queue)
        while self._batch or due > 0:
            if not self._batch:
                self._take()
                due -= len(self._batch) or due
            again_s = self._try()
            if again_s is not None:
                return again_s
        return self._rules.linger_s

    def _flush(self) -> None:
        """Turns until nothing waits or the time to close is over."""
        again_s = self.turn()
        while self.waiting and (left_s := self._deadline_s - self._means.now_s()) > 0:
            self._means.pause(min(again_s, left_s))
            again_s = self.turn()

    def _take(self) -> None:
        batch: list[T] = []
        weight = 0
        while self._queue and len(batch) < self._rules.batch_limit and weight < self._rules.batch_bytes:
            try:
                item = self._queue.popleft()
            except IndexError:  # whoever adds needed its place
                break
            batch.append(item)
            weight += self._weigh(item)
        self._taken_bytes += weight
        self._batch = batch
        self._begun_s = self._means.now_s()

    def _try(self) -> float | None:
        """Seconds until it must be tried again; None: the batch is dealt with."""
        batch, lost = self._batch, 0
        try:
            self._deliver(batch)
        except Undelivered as error:
            if not error.final and self._means.now_s() - self._begun_s < self._rules.give_up_s:
                return self._later(error)
            lost = len(batch) if error.lost is None else error.lost
            self._failures = 0 if error.final else self._failures
            self._say(f"{error}; such records are dropped")
        except Exception as error:  # noqa: BLE001 - a fault in one batch must not end what follows
            lost = len(batch)
            self._say(f"unexpected {type(error).__name__}; such records are dropped")
        else:
            self._well()
        self._batch = []
        self._lost += lost
        self.delivered += len(batch) - lost
        return None

    def _well(self) -> None:
        if self._failures:
            self._failures = 0
            self._said.clear()
            log.info("%s: records are delivered again", self.name)

    def _later(self, error: Undelivered) -> float:
        self._failures += 1
        self.retries += 1
        self._say(f"{error}; tried again for {self._rules.give_up_s:.0f} s, then dropped")
        return wait_s(self._rules, self._failures, error.retry_after_s, self._means.draw())

    def _say(self, words: str) -> None:
        """Once until an outage is over: it must not fill the log, too."""
        if words not in self._said:
            self._said.add(words)
            log.warning("%s: %s", self.name, words)
