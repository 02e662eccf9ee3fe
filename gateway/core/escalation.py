"""The 80/20 mode: send the most difficult share of a route's requests to a higher tier, and hold the share.

Two parts. A threshold, the (1 - share) quantile of the recent scores, picks the difficult ones. An account keeps the
promise: each request pays in `share`, each escalation takes out one. While the balance stays within ±BALANCE, the
escalated among *any* n successive requests number share * n ± 2 * BALANCE; with 9 that is ± 18 (and one step) in
1,000: within 2 points, whatever the scores do, ties and drift included.
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque

BALANCE = 9.0
MEMORY = 512  # recent scores that the quantile is taken from: enough for 5 % steps, small enough to follow drift


def corrected(score: float, bad: float) -> float:
    """Difficulty in the light of what became of answers to the same task: the chance that one of two things, taken as
    independent, speaks against the cheaper answer: the prompt's own difficulty, or what is usual for its task.

    Args:
        score: difficulty in [0, 1].
        bad: share of the task's answers that were found bad.
    """
    return 1 - (1 - score) * (1 - bad)


class Escalation:
    """One route's account and memory of scores. Deterministic; not shared between processes."""

    __slots__ = ("_balance", "_recent", "_sorted", "share")

    def __init__(self, share: float) -> None:
        self.share = share
        self._balance = 0.0
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []

    def copy(self) -> "Escalation":
        """Another with the same past, which goes its own way from here."""
        other = Escalation(self.share)
        other._balance = self._balance
        other._recent.extend(self._recent)
        other._sorted.extend(self._sorted)
        return other

    def decide(self, score: float) -> bool:
        """Whether this request is escalated.

        Args:
            score: difficulty in [0, 1].
        """
        wanted = self._difficult(score)
        self._remember(score)
        self._balance += self.share
        if self._balance >= BALANCE:
            wanted = True
        elif self._balance - 1 < -BALANCE:
            wanted = False
        if wanted:
            self._balance -= 1
        return wanted

    def _difficult(self, score: float) -> bool:
        """Whether `score` lies in the upper share of the recent scores; among equals the account decides."""
        n = len(self._sorted)
        below, upto = bisect_left(self._sorted, score), bisect_right(self._sorted, score)
        cut = (1 - self.share) * n
        if below >= cut:
            return self.share > 0
        return upto > cut and self._balance + self.share >= 1

    def _remember(self, score: float) -> None:
        if len(self._recent) == MEMORY:
            oldest = self._recent.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
        self._recent.append(score)
        insort(self._sorted, score)
