"""Keeps certificates: looks at the judged pairs when there is reason to, and brings what is published in line.

On the replica alone to which falls what is there once for all; its state is in the store, so that another one goes on
where this one ended. Pairs are read and certified in a thread, since some ten thousand take a second. While the store
fails, what is published stays: certificates end by themselves (`certify.VALID_S`).
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Protocol

from gateway.core.certificate import (
    KEY,
    VERSION,
    Certificate,
    CertificateError,
    Certificates,
    decode_certificates,
    encode_certificates,
)
from gateway.core.policy import Evaluate
from monitor.evaluation.certify import Alarm, Series, State, StateError, certified, decode_state, encode_state
from monitor.evaluation.pairs import Drawn, Judged
from monitor.evaluation.progress import Progress
from monitor.evaluation.proposals import Proposed
from monitor.evaluation.store import StoreError
from monitor.ports import Clock, PublishError
from monitor.press import Press

STATE_KEY = "certifier"  # in the store
TEND_S = 15.0  # counting, and looking after what is published
LOOK_S = 3_600.0  # certifying, at the latest
NEWS = 20  # judged pairs that are reason to certify before that
COUNT_REST = 50.0  # times as long as counting took until it is done again, at least: 100,000 pairs take a second

Terms = Mapping[str, Evaluate]
"""Of the routes that are evaluated, by name."""

log = logging.getLogger(__name__)


class Books(Protocol):
    """What is asked of the store (`monitor.evaluation.store.Store`); all of it raises StoreError."""

    def judged(self, since_s: float = 0.0) -> list[Judged]: ...

    def drawn(self, since_s: float, at_most: int) -> list[Drawn]: ...

    def progress(self) -> list[Progress]: ...

    def spent_usd(self, route: str, day: date) -> float: ...

    def load(self, key: str) -> bytes | None: ...

    def save(self, key: str, value: bytes) -> None: ...


class Proposes(Protocol):
    """Who says what a person may change (`monitor.evaluation.proposer`)."""

    @property
    def generation(self) -> str:
        """Another one is reason to ask again."""

    def propose(self, store: Books, judged: Sequence[Judged], state: State, now_s: float) -> tuple[Proposed, ...]:
        """In the thread that certifies; never fails."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known on this replica, for metrics and the page."""

    state: State
    progress: Sequence[Progress]
    spent_usd: Mapping[str, float]  # by route, of the present UTC day
    looked_s: float  # epoch, when pairs were last certified; 0: never
    proposals: Sequence[Proposed] = ()  # then


NOTHING = Kept(State(), (), {}, 0.0)


