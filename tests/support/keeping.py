"""A keeper of certificates with a store and a publisher that are played."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from gateway.core.certificate import KEY, Certificate, decode_certificates
from gateway.core.policy import Evaluate
from monitor.evaluation.keeper import Keeper, Proposes
from monitor.evaluation.pairs import Drawn, Judged
from monitor.evaluation.progress import Agreement, Progress
from monitor.ports import Clock
from monitor.press import Press
from tests.support.certifying import BEGIN_S, ROUTE, terms
from tests.support.monitoring import PlayedPublisher

DAY_S = 86_400.0


def none_needed(_: float) -> float:
    return 0.0


def always_needed(_: float) -> float:
    return 1.0


@dataclass
class PlayedBooks:
    """The store."""

    pairs: list[Judged] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    problem: Exception | None = None
    undrawn: Exception | None = None  # of what money is estimated from
    certified: int = 0  # how often the pairs were read
    counted: int = 0
    slow: Callable[[], None] = lambda: None  # happens while counting

    def judged(self, since_s: float = 0.0) -> list[Judged]:
        self.certified += 1
        return list(self.pairs)

    def drawn(self, since_s: float, at_most: int) -> list[Drawn]:
        if self.undrawn is not None:
            raise self.undrawn
        return [Drawn(one.facts, False, (0.001, 0.01)) for one in self.pairs if one.facts.time_s >= since_s][-at_most:]

    def progress(self) -> list[Progress]:
        if self.problem is not None:
            raise self.problem
        self.counted += 1
        self.slow()
        same, count = Agreement(), len(self.pairs)
        return [Progress(ROUTE, "email", 3, 1, count + 2, count, 0, 0, None, same, same)]

    def spent_usd(self, route: str, day: date) -> float:
        return day.day / 4

    def load(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def save(self, key: str, value: bytes) -> None:
        self.kept[key] = value


class Rig:
    def __init__(
        self, pairs: list[Judged] | None = None, books: PlayedBooks | None = None, proposer: Proposes | None = None
    ) -> None:
        self.now_s = 1_000.0
        self.books: PlayedBooks | None = PlayedBooks(pairs or []) if books is None else books
        self.publisher = PlayedPublisher()
        self.terms: dict[str, Evaluate] = {ROUTE: terms()}
        self.leads = True
        clock = Clock(lambda: self.now_s, lambda: BEGIN_S + DAY_S + self.now_s)
        press = Press(self.publisher, clock, "monitor-1", 30.0)
        self.keeper = Keeper(lambda: self.books, press, clock, lambda: self.terms, lambda: self.leads, proposer)

    async def tend(self, after_s: float = 15.0) -> tuple[Certificate, ...] | None:
        """One round; what is published then, None: nothing."""
        self.now_s += after_s
        await self.keeper.tend()
        data = self.publisher.kept.get(KEY)
        return None if data is None else decode_certificates(data).certificates

    @property
    def writes(self) -> int:
        return len(self.publisher.written)
