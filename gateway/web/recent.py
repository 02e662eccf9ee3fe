"""The last decisions, for the admin port: kept as they are, found by id, filtered, told as JSON when someone asks.

Holds no text of prompt or answer, whatever a route records. Bounded twice: by number, and by the endpoints that all of
them together list, since a decision over thousands of endpoints weighs a thousand times one over two.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from msgspec.structs import replace

from gateway.core.decision import Decision, Outcome
from gateway.core.record import record

ROOM = 500
LISTED_ROOM = 100_000  # endpoints in all decisions kept; about 60 bytes each

# A row of a list: what the record says, without what only its own page shows.
_ROW = (
    "id", "time", "route", "variant", "key_id", "surface", "model", "stream", "task", "difficulty", "escalated",
    "tier_required", "sensitivity", "panic", "attempts", "endpoint", "status", "outcome", "error", "usage", "cost_usd",
    "baseline_cost_usd", "saved_usd", "latency_ms", "ttft_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """Which decisions; "" is any."""

    route: str = ""
    outcome: str = ""
    endpoint: str = ""  # one that was tried
    id: str = ""  # its beginning

    def fits(self, decision: Decision) -> bool:
        considered = decision.considered
        return (
            (not self.route or (considered is not None and considered.route.name == self.route))
            and (not self.outcome or decision.outcome == self.outcome)
            and (not self.endpoint or any(row.endpoint == self.endpoint for row in decision.attempts))
            and decision.id.startswith(self.id)
        )


OUTCOMES = tuple(outcome.value for outcome in Outcome)


class Recent:
    """Mutable; one per gateway process."""

    def __init__(self, room: int = ROOM, listed_room: int = LISTED_ROOM) -> None:
        self._kept: deque[Decision] = deque()
        self._room = room
        self._listed_room = listed_room
        self._listed = 0
        self.total = 0  # decisions there ever were

    def add(self, decision: Decision) -> None:
        """Keep one, without its texts."""
        if decision.texts is not None:
            decision = replace(decision, texts=None)
        self._kept.append(decision)
        self.total += 1
        self._listed += _listed(decision)
        while len(self._kept) > self._room or (self._listed > self._listed_room and len(self._kept) > 1):
            self._listed -= _listed(self._kept.popleft())

    def find(self, id_: str) -> Decision | None:
        """The decision of this id, where it is still kept."""
        return next((one for one in reversed(self._kept) if one.id == id_), None)

    def pick(self, wanted: Filter, limit: int) -> list[Decision]:
        """The newest that fit, newest first."""
        return list(islice((one for one in reversed(self._kept) if wanted.fits(one)), limit))

    def since(self, total: int, most: int) -> Iterator[Decision]:
        """The newest of those that came after there were `total`, oldest first, at most so many."""
        new = min(self.total - total, most, len(self._kept))
        return islice(self._kept, len(self._kept) - new, None)


def row(decision: Decision) -> dict[str, Any]:
    """A decision in a list; the whole of it is `record`."""
    whole = record(decision)
    return {name: whole[name] for name in _ROW}


def _listed(decision: Decision) -> int:
    considered = decision.considered
    return 0 if considered is None else len(considered.excluded) + len(considered.others)
