"""The JSON of prices: entries of the packaged catalog, of `prices.json`, and of live sources once they are normalised.

One shape everywhere (CONTRACT §6), USD per million tokens:

    {"input": 0.22, "cached_input": 0.02, "output": 0.66, "source": "catalog",
     "overrides": [{"min_prompt_tokens": 200001, "input": 0.44, "output": 1.0},
                   {"window": {"utc": [["01:00", "04:00"]], "weekdays": [1, 2, 3, 4, 5], "from": "2026-08-16T16:00Z"},
                    "input": 0.44, "output": 1.32}]}

Weekdays are ISO (Monday is 1). Fields that are not known here are ignored, so that an older reader survives a newer
writer. Anything wrong in a known field refuses the whole file: half a price list is worse than yesterday's.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from gateway.core.prices import HeldBack, PriceBook, SourceState
from gateway.core.pricing import DAY_S, Override, Price, Rates, Window

VERSION = 1
_OPTIONAL_RATES = ("cached_input", "cache_write", "cache_write_1h", "reasoning")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = Any  # a parsed JSON value


class PriceFileError(ValueError):
    """A price file that cannot be believed as a whole; `path` is the bad place, `problem` what is wrong there."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def decode_prices(data: bytes | str | Mapping[str, Json]) -> PriceBook:
    """A published price book. Raises `PriceFileError`."""
    document = _object(_parsed(data), "prices")
    if document.get("version") != VERSION:
        raise PriceFileError("version", f"is {document.get('version')!r}, this reader knows {VERSION}")
    endpoints = _object(document.get("endpoints"), "endpoints")
    prices = {
        endpoint_id: None if entry is None else price_from_json(entry, f"endpoints.{endpoint_id}")
        for endpoint_id, entry in endpoints.items()
    }
    return PriceBook(
        prices=MappingProxyType(prices),
        as_of=_text(document.get("as_of", ""), "as_of"),
        sources=tuple(
            _source(entry, f"sources[{index}]")
            for index, entry in enumerate(_list(document.get("sources", []), "sources"))
        ),
        held_back=tuple(
            _held_back(entry, f"held_back[{index}]")
            for index, entry in enumerate(_list(document.get("held_back", []), "held_back"))
        ),
    )


def encode_prices(book: PriceBook) -> dict[str, Json]:
    """The document that `decode_prices` reads; unknown prices are written as null."""
    return {
        "version": VERSION,
        "as_of": book.as_of,
        "sources": [asdict(state) for state in book.sources],
        "held_back": [asdict(doubt) for doubt in book.held_back],
        "endpoints": {
            endpoint_id: None if price is None else price_to_json(price)
            for endpoint_id, price in sorted(book.prices.items())
        },
    }


def price_from_json(entry: Json, path: str) -> Price:
    """One price; `path` is where it stands, for the error. Raises `PriceFileError`."""
    fields = _object(entry, path)
    overrides = _list(fields.get("overrides", []), f"{path}.overrides")
    return Price(
        base=_rates(fields, path),
        overrides=tuple(_override(item, f"{path}.overrides[{index}]") for index, item in enumerate(overrides)),
        source=_text(fields.get("source", ""), f"{path}.source"),
    )


def price_to_json(price: Price) -> dict[str, Json]:
    """The entry that `price_from_json` reads, without its empty fields."""
    entry = _rates_json(price.base)
    if price.overrides:
        entry["overrides"] = [_override_json(override) for override in price.overrides]
    if price.source:
        entry["source"] = price.source
    return entry


def _rates(fields: Mapping[str, Json], path: str) -> Rates:
    optional = {name: _rate(fields[name], f"{path}.{name}") for name in _OPTIONAL_RATES if fields.get(name) is not None}
    return Rates(
        input=_rate(fields.get("input"), f"{path}.input"),
        output=_rate(fields.get("output"), f"{path}.output"),
        per_request=_rate(fields.get("per_request", 0.0), f"{path}.per_request"),
        **optional,
    )


def _rates_json(rates: Rates) -> dict[str, Json]:
    entry: dict[str, Json] = {"input": rates.input}
    entry.update((name, value) for name in _OPTIONAL_RATES if (value := getattr(rates, name)) is not None)
    entry["output"] = rates.output
    if rates.per_request:
        entry["per_request"] = rates.per_request
    return entry


