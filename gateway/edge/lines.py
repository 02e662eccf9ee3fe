"""A row of the decision stream as a line of JSON.

Made once, when the request is over, and from then on only the line is kept: it is a tenth of the memory of what a
decision refers to.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.decision import Decision
from gateway.core.record import Record, Recorder, fields
from gateway.formats import codec

log = logging.getLogger(__name__)

Row = Decision | Mapping[str, Any]


class Lines:
    """Used by one thread."""

    def __init__(self) -> None:
        self._recorder = Recorder()
        self._encode = msgspec.json.Encoder().encode

    def line(self, row: Row) -> bytes | None:
        """The line with its end, or None where the row holds what JSON cannot: one bad row must not harm others."""
        made = self._recorder.record(row) if isinstance(row, Decision) else row
        try:
            return self._encode(made) + b"\n"
        except (TypeError, ValueError, OverflowError):
            pass  # a text may hold half an emoji, which only `codec` takes
        told = fields(made) if isinstance(made, Record) else made
        try:
            return codec.dumps(told) + b"\n"
        except TypeError as error:
            log.error("decision %s cannot be written as JSON: %s; it is counted as dropped", told.get("id"), error)
            return None
