"""The last decisions, for the admin port: their lines, found by id, filtered, read when someone asks.

Holds no text of prompt or answer, whatever a route records: who adds a line leaves them out. A line tells of a dozen
endpoints at most, however many there are, so that its size is bounded.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gateway.core.decision import Outcome
from gateway.formats import codec

ROOM = 500

# A row of a list: what the record says, without what only its own page shows.
_ROW = (
    "id", "time", "route", "variant", "key_id", "surface", "model", "stream", "task", "difficulty", "escalated",
    "tier_required", "sensitivity", "panic", "attempts", "endpoint", "status", "outcome", "error", "usage", "cost_usd",
    "baseline_cost_usd", "saved_usd", "latency_ms", "ttft_ms",
)  # fmt: skip

Told = Mapping[str, Any]  # the record of a decision


@dataclass(frozen=True, slots=True)
class Filter:
    """Which decisions; "" is any."""

    route: str = ""
    outcome: str = ""
    endpoint: str = ""  # one that was tried
    id: str = ""  # its beginning

    def fits(self, told: Told) -> bool:
        return (
            (not self.route or told["route"] == self.route)
            and (not self.outcome or told["outcome"] == self.outcome)
            and (not self.endpoint or any(row["endpoint"] == self.endpoint for row in told["attempts"]))
            and told["id"].startswith(self.id)
        )


OUTCOMES = tuple(outcome.value for outcome in Outcome)


class Recent:
    """Mutable; one per gateway process."""

    def __init__(self, room: int = ROOM) -> None:
        self._kept: deque[bytes] = deque(maxlen=room)
        self.total = 0  # decisions there ever were

    def add(self, line: bytes | None) -> None:
        """Keep the line of one; None: there is none."""
        if line is not None:
            self._kept.append(line)
            self.total += 1

    def find(self, id_: str) -> Told | None:
        """The decision of this id, where it is still kept."""
        sought = id_.encode("utf-8", "replace")
        likely = (codec.loads(line) for line in reversed(self._kept) if sought in line)
        return next((told for told in likely if told["id"] == id_), None)

    def pick(self, wanted: Filter, limit: int) -> list[Told]:
        """The newest that fit, newest first."""
        all_told = (codec.loads(line) for line in reversed(self._kept))
        return list(islice((told for told in all_told if wanted.fits(told)), limit))

    def since(self, total: int, most: int) -> Iterator[Told]:
        """The newest of those that came after there were `total`, oldest first, at most so many."""
        new = min(self.total - total, most, len(self._kept))
        return (codec.loads(line) for line in list(islice(self._kept, len(self._kept) - new, None)))


def row(told: Told) -> dict[str, Any]:
    """A decision in a list, without what is shown of one alone."""
    return {name: told[name] for name in _ROW}