def _override(item: Json, path: str) -> Override:
    fields = _object(item, path)
    window = fields.get("window")
    tokens = fields.get("min_prompt_tokens", 0)
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise PriceFileError(f"{path}.min_prompt_tokens", f"must be a whole number of tokens, is {_shown(tokens)}")
    return Override(
        rates=_rates(fields, path),
        min_prompt_tokens=tokens,
        window=None if window is None else _window(window, f"{path}.window"),
    )


def _override_json(override: Override) -> dict[str, Json]:
    entry: dict[str, Json] = {}
    if override.min_prompt_tokens:
        entry["min_prompt_tokens"] = override.min_prompt_tokens
    if override.window is not None:
        entry["window"] = _window_json(override.window)
    return entry | _rates_json(override.rates)


def _window(value: Json, path: str) -> Window:
    fields = _object(value, path)
    spans = _list(fields.get("utc", [["00:00", "24:00"]]), f"{path}.utc")
    weekdays = _list(fields.get("weekdays", [1, 2, 3, 4, 5, 6, 7]), f"{path}.weekdays")
    if not all(isinstance(day, int) and 1 <= day <= 7 for day in weekdays):
        raise PriceFileError(f"{path}.weekdays", f"must be ISO weekdays 1 to 7, is {_shown(weekdays)}")
    return Window(
        spans_s=tuple(_span(span, f"{path}.utc[{index}]") for index, span in enumerate(spans)),
        weekdays=frozenset(day - 1 for day in weekdays),
        from_s=_instant(fields.get("from"), f"{path}.from"),
        until_s=_instant(fields.get("until"), f"{path}.until"),
    )


def _window_json(window: Window) -> dict[str, Json]:
    entry: dict[str, Json] = {
        "utc": [[_clock(start), _clock(end)] for start, end in window.spans_s],
        "weekdays": sorted(day + 1 for day in window.weekdays),
    }
    for name, at_s in (("from", window.from_s), ("until", window.until_s)):
        if at_s is not None:
            entry[name] = (_EPOCH + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z")
    return entry


def _span(value: Json, path: str) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise PriceFileError(path, f'must be ["HH:MM", "HH:MM"], is {_shown(value)}')
    start, end = (_second(text, path) for text in value)
    if start >= end:
        raise PriceFileError(path, f"must end after it starts (write a span over midnight as two), is {_shown(value)}")
    return start, end


def _second(text: Json, path: str) -> int:
    hours, _, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    if not (hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise PriceFileError(path, f"must be a time HH:MM, is {_shown(text)}")
    second = int(hours) * 3600 + int(minutes) * 60
    if second > DAY_S:
        raise PriceFileError(path, f"must be at most 24:00, is {_shown(text)}")
    return second


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second % 3600 // 60:02}"


def _instant(value: Json, path: str) -> float | None:
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise PriceFileError(path, f"must be an ISO 8601 instant, is {_shown(value)}") from None
    if instant.tzinfo is None:
        raise PriceFileError(path, f"must say its time zone, is {_shown(value)}")
    return instant.timestamp()


def _rate(value: Json, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise PriceFileError(path, f"must be a price of zero or more in USD, is {_shown(value)}")
    return float(value)


def _source(entry: Json, path: str) -> SourceState:
    fields = _object(entry, path)
    return SourceState(
        name=_text(fields.get("name"), f"{path}.name"),
        fetched_at=_text(fields.get("fetched_at", ""), f"{path}.fetched_at"),
        ok=fields.get("ok") is True,
    )


def _held_back(entry: Json, path: str) -> HeldBack:
    fields = _object(entry, path)
    return HeldBack(
        endpoint=_text(fields.get("endpoint"), f"{path}.endpoint"),
        field=_text(fields.get("field"), f"{path}.field"),
        catalog=_rate(fields.get("catalog"), f"{path}.catalog"),
        live=_rate(fields.get("live"), f"{path}.live"),
        source=_text(fields.get("source"), f"{path}.source"),
    )


def _parsed(data: bytes | str | Mapping[str, Json]) -> Json:
    if isinstance(data, Mapping):
        return data
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # bad JSON, bytes that are not UTF-8, and nesting without end
        raise PriceFileError("prices", f"is not JSON: {error}") from None


def _object(value: Json, path: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise PriceFileError(path, f"must be an object, is {_shown(value)}")
    return value


def _list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise PriceFileError(path, f"must be a list, is {_shown(value)}")
    return value


def _text(value: Json, path: str) -> str:
    if not isinstance(value, str):
        raise PriceFileError(path, f"must be a text, is {_shown(value)}")
    return value


def _shown(value: Json) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
