"""Where decision records go: the journal, and the couriers of the sinks that are switched on.

Nobody waits here: each of them takes a row at once and has its own thread. What becomes of rows there, each counts.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.edge.courier import Courier
from gateway.edge.journal import Journal
from gateway.edge.lines import Row


class Counted(Protocol):
    """What carries rows away, as far as it is counted."""

    @property
    def delivered(self) -> int: ...

    @property
    def dropped(self) -> int: ...

    @property
    def retries(self) -> int: ...

    @property
    def waiting(self) -> int: ...


class Records:
    """Takes rows to wherever they go."""

    def __init__(self, journal: Journal | None, couriers: Sequence[Courier[Row]] = ()) -> None:
        """`journal`: None where records are not written here."""
        self._journal = journal
        self._couriers = tuple(couriers)
        self._takers: tuple[Callable[[Row], None], ...] = tuple(courier.add for courier in couriers)

    def add(self, row: Row, line: bytes | None) -> None:
        """Take a row and its line of JSON, None where it has none; returns at once."""
        if self._journal is not None:
            self._journal.add(line)
        for take in self._takers:
            take(row)

    @property
    def dropped(self) -> int:
        """Rows that could not be kept, everywhere together."""
        return sum(sink.dropped for sink in self.sinks().values())

    def sinks(self) -> dict[str, Counted]:
        """By their names in metrics."""
        found: dict[str, Counted] = {} if self._journal is None else {"journal": self._journal}
        return found | {courier.name: courier for courier in self._couriers}

    def close(self, within_s: float) -> None:
        """Deliver what waits, everywhere at once, for at most so long."""
        for courier in self._couriers:
            courier.hurry(within_s)
        if self._journal is not None:
            self._journal.close()
        for courier in self._couriers:
            courier.close(within_s)
