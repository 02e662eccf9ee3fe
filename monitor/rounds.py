"""The rounds: whose probe is due, whether it is worth its money, sending it, and telling the ledger what came of it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping

from gateway.core.breaker import State
from gateway.core.catalog import Endpoint, Provider
from gateway.core.pricing import Price
from gateway.formats.registry import wire_format
from monitor.budget import Purse, charged, filled, opened
from monitor.ledger import Ledger
from monitor.ports import Clock, Prober
from monitor.probe import (
    Finding,
    Means,
    ProbeResult,
    Wanted,
    bound_usd,
    check_finding,
    check_means,
    completion_finding,
    spent_usd,
    wanted,
)
from monitor.schedule import Target, again_s, begun, due, next_s, targets
from monitor.watchlist import Watchlist

UNHEARD_PERIODS = 2  # after so many an endpoint counts as not covered
AT_ONCE = 32  # probes under way; a catalog's worth of first probes must not queue in the provider's connection pool


class Rounds:
    """Mutable; one per process, used from one event loop."""

    def __init__(self, watchlist: Watchlist, ledger: Ledger, prober: Prober, clock: Clock) -> None:
        self._ledger = ledger
        self._prober = prober
        self._clock = clock
        self._turns: dict[Target, float] = {}
        self._purses: dict[str, Purse] = {}
        self._under_way: set[Target] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self.prices: Mapping[str, Price | None] = watchlist.book.prices
        self.probes: Counter[tuple[str, Means, Finding]] = Counter()  # by provider
        self.skipped: Counter[tuple[str, Wanted]] = Counter()
        self.spent_usd: dict[str, float] = defaultdict(float)  # by provider, since the start
        self.lag_s = 0.0  # how late the latest round began its most overdue probe
        self.reconfigure(watchlist)

    def reconfigure(self, watchlist: Watchlist) -> None:
        """Take over a new configuration; spending and turns go on."""
        self._watchlist = watchlist
        self.prices = watchlist.book.prices
        owners = watchlist.owners()
        mine = [
            target
            for target in targets(watchlist.catalog)
            if (target.endpoint in owners if target.endpoint else target.provider in owners.values())
        ]
        self._turns = begun(mine, self._turns, self._clock.now_s())
        epoch_s = self._clock.epoch_s()
        before = self._purses
        self._purses = {}
        for id_, provider in watchlist.catalog.providers.items():
            purse, usd = before.get(id_), provider.probe.budget_usd_per_day
            kept = purse is not None and purse.per_day_usd == usd
            self._purses[id_] = purse if purse is not None and kept else opened(usd, epoch_s)
            self.spent_usd[id_] += 0.0  # shown from the start on

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Send what is due now, as tasks of the group: turns, and trials of what is broken."""
        now_s = self._clock.now_s()
        keyless = self._prober.missing()
        turns = due(self._turns, now_s)
        self.lag_s = now_s - self._turns[turns[0]] if turns else 0.0
        for target in turns:
            self._turns[target] = next_s(target, now_s)
        for target in dict.fromkeys((*self._trials(now_s), *turns)):
            if target.provider not in keyless and target not in self._under_way:
                self._send(target, now_s, group)

    def unprobed(self) -> list[str]:
        """Endpoints that are to be probed, and of which nothing was heard for two of their periods."""
        now_s, keyless = self._clock.now_s(), self._prober.missing()
        probed = {target.provider: target.every_s for target in self._turns if target.provider not in keyless}
        return [
            id_
            for id_, provider in self._watchlist.owners().items()
            if provider in probed and now_s - self._ledger.heard_s(id_) > UNHEARD_PERIODS * probed[provider]
        ]

    def budgets(self) -> dict[str, Purse]:
        """What each provider's probes may cost, as it is now."""
        epoch_s = self._clock.epoch_s()
        return {id_: filled(purse, epoch_s) for id_, purse in self._purses.items()}

    def _trials(self, now_s: float) -> list[Target]:
        checks, trials = set(self._ledger.checks(now_s)), set(self._ledger.trials(now_s))
        return [
            target
            for target in self._turns
            if (target.endpoint in trials if target.endpoint else target.provider in checks)
        ]

    def _send(self, target: Target, now_s: float, group: asyncio.TaskGroup) -> None:
        if target.endpoint is None:
            self._ledger.enter_check(target.provider, now_s)
            self._under_way.add(target)
            provider = self._watchlist.catalog.providers[target.provider]
            # Decided here: when the task begins, the provider may have been given away.
            listed = wire_format(provider.api).models_path is not None and self._ledger.lists_models(target.provider)
            group.create_task(self._check(target, provider, check_means(provider.probe, listed)))
            return
        cost_usd = bound_usd(self.prices.get(target.endpoint), self._clock.epoch_s())
        verdict = self._wanted(target, target.endpoint, cost_usd, now_s)
        if verdict is not Wanted.YES:
            self.skipped[target.provider, verdict] += 1
            return
        self._charge(target.provider, cost_usd or 0.0)  # what may be spent is spoken for while the probe is under way
        self._ledger.enter(target.endpoint, now_s)
        self._under_way.add(target)
        endpoint = self._watchlist.catalog.endpoints[target.endpoint]
        group.create_task(self._complete(target, endpoint, cost_usd or 0.0))

    def _wanted(self, target: Target, endpoint: str, cost_usd: float | None, now_s: float) -> Wanted:
        rules = self._watchlist.catalog.providers[target.provider].probe
        purse = self._purses[target.provider] = filled(self._purses[target.provider], self._clock.epoch_s())
        return wanted(rules, self._ledger.standing(endpoint, now_s), cost_usd, purse)

    async def _check(self, target: Target, provider: Provider, means: Means) -> None:
        async with self._room:
            result = await self._prober.check(provider, means)
        finding = check_finding(result, means)
        now_s = self._clock.now_s()
        self._ledger.checked(target.provider, finding, result, now_s)
        self._done(target, means, finding, now_s)

    async def _complete(self, target: Target, endpoint: Endpoint, reserved_usd: float) -> None:
        async with self._room:
            result = await self._prober.complete(endpoint)
        self._spend(target.provider, endpoint.id, result, reserved_usd)
        finding = completion_finding(result)
        now_s = self._clock.now_s()
        self._ledger.probed(endpoint.id, finding, result, now_s)
        self._done(target, Means.COMPLETION, finding, now_s)

    def _spend(self, provider: str, id_: str, result: ProbeResult, reserved_usd: float) -> None:
        usd = spent_usd(result, self.prices.get(id_), self._clock.epoch_s())
        self.spent_usd[provider] += usd
        self._charge(provider, usd - reserved_usd)

    def _charge(self, provider: str, usd: float) -> None:
        purse = self._purses.get(provider)  # None: the provider was taken out of the configuration meanwhile
        if purse is not None:
            self._purses[provider] = charged(filled(purse, self._clock.epoch_s()), usd)

    def _done(self, target: Target, means: Means, finding: Finding, now_s: float) -> None:
        self._under_way.discard(target)
        self.probes[target.provider, means, finding] += 1
        if finding is Finding.FAILED and target in self._turns and self._still_closed(target, now_s):
            self._turns[target] = min(self._turns[target], again_s(target, now_s))

    def _still_closed(self, target: Target, now_s: float) -> bool:
        """Whether a failure has yet to be confirmed."""
        if target.endpoint is None:
            return self._ledger.reach(target.provider) is State.CLOSED
        return self._ledger.state(target.endpoint, now_s) is State.CLOSED
