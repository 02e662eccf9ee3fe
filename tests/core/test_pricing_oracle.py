"""Our arithmetic against an independent implementation, `genai_prices`, on the models both price alike."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.types import ModelPrice, TieredPrices
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.catalog_file import load_catalog
from gateway.core.pricing import Override, Price, Rates, cost_usd
from gateway.core.usage import Usage

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
THEIR_IDS = {
    "openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "mistral": "mistral",
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "zai": "zai",
    "minimax": "minimax",
    "cohere": "cohere",
    "groq": "groq",
    "cerebras": "cerebras",
    "together": "together",
    "fireworks": "fireworks",
    "novita": "novita",
    "openrouter": "openrouter",
}
FIELDS = {
    "input": "input_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "output": "output_mtok",
}


def their_price(provider: str, model: str) -> ModelPrice | None:
    try:
        found = calc_price(
            TheirUsage(input_tokens=1), model, provider_id=THEIR_IDS[provider], genai_request_timestamp=NOON
        )
    except (LookupError, ValueError):
        return None
    return found.model_price if model in (found.model.id, found.model.id.rpartition("/")[2]) else None


def alike(ours: Price, theirs: ModelPrice) -> bool:
    """Whether both lists say the same, steps included."""
    starts = {0} | {
        tier.start
        for key in FIELDS.values()
        if isinstance(value := getattr(theirs, key), TieredPrices)
        for tier in value.tiers
    }
    expected = [at_length(theirs, start) for start in sorted(starts)]
    if expected[0] is None or any(override.window for override in ours.overrides):
        return False
    base, *steps = expected
    overrides = tuple(
        Override(step, start + 1) for step, start in zip(steps, sorted(starts - {0}), strict=True) if step is not None
    )
    return (stripped(ours.base), tuple(Override(stripped(o.rates), o.min_prompt_tokens) for o in ours.overrides)) == (
        base,
        overrides,
    )


def at_length(theirs: ModelPrice, start: int) -> Rates | None:
    values = {}
    for ours, key in FIELDS.items():
        value = getattr(theirs, key)
        if isinstance(value, TieredPrices):
            value = next((tier.price for tier in reversed(value.tiers) if tier.start <= start and start), value.base)
        values[ours] = None if value is None else float(value)
    if values["input"] is None or values["output"] is None:
        return None
    return Rates(**values)  # type: ignore[arg-type]  # both are known here


def stripped(rates: Rates) -> Rates:
    return Rates(rates.input, rates.output, rates.cached_input, rates.cache_write)


def comparable() -> list[tuple[str, str, Price]]:
    """Chat models whose list price is the same in both, with their provider there."""
    found = []
    for provider in THEIR_IDS:
        for row in load_catalog().model_rows[provider]:
            theirs = None if row.price is None else their_price(provider, row.endpoint.upstream_id)
            if row.price is not None and theirs is not None and alike(row.price, theirs):
                found.append((THEIR_IDS[provider], row.endpoint.upstream_id, row.price))
    return found


@pytest.fixture(scope="module")
def models() -> list[tuple[str, str, Price]]:
    return comparable()


def test_many_models_are_priced_alike(models: list[tuple[str, str, Price]]) -> None:
    assert len(models) > 50
    assert len({provider for provider, _, _ in models}) >= 5
    assert any(price.overrides for _, _, price in models)


@given(st.data())
def test_costs_what_the_other_implementation_says(models: list[tuple[str, str, Price]], data: st.DataObject) -> None:
    provider, model, price = data.draw(st.sampled_from(models))
    whole = data.draw(st.integers(0, 1_000_000))
    cached = data.draw(st.integers(0, whole)) if price.base.cached_input is not None else 0
    written = data.draw(st.integers(0, whole - cached)) if price.base.cache_write is not None else 0
    output = data.draw(st.integers(0, 200_000))
    theirs = calc_price(
        TheirUsage(input_tokens=whole, cache_read_tokens=cached, cache_write_tokens=written, output_tokens=output),
        model,
        provider_id=provider,
        genai_request_timestamp=NOON,
    )
    ours = cost_usd(price, Usage(whole, cached, written, output), NOON.timestamp())
    assert abs(Decimal(ours) - theirs.total_price) < Decimal("1e-12") * max(Decimal(1), theirs.total_price)
