"""What is known of every endpoint: probes and live outcomes become windows and breakers, and these the snapshot's
entries.

Three breakers stand behind the published state, the worst of which counts: the endpoint's own; its provider's `reach`,
moved by free checks; and its provider's `account`, which opens when an answer says that our key or balance is at
fault, and which no free check can close again. A success of an endpoint speaks for all three.

All times are seconds of one clock that only moves forward; `offset_s` turns them into Unix time. Decides nothing about
when to probe or to publish.
"""

from collections.abc import Iterator, Mapping
from math import ceil

from gateway.core.breaker import Breaker, BreakerRules, Event, State, standing, step
from gateway.core.failure import FailureKind
from gateway.core.guards import worse
from gateway.core.health import EndpointSnapshot
from gateway.core.outcomes import EndpointOutcomes
from gateway.core.window import Ring
from monitor.durations import Durations
from monitor.probe import Finding, ProbeResult, Standing

SHORT_S = 300.0  # over which the success ratio is taken
SLICES = 30
ERROR_CHARS = 200  # of `last_error`: all shards share one ConfigMap of 1 MiB
LONGEST_LIMIT_S = 3_600.0  # a rate-limit horizon is published at most so far ahead; then the endpoint is asked again


class _Watched:
    """A breaker, and what was last said against what it stands for."""

    __slots__ = ("breaker", "last_error")

    def __init__(self, now_s: float) -> None:
        self.breaker = Breaker(since_s=now_s)
        self.last_error: str | None = None

    def due(self, now_s: float) -> bool:
        """Whether an open breaker wants its first trial."""
        return self.breaker.state is State.OPEN and now_s >= self.breaker.retry_at_s

    def enter(self, now_s: float, rules: BreakerRules) -> None:
        """Begin the trial, where one is due."""
        if self.due(now_s):
            self.breaker = step(self.breaker, Event.ENTERED, now_s, rules)

    def apply(self, event: Event, now_s: float, rules: BreakerRules) -> None:
        """Let the event happen; where a trial is due, it is that trial's end."""
        self.enter(now_s, rules)
        self.breaker = step(self.breaker, event, now_s, rules)


class _Provider:
    __slots__ = ("account", "checked_s", "checks", "lists_models", "reach")

    def __init__(self, now_s: float) -> None:
        self.checked_s = now_s
        self.reach = _Watched(now_s)
        self.account = _Watched(now_s)
        self.checks = Ring(60, 60.0)
        self.lists_models = True  # until it says otherwise


class _Endpoint:
    __slots__ = (
        "counts", "durations", "heard_s", "limited_until_s", "live_row", "misconfigured_s", "own", "probes",
        "provider", "provider_id", "served_s",
    )  # fmt: skip

    def __init__(self, provider_id: str, provider: _Provider, now_s: float) -> None:
        self.provider_id = provider_id
        self.provider = provider
        self.own = _Watched(now_s)
        self.counts = Ring(SLICES, SHORT_S / SLICES)
        self.probes = Ring(60, 60.0)
        self.durations = Durations()
        self.limited_until_s: float | None = None
        self.misconfigured_s: float | None = None
        self.served_s: float | None = None
        self.heard_s = now_s
        self.live_row = 0

    @property
    def watched(self) -> tuple[_Watched, _Watched, _Watched]:
        return self.own, self.provider.account, self.provider.reach


