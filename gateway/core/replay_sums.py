"""What a replay adds up, by route and task."""

from collections import Counter
from dataclasses import dataclass, field, fields

from gateway.core.chat import Json
from gateway.core.shares import wilson

MOVES_SHOWN = 12


@dataclass(slots=True)
class Sums:
    """Requests of one slice, then and now. Costs are compared where both are known: over `priced` requests."""

    requests: int = 0
    answered: int = 0  # content was delivered
    unplanned: int = 0  # refused before they had a route
    unserved: int = 0  # no plan now
    moved: int = 0  # of those with a plan, would go to another endpoint
    priced: int = 0
    recorded_usd: float = 0.0  # of the answers, without attempts that failed
    replayed_usd: float = 0.0
    unpriced: int = 0  # answered, and the cost then or now is unknown
    failed_usd: float = 0.0  # of attempts that failed: on neither side
    baselined: int = 0  # of the priced, have a baseline with a price
    baseline_usd: float = 0.0
    saved_usd: float = 0.0  # against that baseline
    recorded_saved_usd: float = 0.0  # as the records say, against theirs
    same: int = 0  # answers that would come from the same endpoint
    known: int = 0  # of those, have feedback or were asked for a form: their quality is known
    good: int = 0  # of those, were found good
    poor: int = 0  # of the known, were found bad
    plain_known: int = 0  # of the known, were not escalated
    plain_poor: int = 0  # of those, were found bad
    bad: int = 0  # of the same, were useless: broken off, no JSON though asked, or with the worst feedback
    signals: Counter[str] = field(default_factory=Counter)  # of all requests, what became of them: `core.signals`
    partial: int = 0  # planned with candidates missing that records only count
    rerouted: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)  # endpoints, summed over requests
    refusals: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Sums") -> None:
        """Take in another slice."""
        for name in (each.name for each in fields(self)):
            mine, more = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(more)
            else:
                setattr(self, name, mine + more)

    def json(self) -> dict[str, Json]:
        """For programs."""
        low, high = wilson(self.good, self.known)
        return {
            "requests": self.requests,
            "answered": self.answered,
            "refused_before_routing": self.unplanned,
            "unserved": self.unserved,
            "moved": self.moved,
            "cost": {
                "requests": self.priced,
                "unknown": self.unpriced,
                "recorded_usd": self.recorded_usd,
                "replayed_usd": self.replayed_usd,
                "difference_usd": self.replayed_usd - self.recorded_usd,
                "failed_attempts_usd": self.failed_usd,
            },
            "saved": {
                "requests": self.baselined,
                "baseline_usd": self.baseline_usd,
                "replayed_usd": self.saved_usd,
                "recorded_usd": self.recorded_saved_usd,
            },
            "quality": {
                "signals": dict(sorted(self.signals.items())),
                "known": self.known,
                "known_share": self.known / self.answered if self.answered else None,
                "good": self.good,
                "good_share": self.good / self.known if self.known else None,
                "good_interval_95": [low, high] if self.known else None,
                "poor": self.poor,
                "same_endpoint": self.same,
                "bad": self.bad,
                "bad_share": self.bad / self.same if self.same else None,
            },
            "partial_evidence": self.partial,
            "route_unknown": self.rerouted,
            "excluded": dict(sorted(self.excluded.items())),
            "refusals": dict(sorted(self.refusals.items())),
            "moves": [
                {"from": then, "to": now, "requests": count}
                for (then, now), count in self.moves.most_common(MOVES_SHOWN)
            ],
        }
