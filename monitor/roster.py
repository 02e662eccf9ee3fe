"""Which replicas are alive, judged by what their Leases say and when this replica saw it change.

No clock but the reader's own is ever used (client-go's rule): a Lease that has not changed for its duration is dead,
whatever time is written in it. Who is gone is gone at once; who comes counts once things have been quiet for a
while, so that replicas that start together do not each take everything first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

RENEW_S = 5.0  # ± 20 %, so that replicas do not move in step
DURATION_S = 15.0  # without renewal: three are lost
SETTLE_S = RENEW_S  # newcomers count once nothing has changed for so long
FRESH_S = 2 * RENEW_S  # what was heard longer ago says nothing about now
DEAF_S = 3 * RENEW_S  # nothing was heard for so long: silence meanwhile proves nothing about the others
# Who listed the Leases before the others had made theirs hears of them a renewal later (6 s), and takes itself for the
# only one from SETTLE_S on until SETTLE_S after that: for as long as a renewal and a request take.
AGREED_S = 8.0


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """What counts of a Lease: its holder ("" once its replica has left), and a text that changes with each renewal."""

    holder: str
    stamp: str


class Roster:
    """Mutable; one per replica. Instants are on the reader's own clock, in seconds."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._leases: dict[str, tuple[LeaseSeen, float]] = {}  # with the instant of its last change
        self._heard_s = float("-inf")
        self._candidate: frozenset[str] = frozenset()
        self._candidate_s = float("-inf")
        self._live: frozenset[str] = frozenset()
        self._live_s = float("-inf")  # the instant of its last change

    @property
    def heard_s(self) -> float:
        """When the Leases were listed last; -inf: never."""
        return self._heard_s

    def agreed(self, now_s: float) -> bool:
        """Whether all who come to the same Leases at the same time must know the same replicas by now."""
        return now_s - self._heard_s <= FRESH_S and bool(self.live(now_s)) and now_s - self._live_s >= AGREED_S

    def heard(self, leases: Mapping[str, LeaseSeen], now_s: float) -> None:
        """All Leases there are, by name, as listed now."""
        deaf = now_s - self._heard_s > DEAF_S
        self._heard_s = now_s
        known, self._leases = self._leases, {}
        for name, lease in leases.items():
            before = known.get(name)
            if before is None or before[0] != lease or deaf:
                before = (lease, now_s)
            self._leases[name] = before
        self.live(now_s)

    def live(self, now_s: float) -> frozenset[str]:
        """Who is alive, this replica included; empty until things have been quiet for the first time."""
        if now_s - self._heard_s > FRESH_S:
            return self._live
        found = {self._me} | {
            lease.holder
            for lease, changed_s in self._leases.values()
            if lease.holder and now_s - changed_s < DURATION_S
        }
        if found != self._candidate:
            self._candidate, self._candidate_s = frozenset(found), now_s
        quiet = now_s - self._candidate_s >= SETTLE_S
        live = self._candidate if quiet else self._live & self._candidate  # nobody waits for those who are gone
        if live != self._live:
            self._live, self._live_s = live, now_s
        return self._live
