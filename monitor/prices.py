"""The published prices: the configured book with what live sources said last.

A source that fails keeps its last good prices and says since when; a source that has never answered changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gateway.core.prices import LiveSource, PriceBook, SourceState, with_live
from gateway.core.pricing import Price
from monitor.price_sources import Source

REFRESH_S = 3_600.0  # CONTRACT §6: hourly


@dataclass(frozen=True, slots=True)
class Shelf:
    """One live source as last read. `fetched_s` is Unix time."""

    source: Source
    fetched_s: float | None = None  # when it last answered well
    ok: bool = False  # the last try went well
    prices: Mapping[str, Price] = field(default_factory=dict)


def refilled(shelf: Shelf, prices: Mapping[str, Price], epoch_s: float) -> Shelf:
    """The source has answered."""
    return Shelf(shelf.source, epoch_s, ok=True, prices=prices)


def missed(shelf: Shelf) -> Shelf:
    """The source has failed; what it said last stays."""
    return replace(shelf, ok=False)


def restored(book: PriceBook, sources: Iterable[Source]) -> tuple[Shelf, ...]:
    """The shelves as an earlier process left them in the published book."""
    states = {state.name: state for state in book.sources}
    return tuple(_restored(source, states.get(source.value), book) for source in sources)


def _restored(source: Source, state: SourceState | None, book: PriceBook) -> Shelf:
    if state is None or not state.fetched_at:
        return Shelf(source)
    prices = {id_: price for id_, price in book.prices.items() if price is not None and price.source == source.value}
    return Shelf(source, _epoch_s(state.fetched_at), state.ok, prices)


def published(base: PriceBook, shelves: Iterable[Shelf], epoch_s: float) -> PriceBook:
    """The book to publish now."""
    live = (
        LiveSource(SourceState(shelf.source.value, _iso(shelf.fetched_s), shelf.ok), shelf.prices) for shelf in shelves
    )
    return with_live(base, live, _iso(epoch_s))


def _iso(epoch_s: float | None) -> str:
    if epoch_s is None:
        return ""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _epoch_s(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