class Keeper:
    """Mutable; one per process."""

    def __init__(
        self,
        store: Callable[[], Books | None],
        press: Press,
        clock: Clock,
        terms: Callable[[], Terms],
        leads: Callable[[], bool],
        proposer: Proposes | None = None,
    ) -> None:
        """`store`: None while nothing is evaluated; `leads`: whether it falls to this replica (`Monitor.leads`)."""
        self._store = store
        self._press = press
        self._clock = clock
        self._terms = terms
        self._leads = leads
        self._proposer = proposer
        self._ready = False  # the state was loaded since it fell to this replica
        self._certified: Terms = {}  # what was last certified by
        self._generation = ""  # of the configuration, then
        self._looked_s = float("-inf")
        self._judged = 0  # pairs, then
        self._count_s = float("-inf")  # not before
        self._failing = ""
        self.failures = 0
        self.kept = NOTHING

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self.tend()
            await asyncio.sleep(TEND_S)

    async def tend(self) -> None:
        """One round."""
        if not self._leads():
            self._ready, self.kept = False, NOTHING
            return
        store, judged = self._store(), None
        try:
            if store is not None:
                judged = await self._look(store)
            self._failing = ""
        except StoreError as error:
            self._failed(f"the store of evaluations fails: {error}")
        except Exception as error:  # a pair that nobody thought of must not end the monitor, which probes
            self._failed(f"certifying fails: {type(error).__name__}")
            log.debug("certifying", exc_info=error)
        if (store is None or self._ready) and self._leads():  # certifying takes a while
            await self._publish()
            if store is not None and judged is not None:
                await self._propose(store, judged)

    def _failed(self, problem: str) -> None:
        self.failures += 1
        if self._failing != problem:
            self._failing = problem
            log.warning("certificates stay as they are, since %s", problem)

    async def _look(self, store: Books) -> Sequence[Judged] | None:
        """Count, and certify where there is reason to: by which pairs; None: there was none."""
        terms, now_s = dict(self._terms()), self._clock.now_s()
        if self._ready and now_s < self._count_s:
            return None
        if not self._ready:
            self.kept = Kept(await asyncio.to_thread(_loaded, store), (), {}, 0.0)
            self._ready, self._looked_s = True, float("-inf")
        today = datetime.fromtimestamp(self._clock.epoch_s(), UTC).date()
        progress, spent_usd = await asyncio.to_thread(_counted, store, terms, today)
        counted_s = self._clock.now_s()
        self._count_s = counted_s + COUNT_REST * (counted_s - now_s)
        judged = sum(one.by_people + one.by_model + one.same for one in progress)
        self.kept = replace(self.kept, progress=progress, spent_usd=spent_usd)
        late = now_s - self._looked_s >= LOOK_S
        generation = "" if self._proposer is None else self._proposer.generation
        same = (terms, generation) == (self._certified, self._generation)
        if not late and abs(judged - self._judged) < NEWS and same:
            return None
        before = self.kept.state
        pairs, state = await asyncio.to_thread(_certify, store, terms, before, self._clock.epoch_s())
        self._looked_s, self._judged = now_s, judged
        self._certified, self._generation = terms, generation
        self.kept = replace(self.kept, state=state, looked_s=self._clock.epoch_s())
        for alarm in state.alarms:
            if alarm not in before.alarms:
                _tell(alarm)
        return pairs

    async def _propose(self, store: Books, judged: Sequence[Judged]) -> None:
        """After certificates are out, which need not wait for it."""
        if self._proposer is not None:
            now_s = self._clock.epoch_s()
            found = await asyncio.to_thread(self._proposer.propose, store, judged, self.kept.state, now_s)
            self.kept = replace(self.kept, proposals=found)

    def in_force(self) -> tuple[Certificate, ...]:
        """What gateways are to go by."""
        auto = [name for name, terms in self._terms().items() if terms.auto]
        return self.kept.state.in_force(auto, self._clock.epoch_s())

    def series(self) -> Iterator[Series]:
        """Everything that is being certified."""
        terms = self._terms()
        return (one for one in self.kept.state.current() if one.route in terms)

    async def _publish(self) -> None:
        """Write where what stands there is something else: because of news, a failure, or somebody's deletion."""
        wanted = self.in_force()
        try:
            data = await self._press.standing(KEY)
        except PublishError as error:
            log.debug("%s could not be read back: %s", KEY, error)
            return
        if _read(data) != wanted:
            found = Certificates(VERSION, self._clock.epoch_s(), wanted)
            await self._press.print_text(KEY, encode_certificates(found))


def _read(data: bytes | None) -> tuple[Certificate, ...] | None:
    """None: it cannot be read. Where there is nothing, nothing is in force."""
    if data is None:
        return ()
    try:
        return decode_certificates(data).certificates
    except CertificateError as error:
        log.warning("%s is replaced: it %s", KEY, error)
        return None


def _loaded(store: Books) -> State:
    data = store.load(STATE_KEY)
    if data is None:
        return State()
    try:
        return decode_state(data)
    except StateError as error:
        log.warning("what was certified is forgotten, and certified anew: it %s", error)
        return State()


def _counted(store: Books, terms: Terms, today: date) -> tuple[list[Progress], dict[str, float]]:
    return store.progress(), {route: store.spent_usd(route, today) for route in terms}


def _certify(store: Books, terms: Terms, before: State, now_s: float) -> tuple[list[Judged], State]:
    judged = store.judged()
    state = certified(judged, terms, before, now_s)
    store.save(STATE_KEY, encode_state(state))
    return judged, state


def _tell(alarm: Alarm) -> None:
    one = alarm.certificate
    log.warning(
        "certificate %s is withdrawn: on route %s, %s, step %d, %d pairs since have lost %.1f %%, more than %.1f %%",
        one.id, one.route, one.task or "other tasks", one.step, alarm.watched, 100 * alarm.loss, 100 * one.alpha,
    )  # fmt: skip
