"""What the page hears live: the overview every two seconds, and decisions as they are made.

Decisions are picked up when the pump comes round, so that a request pays nothing for being watched; where more come
than a person can read, the newest are told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from gateway.edge.broadcast import Event, Repeated
from gateway.formats import codec
from gateway.web.recent import Recent, row

DECISIONS_MAX = 25  # told each time the pump comes round


class Live:
    """The programme of `/api/stream`: events `overview` and `decision`."""

    def __init__(
        self, overview: Callable[[], Mapping[str, Any]], recent: Recent, now_s: Callable[[], float]
    ) -> None:
        self._overview = Repeated("overview", lambda: codec.dumps(dict(overview())), now_s)
        self._recent = recent
        self._told = 0  # decisions there had been when the pump last came round

    def begin(self) -> None:
        """What was before is known from elsewhere."""
        self._told = self._recent.total

    def opening(self) -> Iterable[Event]:
        return self._overview.opening()

    def news(self) -> Iterator[Event]:
        """The decisions made since, and an overview where it is time."""
        before, self._told = self._told, self._recent.total
        for decision in self._recent.since(before, DECISIONS_MAX):
            yield Event("decision", codec.dumps(row(decision)))
        yield from self._overview.news()
