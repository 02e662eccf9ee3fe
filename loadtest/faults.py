"""How a simulated vendor misbehaves on demand, and for which requests.

Owns the list of faults, their spelling (JSON, or `status=429;retry_after_s=2` in the `x-sim-fault` header) and
the book of those in force. Performing them is `sending`'s and `server`'s work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import orjson

Json = Any  # a parsed JSON value

HEADER = "x-sim-fault"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong; everything left `None` goes right. `*_after_events` counts content events already sent.

    In a whole (not streamed) reply, `*_after_events` faults happen in the middle of the body.
    """

    # Instead of an answer
    status: int | None = None  # this status with the vendor's own error body
    message: str | None = None  # of that error body
    code: str | None = None  # of that error body, e.g. insufficient_quota
    retry_after_s: float | None = None  # Retry-After and rate-limit headers; 429 has 1 s by default
    headers: Mapping[str, str] | None = None  # extra response headers
    html_502: bool | None = None  # a proxy's HTML page
    body: str | None = None  # exactly these bytes, with `status` (default 200)
    content_type: str | None = None  # of `body`
    drop_before_head: bool | None = None  # the connection is reset before any byte
    # Waiting
    delay_first_byte_ms: float | None = None  # before the response's head
    tokens_per_s: float | None = None  # slower (or faster) than the vendor's row
    # Breaking off
    stall_after_events: int | None = None  # silence, until the client leaves
    drop_after_events: int | None = None  # TCP reset
    truncate_after_events: int | None = (
        None  # clean end without terminal event; whole replies: content-length larger than sent
    )
    error_event_after: int | None = None  # an error event inside the 200 stream, then its end
    role_only_keepalive: bool | None = None  # the role chunk, then comments and pings for ever
    # Spelling
    byte_by_byte: bool | None = None  # each byte in a TCP segment of its own
    wrong_usage: float | None = None  # the reported counts are multiplied by this; the bill is not
    no_usage: bool | None = None
    usage_in_every_chunk: bool | None = None  # zeros first, running totals later
    no_choices: bool | None = None  # extra frames with empty or absent `choices` between the others
    # The listening socket (control endpoint only)
    refuse: bool | None = None  # connections are refused, open ones closed
    hang_accept: bool | None = None  # connections are made by the kernel, and nobody answers


class BreakKind(StrEnum):
    STALL = "stall"
    DROP = "drop"
    TRUNCATE = "truncate"
    ERROR = "error"
    KEEPALIVE = "keepalive"


@dataclass(frozen=True, slots=True)
class Break:
    """Where an answer breaks off, and how."""

    kind: BreakKind
    after_events: int


def break_of(fault: Fault) -> Break | None:
    """The break that the fault asks for, if it asks for one."""
    if fault.role_only_keepalive:
        return Break(BreakKind.KEEPALIVE, 0)
    for kind, after in (
        (BreakKind.STALL, fault.stall_after_events),
        (BreakKind.DROP, fault.drop_after_events),
        (BreakKind.TRUNCATE, fault.truncate_after_events),
        (BreakKind.ERROR, fault.error_event_after),
    ):
        if after is not None:
            return Break(kind, after)
    return None


_NAMES = frozenset(each.name for each in fields(Fault))
_WORDS = {"true": True, "false": False, "null": None}


def fault_from(values: Mapping[str, Json]) -> Fault:
    """Reads a fault; raises `ValueError` that names the unknown word and lists the known ones."""
    unknown = sorted(set(values) - _NAMES)
    if unknown:
        raise ValueError(f"no such fault: {', '.join(unknown)}; there are: {', '.join(sorted(_NAMES))}")
    return Fault(**values)


def fault_from_header(text: str) -> Fault:
    """Reads `x-sim-fault`: a JSON object, or `name=value;name` where a bare name means true."""
    if text.lstrip().startswith("{"):
        return fault_from(orjson.loads(text))
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return fault_from({name: _word(value) if equals else True for name, equals, value in pairs})


def _word(value: str) -> Json:
    if value in _WORDS:
        return _WORDS[value]
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault strikes; `None` matches all. Without `path` it strikes everything but `/v1/models`."""

    model: str | None = None
    stream: bool | None = None
    path: str | None = None

    def fits(self, path: str, model: str | None, stream: bool) -> bool:
        fits_path = self.path == path if self.path is not None else not path.startswith("/v1/models")
        return fits_path and self.model in (None, model) and self.stream in (None, stream)


ANY = Match()


@dataclass(slots=True)
class _Entry:
    fault: Fault
    match: Match
    left: int | None  # requests it still strikes; None: all


@dataclass(slots=True)
class FaultBook:
    """The faults in force; the first that fits a request strikes it."""

    _entries: list[_Entry] = field(default_factory=list)

    def add(self, fault: Fault, match: Match = ANY, times: int | None = None) -> None:
        self._entries.append(_Entry(fault, match, times))

    def clear(self) -> None:
        self._entries.clear()

    def take(self, path: str, model: str | None, stream: bool) -> Fault | None:
        """The fault for this request, which is thereby used once."""
        for entry in self._entries:
            if entry.match.fits(path, model, stream):
                if entry.left is not None:
                    entry.left -= 1
                    if entry.left == 0:
                        self._entries.remove(entry)
                return entry.fault
        return None
