"""Evaluation in the monitor's process: opened where a route of the configuration evaluates, and put together here.

A store that cannot be opened stops nothing else: it is tried again, and what gateways hand over meanwhile is refused in
a way that lets them try again as well. Once open it stays so until the end of the process, since texts from before have
to be let go in time even where no route evaluates any more.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from aiohttp import web

from gateway.config.compile import Compiled
from gateway.core.policy import Evaluate
from gateway.core.pricing import Price
from gateway.edge.sinks.keys import SinkKey
from gateway.flow.ports import Keys, Upstream
from monitor.evaluation.asking import Asker
from monitor.evaluation.calling import Caller
from monitor.evaluation.desk import Desk
from monitor.evaluation.gate import Gate
from monitor.evaluation.intake import Intake, answered
from monitor.evaluation.judge import Judge
from monitor.evaluation.keeper import Keeper
from monitor.evaluation.privacy import barred
from monitor.evaluation.proposer import ConfigPlace, Proposer
from monitor.evaluation.spending import Spending
from monitor.evaluation.store import Store, StoreError
from monitor.evaluation.web import evaluation_routes
from monitor.evaluation.worker import Worker
from monitor.ports import Clock
from monitor.press import Press

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0  # where the store cannot be opened

log = logging.getLogger(__name__)


class Place(Protocol):
    """Where the store is."""

    def url(self) -> str:
        """Raises StoreError where there is none."""

    def used(self) -> bool:
        """Whether there may be something from before."""


@dataclass(frozen=True, slots=True)
class Around:
    """What evaluation has of its process."""

    upstream: Upstream
    clock: Clock
    name: str  # of this process among its replicas
    press: Press
    prices: Callable[[], Mapping[str, Price | None]]
    leads: Callable[[], bool]  # whether what is there once for all replicas falls to this one
    token: SinkKey  # that gateways prove themselves by
    config: ConfigPlace = field(default_factory=ConfigPlace)  # that changes are proposed to


class Office:
    def __init__(self, place: Place, around: Around) -> None:
        self._place = place
        self._late = _Late()
        self._store = store = cast(Store, self._late)
        self._caller = Caller(around.upstream, around.clock, around.prices)
        spending = Spending(store)
        asker, judge = Asker(self._caller, spending, around.clock), Judge(self._caller, spending, around.clock)
        self.worker = Worker(store, asker, judge, around.clock, around.name)
        self._gate = Gate(around.token)
        self.intake = Intake(store, self._gate, around.clock.epoch_s, self.worker.wake)
        self._desk = Desk(store, around.clock.epoch_s)
        self._rules: Mapping[str, Evaluate] = {}
        self._wanted = asyncio.Event()
        self._open = asyncio.Event()
        self._proposer = Proposer(around.config)
        self.keeper = Keeper(
            self._wanted_store, around.press, around.clock, lambda: self._rules, around.leads, self._proposer
        )

    def reconfigure(self, compiled: Compiled, keys: Keys) -> None:
        """Take over an accepted version of the configuration."""
        self._rules = {route.name: route.evaluate for route in compiled.policy.routes if route.evaluate is not None}
        self._proposer.reconfigure(compiled.policy)
        self._caller.reconfigure(compiled.policy, keys)
        self.worker.reconfigure(self._rules, lambda terms: barred(terms, compiled.policy))
        if self._rules:
            self._gate.announce()
        if self._rules or self._place.used():
            self._wanted.set()

    async def run(self) -> None:
        """Ends by cancellation."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work())
            group.create_task(self._keep())

    async def _work(self) -> None:
        await self._wanted.wait()
        store = await self._opened()
        self._late.real = store
        self._open.set()
        try:
            await self.worker.run()
        finally:
            self._late.real = None  # what still comes in is refused, and brought again to whoever is next
            store.close()

    async def _keep(self) -> None:
        """Without the store at once as well, since there may be certificates to withdraw."""
        if self._wanted.is_set():
            await self._open.wait()
        await self.keeper.run()

    def _wanted_store(self) -> Store | None:
        """Also before it is open, so that nobody takes this for a monitor without evaluation."""
        return self._store if self._wanted.is_set() else None

    async def _opened(self) -> Store:
        failures, told = 0, ""
        while True:
            try:
                return await asyncio.to_thread(lambda: Store.open(self._place.url()))
            except StoreError as error:
                if str(error) != told:
                    told = str(error)
                    log.error("evaluation waits, since its store cannot be opened; it is tried again: %s", error)
                await asyncio.sleep(min(FIRST_WAIT_S * 2.0**failures, LONGEST_WAIT_S))
                failures += 1

    def routes(self) -> list[web.RouteDef]:
        """The intake, and the page on which people judge."""
        intake = _where(lambda: bool(self._rules), [self.intake.route()])
        return [*intake, *_where(self._wanted.is_set, evaluation_routes(self._desk))]


class _Late:
    """Stands for the store until it is open."""

    real: Store | None = None

    def __getattr__(self, name: str) -> Any:
        if self.real is None:
            raise StoreError("it is not open yet")
        return getattr(self.real, name)


def _where(on: Callable[[], bool], routes: Iterable[web.RouteDef]) -> list[web.RouteDef]:
    """Those routes, answered only while `on` says so."""

    def guarded(handler: Any) -> Any:
        async def guarding(request: web.Request) -> web.StreamResponse:
            if on():
                found: web.StreamResponse = await handler(request)
                return found
            return answered(404, "no route of the configuration evaluates: it takes `evaluate:` in a route")

        return guarding

    return [web.RouteDef(one.method, one.path, guarded(one.handler), one.kwargs) for one in routes]
