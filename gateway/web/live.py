"""What the page hears live: the overview every two seconds, and decisions as they are made.

Decisions are picked up when the pump comes round, so that a request pays nothing for being watched; where more come
than a person can read, the newest are told.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.edge.broadcast import Event
from gateway.formats import codec
from gateway.web.recent import Recent, row

OVERVIEW_S = 2.0
SHARE = 50  # an overview that takes long to make is made seldom: it may cost a fiftieth of the time at most
DECISIONS_MAX = 25  # told each time the pump comes round


class Live:
    """The programme of `/api/stream`: events `overview` and `decision`."""

    def __init__(
        self, overview: Callable[[], Mapping[str, Any]], recent: Recent, now_s: Callable[[], float]
    ) -> None:
        self._overview = overview
        self._recent = recent
        self._now_s = now_s
        self._told = 0  # decisions there had been when the pump last came round
        self._event = Event("overview", b"{}")
        self._made_s = float("-inf")
        self._took_s = 0.0

    def begin(self) -> None:
        """What was before is known from elsewhere."""
        self._told = self._recent.total

    def opening(self) -> Iterator[Event]:
        """The overview, made at most a second ago: many who come at once cost as much as one."""
        if self._now_s() - self._made_s > max(1.0, self._pause_s() / 2):
            self._make()
        yield self._event

    def news(self) -> Iterator[Event]:
        """The decisions made since, and an overview where it is time."""
        came = self._recent.total - self._told
        self._told = self._recent.total
        for decision in self._recent.since(self._told - min(came, DECISIONS_MAX), DECISIONS_MAX):
            yield Event("decision", codec.dumps(row(decision)))
        if self._now_s() - self._made_s >= self._pause_s():
            self._make()
            yield self._event

    def _pause_s(self) -> float:
        return max(OVERVIEW_S, SHARE * self._took_s)

    def _make(self) -> None:
        began_s = self._now_s()
        self._event = Event("overview", codec.dumps(self._overview()))
        self._made_s = self._now_s()
        self._took_s = self._made_s - began_s
