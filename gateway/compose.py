"""One gateway, put together: every object is made here and handed down. No rules, no I/O of its own.

A configuration or a price book that changes makes new parts for the walk; the book of health, the connections and the
records stay, so that no request notices.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Protocol

from msgspec.structs import replace

from gateway import VERSION
from gateway.config.compile import Compiled
from gateway.config.effective import effective
from gateway.core.ask import Ask
from gateway.core.certificate import NONE as NO_CERTIFICATES
from gateway.core.certificate import Certificates
from gateway.core.classify import Classifier
from gateway.core.decision import Decision
from gateway.core.evaluation import Half
from gateway.core.health import ShardSnapshot
from gateway.core.named import Names
from gateway.core.opinion import Judge
from gateway.core.prices import PriceBook, with_published
from gateway.core.scan import Scanner
from gateway.core.task_rules import DEFAULT_RULES
from gateway.core.trace import Sampling
from gateway.edge.broadcast import Broadcast
from gateway.edge.credentials.minter import Minter
from gateway.edge.kube.reflector import Tally
from gateway.edge.lines import Lines, Row
from gateway.edge.loop_lag import LoopLag
from gateway.edge.metrics import Metrics
from gateway.edge.metrics_gauges import (
    Doorkeeper,
    EndpointFacts,
    Gauges,
    ProviderUse,
    Unopened,
    endpoint_facts,
    provider_uses,
)
from gateway.edge.records import Counted
from gateway.edge.secrets import KeyRing, SecretStore
from gateway.flow.answer import Ended, Parts, Walk
from gateway.flow.attempt import Line
from gateway.flow.consider import Planner
from gateway.flow.evaluate import Evaluator
from gateway.flow.health import HealthBook
from gateway.flow.ports import Clock
from gateway.flow.settle import Settler
from gateway.flow.trial import Trials
from gateway.flow.world import World, kinds_of
from gateway.upstream.client import Upstream
from gateway.web.auth import Door
from gateway.web.counts import Counts
from gateway.web.desk import Desk
from gateway.web.explaining import explain
from gateway.web.live import Live
from gateway.web.ops import Views
from gateway.web.overview import overview
from gateway.web.recent import Recent
from gateway.web.today import Today
from gateway.web.variants import Variants

log = logging.getLogger(__name__)


def new_clock() -> Clock:
    """The real clocks and dice."""
    return Clock(now_s=time.monotonic, epoch_s=time.time, new_id=_ids().__next__)


def _ids() -> Iterator[str]:
    """Random ids of 16 hex digits, drawn by the block: a system call for each would cost 2 µs."""
    while True:
        block = secrets.token_hex(4_096)
        yield from (block[at : at + 16] for at in range(0, len(block), 16))


class Keeper(Protocol):
    """Where records go: `edge.records.Records`, or what a test puts there."""

    @property
    def dropped(self) -> int: ...

    def add(self, row: Row, line: bytes | None) -> None:
        """Take a row and its line of JSON; returns at once."""


class Gateway:
    """Everything that answers requests in one process. Two of them fit into one."""

    def __init__(self, compiled: Compiled, records: Keeper, clock: Clock, upstream: Upstream) -> None:
        self.compiled = compiled
        self.clock = clock
        self.counts = Counts()
        self.metrics = Metrics(VERSION)
        self.draining = False
        self.waiting_for = ""  # what a start still waits for, in words
        self.kube: Tally | None = None  # of the state's reflector, in a cluster
        self.door: Doorkeeper = Unopened()  # of the client port
        self.sinks: dict[str, Counted] = {}  # by name: where records go
        self.lag = LoopLag(clock.now_s, asyncio.sleep)
        self._traced: Callable[[Decision, Ask], Decision] | None = None
        self._life = clock.new_id()  # names this process to the monitor
        self._records = records
        self._ends: list[Ended] = []  # of this turn of the loop
        self._lines = Lines()
        self._upstream = upstream
        self._published: PriceBook | None = None
        self._scanner: Scanner | None = None
        self._judge: Judge | None = None
        self._certified: Certificates = NO_CERTIFICATES
        self.started_s = clock.epoch_s()
        self.recent = Recent()
        self.today = Today(self.started_s)
        self.variants = Variants()
        self.variants.reconfigure(compiled.policy.routes, self.started_s)
        self._minter = Minter(clock.now_s)
        self._secrets = SecretStore(compiled.policy.catalog.providers, clock.now_s, minter=self._minter)
        self._ring = _ring(compiled)
        self.book = HealthBook(_providers(compiled), compiled.breaker_rules)
        self.walk = Walk(self._parts(compiled, None), self.book, clock, self._ended)
        self.metrics.gauges = Gauges(
            states=lambda: self.book.states(clock.now_s()),
            transitions=lambda: self.book.transitions,
            limited_until_epoch_s=lambda: self.book.horizons(clock.now_s(), clock.epoch_s()),
            snapshot_age_s=lambda: self.book.snapshot_age_s(clock.now_s()),
            retry_budget_left=self.walk.retry_budget_left,
            records_dropped=lambda: records.dropped,
            generation=lambda: self.compiled.policy.generation,
            inflight=lambda: self.counts.active,
            endpoints=self._endpoint_facts,
            providers=self._provider_uses,
            door=lambda: self.door,
            sinks=lambda: self.sinks,
            kube=lambda: self.kube,
            lag=self.lag,
        )

    # -- what changes ------------------------------------------------------------------------------------------------

    def reconfigure(self, compiled: Compiled) -> None:
        """Take over an accepted version of the configuration."""
        self.compiled = compiled
        self._secrets = SecretStore(compiled.policy.catalog.providers, self.clock.now_s, minter=self._minter)
        self._ring = _ring(compiled)
        self.book.reconfigure(_providers(compiled), compiled.breaker_rules)
        self.walk.parts = self._parts(compiled, self.walk.parts)
        self.variants.reconfigure(compiled.policy.routes, self.clock.epoch_s())
        self.metrics.reloads.add(())

    def refused(self, problem: str) -> None:
        """A new version of the configuration was refused."""
        self.metrics.reload_failures.add(())

    def reprice(self, published: PriceBook) -> None:
        """Take over the monitor's price book."""
        self._published = published
        self.walk.parts = self._parts(self.compiled, self.walk.parts)

    def certify(self, certified: Certificates) -> None:
        """Take over the monitor's certificates; none where nothing is drawn, since nobody would watch."""
        self._certified = NO_CERTIFICATES if self.walk.evaluator is None else certified
        self.walk.parts = self._parts(self.compiled, self.walk.parts)

    def publish(self, shard: ShardSnapshot) -> None:
        """Take over one shard of the monitor's snapshot."""
        self.book.publish(shard, self.clock.now_s(), self.clock.epoch_s())

    def _parts(self, compiled: Compiled, before: Parts | None) -> Parts:
        policy = compiled.policy
        book = compiled.price_book
        prices = (book if self._published is None else with_published(book, self._published)).prices
        world = World(
            policy=policy,
            names=Names.of(policy.catalog),
            classifier=Classifier.compile(DEFAULT_RULES, policy.tasks, policy.rules),
            scanner=self._scanner_for(compiled),
            prices=prices,
            breaker_rules=compiled.breaker_rules,
            kinds=kinds_of(policy),
            judge=self._judge_for(compiled),
        ).certified(self._certified.certificates)
        accounts = None if before is None else before.planner.accounts
        loads = {} if before is None else {name: line.load for name, line in before.lines.items()}
        lines = {
            name: Line(row, self._upstream, self._secrets, loads.get(name))
            for name, row in policy.catalog.providers.items()
        }
        return Parts(
            planner=Planner(world, self.book.health, self._secrets.missing, accounts),
            lines=lines,
            settler=Settler(prices, policy.tiers),
            trials=Trials(lines, prices, self.book),
        )

    def _judge_for(self, compiled: Compiled) -> Judge | None:
        """The learned model, read once and only where it is asked for: numpy takes 20 MB and 0.1 s to import."""
        if compiled.policy.classify_by == "rules":
            return None
        if self._judge is None:
            from gateway.learned.judges import unpack_judges  # here: see above

            self._judge = unpack_judges(files("gateway").joinpath("data", "learned.bin").read_bytes())
        return self._judge

    def _scanner_for(self, compiled: Compiled) -> Scanner | None:
        """The scanner, made once and only where a label asks for it: its phone numbers weigh 30 MB."""
        if not compiled.policy.detecting_labels:
            return None
        self._scanner = self._scanner or Scanner.compile()
        return self._scanner

    def close(self) -> None:
        """Ask nobody for credentials any more."""
        self._minter.close()

    # -- what happens ------------------------------------------------------------------------------------------------

    def trace(self, sampling: Sampling, take: Callable[[Decision, Ask], Decision]) -> None:
        """Give each request from now on its place in a trace; `take` says, when it is over, what there is of it."""
        self.walk.sampling = sampling
        self._traced = take

    def evaluate(self, hand_over: Callable[[Half], None]) -> None:
        """From now on draw requests of routes that evaluate; `hand_over` takes each with its answer, and returns at
        once."""

        def counted(half: Half) -> None:
            self.metrics.drawn.add((half.route,))
            hand_over(half)

        self.walk.evaluator = Evaluator(counted)

    def _ended(self, ended: Ended) -> None:
        """Remember a run until the end of this turn of the loop: answers go out first (`upstream.turn`), and records
        made one right after the other cost a third less than each between two requests."""
        if not self._ends:
            asyncio.get_running_loop().call_soon(self.settle)
        self._ends.append(ended)

    def settle(self) -> None:
        """Make the records of what has ended, now."""
        ends, self._ends = self._ends, []
        for ended in ends:
            try:
                self._record(self.walk.settled(ended), ended.run.request.ask)
            except Exception:  # one that cannot be made must not take the others with it
                log.exception("the record of request %s could not be made", ended.run.request.id)

    def _record(self, decision: Decision, ask: Ask) -> None:
        if self._traced is not None:
            decision = self._traced(decision, ask)
        self.metrics.observe(decision)
        self.today.add(decision)
        self.variants.add(decision)
        line = self._lines.line(decision)
        self.recent.add(line if decision.texts is None else self._lines.line(replace(decision, texts=None)))
        self._records.add(decision, line)

    def keep(self, row: Row) -> None:
        """Put a row of another kind (feedback) into the decision stream."""
        self._records.add(row, self._lines.line(row))
        if isinstance(row, Mapping):
            self.variants.judged(row, self.recent)

    def ring(self) -> KeyRing | None:
        """The client keys in force; None: the API is open."""
        return self._ring

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _endpoint_facts(self) -> Iterable[EndpointFacts]:
        world = self.walk.parts.planner.world
        return endpoint_facts(world.policy, world.prices, self.clock.epoch_s())

    def _provider_uses(self) -> Iterable[ProviderUse]:
        in_flight = {name: line.load.attempts for name, line in self.walk.parts.lines.items()}
        providers = self.compiled.policy.catalog.providers.values()
        return provider_uses(providers, in_flight, self._upstream.stats())

    def views(self) -> Views:
        """What the admin port shows. Its `explain` asks for no key: it sends nothing, and tells what the page does."""
        desk = Desk(self.walk, Door(lambda: None, lambda: None))
        return Views(
            ready=self.unready,
            config=lambda: effective(self.compiled.policy),
            outcomes=lambda: self.book.outcomes(self._life, self.clock.now_s()),
            overview=lambda: overview(self),
            recent=self.recent,
            stream=Broadcast(Live(lambda: overview(self), self.recent, self.clock.now_s)),
            explain=lambda request: explain(desk, self.walk, request),
        )

    def unready(self) -> str | None:
        """Why requests should go elsewhere, in words."""
        return "draining" if self.draining else self.waiting_for or None

    def totals(self) -> Mapping[str, float]:
        """Sums since the start."""
        return self.metrics.totals()


def _providers(compiled: Compiled) -> dict[str, str]:
    return {name: endpoint.provider for name, endpoint in compiled.policy.catalog.endpoints.items()}


def _ring(compiled: Compiled) -> KeyRing | None:
    keys = compiled.policy.keys
    return None if keys is None else KeyRing(keys)
