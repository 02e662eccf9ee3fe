"""The tail rule: which requests are worth their spans though the head of the trace said no.

Failures, failovers and slow requests, so that what people look for is there; but only so many a second, since an outage
makes all requests such, and spans of every one would cost most when there is least to spare.
"""

from gateway.core.decision import Decision, Outcome

KEPT_PER_S = 20.0  # with three spans each of about 1 kB: 60 kB a second to a collector, 1 % of a core
BURST = 100.0

_FAILED, _PARTIAL = Outcome.FAILED, Outcome.PARTIAL  # a member of an enum costs ten times a name


class Tail:
    """Judges finished requests. Time is an argument; not shared between processes."""

    __slots__ = ("_left", "_seen_s", "_slow_ms")

    def __init__(self, slow_s: float) -> None:
        """`slow_s`: from how many seconds until the first content (of a stream) or the end a request is slow."""
        self._slow_ms = slow_s * 1000.0
        self._left = BURST
        self._seen_s = 0.0

    def keeps(self, decision: Decision, now_s: float) -> bool:
        """Whether spans of this request are made; `now_s` on any clock that does not go back."""
        if not self._notable(decision):
            return False
        self._left = min(BURST, self._left + (now_s - self._seen_s) * KEPT_PER_S)
        self._seen_s = now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def _notable(self, decision: Decision) -> bool:
        if len(decision.attempts) > 1 or decision.status >= 500:
            return True
        waited_ms = decision.latency_ms if decision.ttft_ms is None else decision.ttft_ms
        outcome = decision.outcome
        return waited_ms >= self._slow_ms or outcome is _FAILED or outcome is _PARTIAL