class Ledger:
    """Mutable, one per process. The same calls with the same times always give the same entries."""

    def __init__(self, providers: Mapping[str, str], rules: BreakerRules, now_s: float) -> None:
        """`providers`: endpoint id to provider id."""
        self._rules = rules
        self._endpoints: dict[str, _Endpoint] = {}
        self._providers: dict[str, _Provider] = {}
        self.reconfigure(providers, rules, now_s)

    def reconfigure(self, providers: Mapping[str, str], rules: BreakerRules, now_s: float) -> None:
        """Take over a new configuration; what remains in it keeps its history."""
        self._rules = rules
        self._providers = {id_: self._providers.get(id_) or _Provider(now_s) for id_ in set(providers.values())}
        for provider in self._providers.values():
            provider.lists_models = True
        self._endpoints = {
            id_: self._endpoints.get(id_) or _Endpoint(provider, self._providers[provider], now_s)
            for id_, provider in providers.items()
        }

    def restore(self, id_: str, entry: EndpointSnapshot, now_s: float, offset_s: float) -> None:
        """Take over a breaker that another process published as not closed, rather than finding out anew."""
        endpoint = self._endpoints.get(id_)
        if endpoint is None or entry.breaker is State.CLOSED:
            return
        endpoint.own.breaker = Breaker(
            State.OPEN,
            since_s=min(entry.since_s - offset_s, now_s),
            generation=1,
            row=entry.consecutive_failures,
            open_for_s=self._rules.open_for_s,
        )
        endpoint.own.last_error = entry.last_error

    # -- what is due ---------------------------------------------------------------------------------------------------

    def trials(self, now_s: float) -> Iterator[str]:
        """Endpoints of which a trial is due: their own, or the first of a provider whose account wants one."""
        asked: set[int] = set()
        for id_, endpoint in self._endpoints.items():
            account = endpoint.provider.account
            if endpoint.own.due(now_s) or (account.due(now_s) and id(account) not in asked):
                asked.add(id(account))
                yield id_

    def checks(self, now_s: float) -> Iterator[str]:
        """Providers of which a check is due as a trial."""
        return (id_ for id_, provider in self._providers.items() if provider.reach.due(now_s))

    def standing(self, id_: str, now_s: float) -> Standing:
        """What speaks for and against probing the endpoint now."""
        endpoint = self._endpoints[id_]
        trial = endpoint.own.due(now_s) or endpoint.provider.account.due(now_s)
        return Standing(now_s, endpoint.served_s, endpoint.misconfigured_s, trial)

    def heard_s(self, id_: str) -> float:
        """When anything was last heard of the endpoint: by a probe of it or of its provider, or from live traffic.

        Before that it is when it was first watched.
        """
        endpoint = self._endpoints[id_]
        return max(endpoint.heard_s, endpoint.provider.checked_s)

    def lists_models(self, provider: str) -> bool:
        """Whether the provider's list of models can be used as a check."""
        return self._providers[provider].lists_models

    def reach(self, provider: str) -> State:
        """The state of the breaker that the provider's checks move."""
        return self._providers[provider].reach.breaker.state

    def enter(self, id_: str, now_s: float) -> None:
        """A completion by the endpoint begins."""
        endpoint = self._endpoints[id_]
        endpoint.own.enter(now_s, self._rules)
        endpoint.provider.account.enter(now_s, self._rules)

    def enter_check(self, provider: str, now_s: float) -> None:
        """A check of the provider begins."""
        self._providers[provider].reach.enter(now_s, self._rules)

    # -- what happened -------------------------------------------------------------------------------------------------

    def checked(self, provider_id: str, finding: Finding, result: ProbeResult, now_s: float) -> None:
        """A free check of the provider came to this."""
        provider = self._providers.get(provider_id)
        if provider is None:
            return
        reach = provider.reach
        provider.checked_s = now_s
        provider.checks.succeeded(now_s)
        match finding:
            case Finding.OK:
                reach.last_error = None
                reach.apply(Event.SUCCEEDED, now_s, self._rules)
            case Finding.FAILED:
                reach.last_error = _error(result)
                reach.apply(Event.FAILED, now_s, self._rules)
            case Finding.REFUSED:
                reach.last_error = _error(result)
                reach.apply(Event.BROKE, now_s, self._rules)
            case Finding.MISCONFIGURED:
                provider.lists_models = False
                reach.apply(Event.ENDED, now_s, self._rules)
            case Finding.RATE_LIMITED | Finding.VOID:
                reach.apply(Event.ENDED, now_s, self._rules)

    def probed(self, id_: str, finding: Finding, result: ProbeResult, now_s: float) -> None:
        """A completion by the endpoint came to this."""
        endpoint = self._endpoints.get(id_)
        if endpoint is None:
            return
        endpoint.heard_s = now_s
        endpoint.probes.succeeded(now_s)
        if result.failure is not None and result.failure.retry_after_s is not None:
            _limit(endpoint, result.failure.retry_after_s, now_s)
        match finding:
            case Finding.OK:
                endpoint.misconfigured_s = None
                endpoint.durations.add(now_s, result.total_ms, result.ttfb_ms)
                self._succeeded(endpoint, 1, now_s)
            case Finding.FAILED:
                self._failed(endpoint, 1, _error(result), Event.FAILED, now_s)
            case Finding.RATE_LIMITED:
                self._failed(endpoint, 1, _error(result), Event.THROTTLED, now_s)
            case Finding.REFUSED:
                self._refused(endpoint, result, now_s)
            case Finding.MISCONFIGURED:
                endpoint.misconfigured_s = now_s
                endpoint.own.last_error = f"misconfigured probe: {_error(result)}"[:ERROR_CHARS]
                self._ended(endpoint, now_s)
            case Finding.VOID:
                self._ended(endpoint, now_s)

    def lived(self, id_: str, news: EndpointOutcomes, now_s: float) -> None:
        """Live traffic came to this since the last report."""
        endpoint = self._endpoints.get(id_)
        if endpoint is None:
            return
        if news.ok or news.failed or news.rate_limited:
            endpoint.heard_s = now_s
        for sample in news.samples:
            endpoint.durations.add(now_s, sample.total_ms, sample.ttfb_ms)
        if news.rate_limited_for_s:
            _limit(endpoint, news.rate_limited_for_s, now_s)
        broke = self._breaks(news)
        if news.ok and not broke:
            endpoint.served_s = now_s
            self._succeeded(endpoint, news.ok, now_s)
        else:
            endpoint.counts.succeeded(now_s, news.ok)
        endpoint.live_row = news.consecutive_failures
        if failed := news.failed + news.rate_limited:
            error = None if news.last_error is None else news.last_error[:ERROR_CHARS]
            self._failed(endpoint, failed, error, Event.BROKE if broke else Event.THROTTLED, now_s)
        for _ in range(0 if broke else min(news.failed, news.consecutive_failures)):
            endpoint.own.apply(Event.FAILED, now_s, self._rules)

    def _breaks(self, news: EndpointOutcomes) -> bool:
        """Whether the news alone opens a breaker by its rules."""
        failed = news.failed + news.rate_limited
        total = news.ok + failed
        too_often = total >= self._rules.min_requests and failed >= self._rules.error_rate * total
        return failed > 0 and (too_often or news.consecutive_failures >= self._rules.failures)

    def _succeeded(self, endpoint: _Endpoint, count: int, now_s: float) -> None:
        endpoint.counts.succeeded(now_s, count)
        endpoint.live_row = 0
        for watched in endpoint.watched:
            watched.last_error = None
            watched.apply(Event.SUCCEEDED, now_s, self._rules)

    def _failed(self, endpoint: _Endpoint, count: int, error: str | None, event: Event, now_s: float) -> None:
        endpoint.counts.failed(now_s, count)
        endpoint.own.last_error = error or endpoint.own.last_error
        endpoint.own.apply(event, now_s, self._rules)
        endpoint.provider.account.apply(Event.ENDED, now_s, self._rules)

    def _refused(self, endpoint: _Endpoint, result: ProbeResult, now_s: float) -> None:
        """A missing model is the endpoint's own trouble, our key or balance the whole provider's."""
        if result.failure is not None and result.failure.kind is FailureKind.NOT_FOUND:
            self._failed(endpoint, 1, _error(result), Event.BROKE, now_s)
            return
        endpoint.counts.failed(now_s)
        account = endpoint.provider.account
        account.last_error = _error(result)
        account.apply(Event.BROKE, now_s, self._rules)
        endpoint.own.apply(Event.ENDED, now_s, self._rules)

    def _ended(self, endpoint: _Endpoint, now_s: float) -> None:
        endpoint.own.apply(Event.ENDED, now_s, self._rules)
        endpoint.provider.account.apply(Event.ENDED, now_s, self._rules)

    # -- what is published ---------------------------------------------------------------------------------------------

    def state(self, id_: str, now_s: float) -> State:
        """The published state: HALF_OPEN where a trial is due that nobody has begun."""
        found = State.CLOSED
        for watched in self._endpoints[id_].watched:
            found = worse(found, standing(watched.breaker, now_s, self._rules))
        return found

    def states(self, now_s: float) -> dict[str, State]:
        """The published state of all endpoints."""
        return {id_: self.state(id_, now_s) for id_ in self._endpoints}

    def entry(self, id_: str, now_s: float, offset_s: float) -> EndpointSnapshot:
        """The endpoint's part of the snapshot, in Unix time, rounded so that noise is no change."""
        endpoint = self._endpoints[id_]
        rows = [watched.breaker.row for watched in endpoint.watched]
        errors = [watched.last_error for watched in endpoint.watched if watched.last_error is not None]
        ratio = endpoint.counts.counts(now_s).ok_ratio
        limited_s = endpoint.limited_until_s
        durations = endpoint.durations.quantiles(now_s)
        return EndpointSnapshot(
            breaker=self.state(id_, now_s),
            since_s=round(_since_s(endpoint) + offset_s),
            ok_ratio=None if ratio is None else round(ratio, 3),
            consecutive_failures=max(*rows, endpoint.live_row),
            ttfb_ms=durations.ttfb,
            total_ms=durations.total,
            ttfb_1h_ms=durations.ttfb_1h,
            total_1h_ms=durations.total_1h,
            probes=endpoint.probes.counts(now_s).ok + endpoint.provider.checks.counts(now_s).ok,
            last_error=errors[0] if errors else None,
            rate_limited_until_s=ceil(limited_s + offset_s) if limited_s is not None and limited_s > now_s else None,
        )


def _since_s(endpoint: _Endpoint) -> float:
    """Since when the worst of the breakers is as it is; of equal ones the latest change."""
    worst = endpoint.own.breaker
    for watched in endpoint.watched:
        breaker = watched.breaker
        if breaker.state is worst.state:
            worst = breaker if breaker.since_s > worst.since_s else worst
        elif worse(breaker.state, worst.state) is breaker.state:
            worst = breaker
    return worst.since_s


def _limit(endpoint: _Endpoint, for_s: float, now_s: float) -> None:
    until_s = now_s + min(for_s, LONGEST_LIMIT_S)
    endpoint.limited_until_s = max(endpoint.limited_until_s or now_s, until_s)


def _error(result: ProbeResult) -> str:
    assert result.failure is not None, "only failures are described"
    return f"{result.failure.kind.value}: {result.failure.message}"[:ERROR_CHARS]
