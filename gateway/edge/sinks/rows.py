"""What all sinks know of a row: its JSON, its weight while it waits, its instants.

Texts are in a row only where the route records them and every label of the request allows it; a sink that would
look elsewhere for them finds none.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from gateway.core.chat import Json
from gateway.core.decision import Decision
from gateway.core.record import record
from gateway.edge.courier import Undelivered
from gateway.edge.lines import Row
from gateway.formats import codec

UNREADABLE = "holds what JSON cannot"


def gently(rows: Sequence[Row]) -> Iterator[Row]:
    """One by one, with a chance for the event loop's thread between them: a whole batch takes many milliseconds."""
    for row in rows:
        yield row
        time.sleep(0)


def jsons(rows: Sequence[Row]) -> list[tuple[Row, bytes]]:
    """The rows with their JSON; rows that cannot be written are left out: one must not cost its whole batch."""
    found = []
    for row in gently(rows):
        try:
            found.append((row, codec.dumps(record(row) if isinstance(row, Decision) else row)))
        except TypeError:
            continue
    return found


def complain(rows: Sequence[Row], written: Sequence[object]) -> None:
    """Count what was left out, once the others have arrived. Raises `Undelivered`."""
    if lost := len(rows) - len(written):
        raise Undelivered(UNREADABLE, None, final=True, lost=lost)


@contextmanager
def passing_over(refused: list[Undelivered]) -> Iterator[None]:
    """Go on with the next row where one is refused for good; the refusal is noted."""
    try:
        yield
    except Undelivered as error:
        if not error.final:
            raise
        refused.append(error)


def weigh(row: Row) -> int:
    """Bytes of a row's texts, about; 0 without any."""
    if not isinstance(row, Decision) or row.texts is None:
        return 0
    return _chars(row.texts)


def _chars(value: Json | Mapping[str, Json]) -> int:
    """Loops, not recursion: a request may be nested as deeply as JSON parsers allow."""
    total, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            total += len(one)
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
    return total


def start_ns(decision: Decision, after_ms: float = 0.0) -> int:
    """When the request came in, or so much later, in nanoseconds since the epoch; whole microseconds."""
    return (round(decision.time_s * 1e6) + round(after_ms * 1e3)) * 1000


def end_ns(decision: Decision) -> int:
    return start_ns(decision, decision.latency_ms)


def feedback_ns(row: Mapping[str, Any]) -> int:
    """When a judgement came in, by its own `time`."""
    return round(datetime.fromisoformat(row["time"]).timestamp() * 1e3) * 1_000_000
