"""How many extra tries all requests together may make: 20 % of the last ten seconds' requests, at least ten a second.

Without such a budget a provider's outage multiplies the load on those that are left. The first failover of each
request is free; only further ones are counted here.
"""

from gateway.core.window import Ring

SHARE = 0.2  # CONTRACT §5
SPAN_S = 10.0
FLOOR_PER_S = 10.0


class RetryBudget:
    """Counts requests and extra tries in one-second buckets. Time is an argument; not shared between processes."""

    __slots__ = ("_requests", "_tries")

    def __init__(self) -> None:
        self._requests = Ring(int(SPAN_S))
        self._tries = Ring(int(SPAN_S))

    def request(self, now_s: float) -> None:
        self._requests.succeeded(now_s)

    def left(self, now_s: float) -> int:
        """Extra tries that may still be made now."""
        requests = self._requests.counts(now_s).total
        return int(max(SHARE * requests, FLOOR_PER_S * SPAN_S)) - self._tries.counts(now_s).total

    def take(self, now_s: float) -> bool:
        """Take one extra try, if there is one left."""
        if self.left(now_s) <= 0:
            return False
        self._tries.succeeded(now_s)
        return True
