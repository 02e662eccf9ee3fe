"""Recorded answers in which the provider says what it charged: its figure, what we read, and what our catalog makes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.config.catalog_file import load_catalog
from gateway.core.pricing import cost_usd
from gateway.core.usage import Usage
from gateway.formats import registry
from tests.support.formats import context, unpriced
from tests.support.recorded import accepted, start, upstream_events
from tests.support.vectors import Exchange

PROVIDER = "openrouter"  # the only one that says it in the recordings
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class Charged:
    name: str
    model: str
    told_usd: float
    read_usd: float | None
    ours_usd: float | None  # by the catalog's price; None: it has none for this model at this provider
    tokens_usd: float  # what the provider says the tokens alone cost: the rest is for tools, plug-ins and its margin


def charged() -> list[Charged]:
    return [_charged(exchange, told, usage) for exchange, told, usage in _told()]


def _told() -> Iterator[tuple[Exchange, dict[str, Any], Usage]]:
    for exchange, asked, at in accepted():
        if b'"cost"' not in exchange.body:
            continue
        if exchange.streamed:
            relay = start(asked, at)
            relay.feed(exchange.body)
            usage = relay.usage
            events = [event for event in upstream_events(exchange) if isinstance(event, dict)]
            told = [(event.get("response") or event).get("usage") for event in events]
            last = [one for one in told if one][-1]
        else:
            usage = registry.wire_format(at.api).reply(asked, at, exchange.body, context(unpriced)).usage
            last = json.loads(exchange.body)["usage"]
        assert usage is not None
        yield exchange, last, usage


def _charged(exchange: Exchange, told: dict[str, Any], usage: Usage) -> Charged:
    assert exchange.host == "openrouter.ai", exchange.name
    model = str(exchange.request["model"])
    price = {row.endpoint.upstream_id: row.price for row in load_catalog().model_rows[PROVIDER]}.get(model)
    details = told.get("cost_details") or {}
    tokens = sum(value or 0 for key, value in details.items() if key != "upstream_inference_cost")
    ours = None if price is None else cost_usd(price, usage, NOON)
    return Charged(exchange.name, model, told["cost"], usage.provider_cost_usd, ours, tokens)
