"""The gateway's book of health: its own breakers, rate-limit horizons and first-token times, joined with the monitor's
snapshot.

The plan reads one frozen `Health`; it is made anew when something changed, and four times a second for what time
alone changes. Only endpoints that something speaks against are looked at then, so that a catalog of thousands costs
nothing while all is well.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.breaker import Blame, BreakerRules, Guard, State, blame
from gateway.core.failure import Failure, FailureKind
from gateway.core.guards import EndpointGuard, Guards, Ticket
from gateway.core.health import (
    EndpointSnapshot,
    OwnHealth,
    Seen,
    ShardSnapshot,
    Verdict,
    join,
    observe,
    outdated,
    shifted,
    weight,
)
from gateway.core.outcomes import EndpointOutcomes, Outcomes, Sample, Tally, encode_outcomes
from gateway.core.plan import Health, Ill
from gateway.core.screen import BREAKER_OPEN, RATE_LIMITED
from gateway.core.window import Percentiles, Quantiles

REFRESH_S = 0.25  # how late may be noticed what time alone changes, but for the end of a horizon told to a client
TTFT_SPAN_S = 300.0  # as the monitor's short window
RATE_LIMIT_DEFAULT_S = 5.0  # horizon of a 429 that gives none
UNWATCHED = Ticket(0, 0)  # of an attempt at an endpoint that a reload has taken away


@dataclass(slots=True)
class _Own:
    """What this gateway saw of one endpoint."""

    guard: EndpointGuard
    limited_until_s: float | None = None
    ttft_ms: Percentiles = field(default_factory=lambda: Percentiles(TTFT_SPAN_S))
    ttft_fresh: bool = False  # samples came since p95 was last computed
    ttft_p95_ms: float | None = None
    ttft_last_s: float = 0.0  # when the last sample came
    tally: Tally = field(default_factory=Tally)

    def limit(self, until_s: float) -> None:
        """Note a horizon; a shorter one, told by another answer under way, does not end a longer one."""
        self.limited_until_s = max(until_s, self.limited_until_s or until_s)


@dataclass(frozen=True, slots=True)
class _Published:
    entry: EndpointSnapshot
    seen: Seen
    period_s: float

    def weight(self, now_s: float) -> float:
        return weight(now_s - self.seen.since_s, self.period_s)


@dataclass(frozen=True, slots=True)
class Sight:
    """All that is known of an endpoint, for people; times on the book's clock."""

    verdict: Verdict
    retry_at_s: float  # when an open breaker's trial may begin
    ttft_ms: Quantiles | None  # of this gateway's streams in the last minutes
    outcomes: EndpointOutcomes
    published: EndpointSnapshot | None  # while it counts for anything


