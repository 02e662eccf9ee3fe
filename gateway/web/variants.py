"""The variants of every split beside each other, for the page: what this process has seen since it began, or since the
split changed. Small sums per variant; of sessions, a bounded number of hashes.

`pointsman experiment` does the same with a log, in which the requests of all processes are.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.core.decision import Decision, Outcome
from gateway.core.experiment import Experiment, Seen, imbalance, told
from gateway.core.policy import Route
from gateway.edge.shown import iso
from gateway.web.recent import Recent

CONFIDENCE = 0.95
TOLERANCE = 0.02  # of failures, as `pointsman experiment` has it
SESSIONS = 20_000  # of a route; the ratio is judged by the first ones, which is as valid and stays small
_OK, _PARTIAL, _FAILED = Outcome.OK, Outcome.PARTIAL, Outcome.FAILED
_DECIDED = frozenset({_OK, _PARTIAL, _FAILED})  # a client that left, or was refused, says nothing of a variant


class Variants:
    """Mutable; one per gateway process."""

    def __init__(self) -> None:
        self._splits: dict[str, _Split] = {}

    def reconfigure(self, routes: Iterable[Route], now_s: float) -> None:
        """Keep what was seen of splits that stay as they are; others begin anew."""
        kept = self._splits
        self._splits = {}
        for route in routes:
            weights = {variant.name: variant.weight for variant in route.split}
            if len(weights) > 1:
                before = kept.get(route.name)
                same = before is not None and before.weights == weights
                self._splits[route.name] = before if before is not None and same else _Split(weights, now_s)

    def add(self, decision: Decision) -> None:
        """Count one finished request; most are of no split."""
        considered = decision.considered
        if considered is None or considered.variant is None or decision.outcome not in _DECIDED:
            return
        split = self._splits.get(considered.route.name)
        if split is not None:
            split.see(considered.variant.name, considered.session, decision)

    def judged(self, feedback: Mapping[str, Any], recent: Recent) -> None:
        """Count feedback on a request that this process answered lately; on any other, only a log tells its variant."""
        if not self._splits:
            return
        found = recent.find(str(feedback["decision"]))
        split = None if found is None else self._splits.get(found["route"])
        if found is not None and split is not None:
            split.experiment.judged(found["variant"], feedback["score"])

    def told(self) -> list[dict[str, Any]]:
        """Each split as JSON types."""
        return [{"route": route, **split.told()} for route, split in self._splits.items()]


class _Split:
    """What was seen of one."""

    def __init__(self, weights: Mapping[str, float], since_s: float) -> None:
        self.weights = weights
        self.experiment = Experiment(list(weights), CONFIDENCE)
        self._since_s = since_s
        self._sessions: dict[str, set[int]] = {name: set() for name in weights}
        self._room = SESSIONS

    def see(self, variant: str, session: str, decision: Decision) -> None:
        seen = Seen(
            variant, decision.cost_usd, decision.latency_ms, decision.ttft_ms, failed=decision.outcome is not _OK
        )
        self.experiment.see(seen)
        sessions = self._sessions.get(variant)
        if sessions is not None and self._room and (mark := hash(session or decision.id)) not in sessions:
            sessions.add(mark)
            self._room -= 1

    def told(self) -> dict[str, Any]:
        units = {name: len(marks) for name, marks in self._sessions.items()}
        shown = told(self.experiment, units, imbalance(units, self.weights), TOLERANCE)
        return {"since": iso(self._since_s), "confidence": CONFIDENCE, "weights": dict(self.weights), **shown}
