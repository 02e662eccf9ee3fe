"""The price book: what every endpoint costs, where that is known, and who says so.

Three voices, the later ones over the earlier: the catalog in the package, live sources, the operator's configuration.
Owns the rules by which a live price is believed. Fetching is the monitor's business, arithmetic `pricing`'s, the JSON
`price_json`'s.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from gateway.core.pricing import Override, Price, Rates

BELIEVABLE_FACTOR = 3.0  # CONTRACT §6: a live price further away from the catalog's is held back
_RATE_FIELDS = tuple(f.name for f in fields(Rates))
_COMPARED = ("input", "output", "cached_input", "cache_write")


@dataclass(frozen=True, slots=True)
class SourceState:
    """How the last fetch of a live source went; `fetched_at` is when it last answered well, ISO 8601, "" for never."""

    name: str
    fetched_at: str
    ok: bool


@dataclass(frozen=True, slots=True)
class LiveSource:
    """What one live source says, in the endpoint ids of the book."""

    state: SourceState
    prices: Mapping[str, Price]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A live price that was not believed, USD per million tokens."""

    endpoint: str
    field: str
    catalog: float
    live: float
    source: str


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices by endpoint id; `None` is unknown, which is never cheapest and never within a limit. Do not mutate."""

    prices: Mapping[str, Price | None]
    as_of: str = ""  # ISO 8601
    sources: tuple[SourceState, ...] = ()
    fixed: frozenset[str] = frozenset()  # endpoints whose price the configuration gives: nothing overrides it
    held_back: tuple[HeldBack, ...] = ()

    def get(self, endpoint_id: str) -> Price | None:
        """The endpoint's price, or None where it is unknown."""
        return self.prices.get(endpoint_id)


def price_book(catalog: Mapping[str, Price | None], config: Mapping[str, Price], as_of: str) -> PriceBook:
    """The book before any live source has spoken. A price of zero in `config` is a price: the operator says so."""
    return PriceBook(MappingProxyType({**catalog, **config}), as_of, fixed=frozenset(config))


def with_live(base: PriceBook, sources: Iterable[LiveSource], as_of: str) -> PriceBook:
    """The book with live prices over the catalog's, as far as they are believed; of several sources the first one wins.

    `base` comes from `price_book`: a live price is always compared with the catalog, never with another live one, so
    that no series of small steps leads anywhere. Endpoints that the book does not know, and those that the
    configuration prices, stay as they are.
    """
    prices = dict(base.prices)
    held_back: list[HeldBack] = []
    states: list[SourceState] = []
    taken: set[str] = set(base.fixed)
    for source in sources:
        states.append(source.state)
        for endpoint_id, live in source.prices.items():
            if endpoint_id in taken or endpoint_id not in prices:
                continue
            known = base.prices[endpoint_id]
            doubts = list(_doubts(endpoint_id, known, live))
            held_back += doubts
            if not doubts and _complete(known, live):
                prices[endpoint_id] = _merged(known, live)
                taken.add(endpoint_id)
    return PriceBook(MappingProxyType(prices), as_of, tuple(states), base.fixed, tuple(held_back))


def with_published(base: PriceBook, published: PriceBook) -> PriceBook:
    """A gateway's own book with the prices the monitor published, where the configuration does not say otherwise."""
    news = {
        endpoint_id: price
        for endpoint_id, price in published.prices.items()
        if price is not None and endpoint_id in base.prices and endpoint_id not in base.fixed
    }
    return replace(published, prices=MappingProxyType({**base.prices, **news}), fixed=base.fixed)


def _complete(known: Price | None, live: Price) -> bool:
    """Whether the live price says what input and output cost. Zero is a source's way of not knowing."""
    free_output = known is not None and known.base.output == 0.0  # embeddings
    return live.base.input > 0 and (live.base.output > 0 or free_output)


def _doubts(endpoint_id: str, known: Price | None, live: Price) -> Iterator[HeldBack]:
    if known is None:
        return
    for name in _COMPARED:
        listed, said = getattr(known.base, name), getattr(live.base, name)
        if listed and said and not _near(said, listed, listed):
            yield HeldBack(endpoint_id, name, listed, said, live.source)
    for override in live.overrides:
        for name in ("input", "output"):
            lowest, highest = _range(known, name)
            said = getattr(override.rates, name)
            if lowest and not _near(said, lowest, highest):
                yield HeldBack(endpoint_id, name, getattr(known.base, name), said, live.source)


def _near(said: float, lowest: float, highest: float) -> bool:
    return lowest / BELIEVABLE_FACTOR <= said <= highest * BELIEVABLE_FACTOR


def _range(price: Price, name: str) -> tuple[float, float]:
    values = [getattr(rates, name) for rates in _all_rates(price)]
    return min(values), max(values)


def _all_rates(price: Price) -> list[Rates]:
    return [price.base, *(override.rates for override in price.overrides)]


def _merged(known: Price | None, live: Price) -> Price:
    """The live price; what it does not say (caches, long prompts, hours of the day) moves along from the catalog's."""
    if known is None:
        return replace(live, base=_filled(live.base, Rates(live.base.input, live.base.output)))
    if not live.overrides and any(_same(live.base, rates) for rates in _all_rates(known)):
        return known  # the source names one of the prices that the catalog tells apart
    moved = [Override(_moved(o.rates, known.base, live.base), o.min_prompt_tokens, o.window) for o in known.overrides]
    base = _filled(live.base, _moved(known.base, known.base, live.base))
    return Price(base, live.overrides or tuple(moved), live.source)


def _same(one: Rates, other: Rates) -> bool:
    return one.input == other.input and one.output == other.output


def _filled(said: Rates, known: Rates) -> Rates:
    """What was said, and for the rest what was known. A zero counts as not said."""
    return Rates(**{name: getattr(said, name) or getattr(known, name) for name in _RATE_FIELDS})


def _moved(rates: Rates, old: Rates, new: Rates) -> Rates:
    """Rates moved in proportion from an old base to a new one: a dearer base must not undercut its own long prompts."""
    by_input = new.input / old.input if old.input else 1.0
    by_output = new.output / old.output if old.output else 1.0
    return Rates(
        input=rates.input * by_input,
        output=rates.output * by_output,
        cached_input=_times(rates.cached_input, by_input),
        cache_write=_times(rates.cache_write, by_input),
        cache_write_1h=_times(rates.cache_write_1h, by_input),
        reasoning=_times(rates.reasoning, by_output),
        per_request=rates.per_request,
    )


def _times(rate: float | None, factor: float) -> float | None:
    return None if rate is None else rate * factor