class HealthBook:
    """Mutable; one per gateway process. Times are monotonic seconds of one clock."""

    def __init__(self, providers: Mapping[str, str], rules: BreakerRules) -> None:
        """`providers`: endpoint id to provider id."""
        self._guards = Guards(providers, rules)
        self._own: dict[str, _Own] = {name: _Own(guard) for name, guard in self._guards.items()}
        self._published: dict[str, _Published] = {}
        self._seen: dict[int, Seen] = {}
        self._watched: set[str] = set()
        self._counted: dict[str, State] = {}  # by this gateway's own breakers, when it was last looked
        self._shared: dict[Guard, State] = {}  # of the providers' breakers likewise
        self.transitions: Counter[tuple[str, State, State]] = Counter()  # endpoint, from, to
        self._health = Health()
        self._due_s = 0.0

    def reconfigure(self, providers: Mapping[str, str], rules: BreakerRules) -> None:
        """Take over a new catalog; endpoints that stay keep their state."""
        self._guards = self._guards.renewed(providers, rules)
        before = self._own
        self._own = {}
        for name, guard in self._guards.items():
            own = before.get(name) or _Own(guard)
            own.guard = guard
            self._own[name] = own
        self._watched &= self._own.keys()
        self._counted = {name: state for name, state in self._counted.items() if name in self._own}
        self._shared = {own.guard.provider: own.guard.provider.breaker.state for own in self._own.values()}
        self._due_s = 0.0

    # -- what the plan reads -----------------------------------------------------------------------------------------

    def health(self, now_s: float) -> Health:
        """The state of all endpoints, at most `REFRESH_S` old; a horizon ends to the moment."""
        if now_s >= self._due_s:
            self._health = self._joined(now_s)
            ends = [one.until_s for one in self._health.ill.values() if one.until_s is not None and one.until_s > now_s]
            self._due_s = min([now_s + REFRESH_S, *ends])
        return self._health

    def verdict(self, name: str, now_s: float) -> Verdict:
        """Both sides' word on one endpoint."""
        own = self._own[name]
        state = own.guard.standing(now_s)
        limited = own.limited_until_s if own.limited_until_s is not None and own.limited_until_s > now_s else None
        seen = OwnHealth(
            state=state,
            counts=own.guard.own.counts(now_s),
            proven=own.guard.own.proven(now_s),
            rate_limited_until_s=limited,
            ttft_p95_ms=own.ttft_p95_ms,
        )
        published = self._published.get(name)
        if published is None:
            return join(seen, None, 0.0, 1.0, now_s)
        return join(seen, published.entry, now_s - published.seen.since_s, published.period_s, now_s)

    def sight(self, name: str, now_s: float) -> Sight:
        """Everything about one endpoint; percentiles are computed only where there are samples."""
        own, published = self._own[name], self._published.get(name)
        recent = own.ttft_last_s > 0 and now_s - own.ttft_last_s <= TTFT_SPAN_S
        return Sight(
            verdict=self.verdict(name, now_s),
            retry_at_s=own.guard.retry_at_s(now_s),
            ttft_ms=own.ttft_ms.quantiles(now_s) if recent else None,
            outcomes=own.tally.outcomes(None),
            published=published.entry if published is not None and published.weight(now_s) > 0 else None,
        )

    def _joined(self, now_s: float) -> Health:
        ill: dict[str, Ill] = {}
        for name in list(self._watched):
            verdict = self.verdict(name, now_s)
            if verdict.rate_limited:
                ill[name] = Ill(RATE_LIMITED, verdict.rate_limited_until_s, verdict.badness)
            elif verdict.open:
                ill[name] = Ill(BREAKER_OPEN, self._own[name].guard.retry_at_s(now_s), verdict.badness)
            elif self._well(name):
                self._watched.discard(name)
        return Health(ill, self._ttfts(now_s), self._health.total_p50_ms)

    def _well(self, name: str) -> bool:
        """Whether nothing at all speaks against an endpoint any more, so that it need not be watched."""
        own, published = self._own[name], self._published.get(name)
        if own.guard.own.breaker.state is not State.CLOSED or own.guard.provider.breaker.state is not State.CLOSED:
            return False
        return published is None or (
            published.entry.breaker is State.CLOSED and published.entry.rate_limited_until_s is None
        )

    def _ttfts(self, now_s: float) -> Mapping[str, float]:
        found = {}
        for name, own in self._own.items():
            if own.ttft_fresh:
                quantiles = own.ttft_ms.quantiles(now_s)
                own.ttft_p95_ms = None if quantiles is None else quantiles.p95
                own.ttft_fresh = False
            elif now_s - own.ttft_last_s > TTFT_SPAN_S:
                own.ttft_p95_ms = None  # who was slow once and is avoided since must get another chance
            if own.ttft_p95_ms is not None:
                found[name] = own.ttft_p95_ms
            elif (p95_ms := self._published_ttft_ms(name, now_s)) is not None:
                found[name] = p95_ms
        return found

    def _published_ttft_ms(self, name: str, now_s: float) -> float | None:
        published = self._published.get(name)
        if published is None or published.entry.ttfb_ms is None:
            return None
        return published.entry.ttfb_ms.p95 if published.weight(now_s) > 0 else None

    # -- what attempts report ----------------------------------------------------------------------------------------

    def enter(self, name: str, now_s: float) -> Ticket | None:
        """Let an attempt through, or refuse it (another one has the trial).

        A request that began before a reload may try an endpoint that is no longer in the file.
        """
        own = self._own.get(name)
        if own is None:
            return UNWATCHED
        ticket = own.guard.enter(now_s)
        if name in self._watched:
            self._count(name)
        return ticket

    def enter_anyway(self, name: str, now_s: float) -> Ticket:
        """Let an attempt through since there is nothing better."""
        own = self._own.get(name)
        if own is None:
            return UNWATCHED
        ticket = own.guard.enter_anyway(now_s)
        self._count(name)
        return ticket

    def succeeded(self, name: str, ticket: Ticket, sample: Sample, now_s: float) -> None:
        """An attempt went well; `sample.ttfb_ms` is the time to its first content, for streams."""
        own = self._own.get(name)
        if own is None:
            return
        own.guard.succeeded(ticket, now_s)
        own.tally.succeeded(sample)
        ttft_ms = sample.ttfb_ms
        if ttft_ms is not None:
            own.ttft_ms.add(now_s, ttft_ms)
            own.ttft_fresh, own.ttft_last_s = True, now_s
        if name in self._watched:
            self._count(name)
            self._due_s = 0.0

    def failed(self, name: str, ticket: Ticket, failure: Failure, now_s: float) -> None:
        own = self._own.get(name)
        if own is None:
            return
        own.guard.failed(ticket, failure.kind, now_s)
        own.tally.failed(failure)
        wait_s = None if blame(failure.kind) is Blame.NONE else failure.retry_after_s
        if wait_s is None and failure.kind is FailureKind.RATE_LIMITED:
            wait_s = RATE_LIMIT_DEFAULT_S
        if wait_s is not None:
            own.limit(now_s + wait_s)
        self._watched.add(name)
        self._watched.update(self._siblings(name))
        self._count(name)
        self._due_s = 0.0

    def limited(self, name: str, wait_s: float, now_s: float) -> None:
        """A successful answer said that nothing is left for `wait_s` seconds."""
        own = self._own.get(name)
        if own is not None:
            own.limit(now_s + wait_s)
            self._watched.add(name)
            self._due_s = 0.0

    def _siblings(self, name: str) -> set[str]:
        """Endpoints behind the same provider, once that provider's breaker is not closed."""
        shared = self._own[name].guard.provider
        if shared.breaker.state is State.CLOSED:
            return set()
        return {other for other, own in self._own.items() if own.guard.provider is shared}

    def _count(self, name: str) -> None:
        """Count what has changed of the endpoint's own breakers, and of its siblings' where they share the change."""
        shared = self._own[name].guard.provider
        names = [name]
        if shared.breaker.state is not self._shared.get(shared, State.CLOSED):
            self._shared[shared] = shared.breaker.state
            names = [other for other, own in self._own.items() if own.guard.provider is shared]
        for one in names:
            before, state = self._counted.get(one, State.CLOSED), self._own[one].guard.state
            if state is not before:
                self.transitions[one, before, state] += 1
                self._counted[one] = state

    # -- what the monitor publishes ----------------------------------------------------------------------------------

    def publish(self, shard: ShardSnapshot, now_s: float, epoch_s: float) -> None:
        """Take in one shard as read now, unless a newer one is known."""
        if outdated(self._seen.get(shard.shard), shard, now_s):
            return
        seen = self._seen[shard.shard] = observe(self._seen.get(shard.shard), shard.epoch, shard.seq, now_s)
        local = shifted(shard, now_s - epoch_s)
        for name, entry in local.endpoints.items():
            if name in self._own:
                self._published[name] = _Published(entry, seen, shard.period_s)
                if entry.breaker is not State.CLOSED or entry.rate_limited_until_s is not None:
                    self._watched.add(name)
        totals = {n: p.entry.total_ms.p50 for n, p in self._published.items() if p.entry.total_ms is not None}
        self._health = Health(self._health.ill, self._health.ttft_p95_ms, totals)
        self._due_s = 0.0

    def outcomes(self, since: str, now_s: float) -> bytes:
        """The report for the monitor; `since` names this process."""
        entries = {}
        for name, own in self._own.items():
            until_s = own.limited_until_s
            entries[name] = own.tally.outcomes(None if until_s is None or until_s <= now_s else until_s - now_s)
        return encode_outcomes(Outcomes(since, entries))

    def snapshot_age_s(self, now_s: float) -> float | None:
        """Age of the oldest shard, or None where none was ever read."""
        return max((now_s - seen.since_s for seen in self._seen.values()), default=None)

    def states(self, now_s: float) -> dict[str, State]:
        """Joined state of every endpoint, for metrics and pages."""
        return {name: self.verdict(name, now_s).state if name in self._watched else State.CLOSED for name in self._own}

    def horizons(self, now_s: float, epoch_s: float) -> dict[str, float]:
        """Until when each rate-limited endpoint is left alone, Unix time."""
        ends = {name: self.verdict(name, now_s).rate_limited_until_s for name in self._watched}
        return {name: until_s + epoch_s - now_s for name, until_s in ends.items() if until_s is not None}
