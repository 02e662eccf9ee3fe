import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.pricing import Override, Price, Rates, Window
from monitor.price_sources import (
    LITELLM_NAMES,
    MODELS_DEV_NAMES,
    PriceSourceError,
    Source,
    read,
    sold,
)
from tests.support.builders import a_catalog, an_endpoint

HOUR = 3_600


def wares(*pairs: tuple[str, str]) -> dict[tuple[str, str], tuple[str, ...]]:
    return {pair: ("/".join(pair),) for pair in pairs}


def prices(source: Source, body: Any, *pairs: tuple[str, str]) -> dict[str, Price]:
    return read(source, json.dumps(body).encode(), wares(*pairs))


def openrouter(**pricing: Any) -> Price | None:
    model = {"id": "openai/gpt-4o", "pricing": {"prompt": "0.0000025", "completion": "0.00001", **pricing}}
    other = {"id": "other", "pricing": {"prompt": "1", "completion": "1"}}
    found = prices(Source.OPENROUTER, {"data": [model, other]}, ("openrouter", "openai/gpt-4o"))
    return found.get("openrouter/openai/gpt-4o")


def test_finds_what_is_sold_by_the_providers_own_names() -> None:
    catalog = a_catalog(an_endpoint("p/a", upstream_id="up"), an_endpoint("p/b", upstream_id="up"), "q/a")

    assert sold(catalog) == {("p", "up"): ("p/a", "p/b"), ("q", "a"): ("q/a",)}


# -- OpenRouter ------------------------------------------------------------------------


def test_reads_openrouters_texts_per_token() -> None:
    price = openrouter(
        input_cache_read="0.00000125",
        input_cache_write="0.000003125",
        input_cache_write_1h="0.000005",
        internal_reasoning="0",
        request="0.001",
        image="0.003",
    )

    assert price == Price(
        Rates(2.5, 10.0, cached_input=1.25, cache_write=3.125, cache_write_1h=5.0, per_request=0.001),
        source="openrouter",
    )


def test_prices_openrouters_own_endpoints_alone() -> None:
    body = {"data": [{"id": "gpt-4o", "pricing": {"prompt": "0.1", "completion": "0.1"}}]}

    assert prices(Source.OPENROUTER, body, ("openai", "gpt-4o")) == {}


@pytest.mark.parametrize("prompt", ["0", "-1", "cheap", None, True, [], "1e400", 10**400])
def test_passes_over_a_price_that_is_none(prompt: Any) -> None:
    assert openrouter(prompt=prompt) is None


def test_passes_over_a_model_without_prices() -> None:
    body = {"data": [{"id": "x"}, {"id": "y", "pricing": {"prompt": "0.000001", "completion": "0.000001"}}]}

    assert prices(Source.OPENROUTER, body, ("openrouter", "x")) == {}


def test_reads_openrouters_long_prompts() -> None:
    price = openrouter(overrides=[{"min_prompt_tokens": 200_000, "prompt": "0.000005", "completion": "0.00002"}])

    assert price is not None
    assert price.overrides == (Override(Rates(5.0, 20.0), 200_000),)


@pytest.mark.parametrize("spelling", [("utc_start", "utc_end", "utc_days"), ("utcStart", "utcEnd", "utcDays")])
def test_reads_openrouters_hours_and_days_in_either_spelling(spelling: tuple[str, str, str]) -> None:
    start, end, days = spelling
    price = openrouter(overrides=[{start: "16:30", end: "00:30:00", days: ["Monday", "sun"], "prompt": "0.000001"}])

    assert price is not None
    spans = ((0, HOUR // 2), (16 * HOUR + HOUR // 2, 24 * HOUR))
    assert price.overrides == (Override(Rates(1.0, 10.0), 0, Window(spans, frozenset({0, 6}))),)


def test_reads_hours_without_days_and_days_without_hours() -> None:
    hours = openrouter(overrides=[{"utc_start": "01:00", "utc_end": "04:00", "prompt": "0.000005"}])
    days = openrouter(overrides=[{"utc_days": ["sat"], "prompt": "0.000001"}])
    night = openrouter(overrides=[{"utc_start": "22:00", "utc_end": "00:00", "prompt": "0.000005"}])

    assert hours is not None
    assert hours.overrides == (Override(Rates(5.0, 10.0), 0, Window(((HOUR, 4 * HOUR),))),)
    assert days is not None
    assert days.overrides == (Override(Rates(1.0, 10.0), 0, Window(weekdays=frozenset({5}))),)
    assert night is not None
    assert night.overrides == (Override(Rates(5.0, 10.0), 0, Window(((22 * HOUR, 24 * HOUR),))),)


def test_takes_the_dearer_price_on_all_days_where_it_is_not_sure_of_the_day() -> None:
    times = {"utc_start": "01:00", "utc_end": "04:00", "utc_days": [1, 2, 3]}
    dearer = openrouter(overrides=[{**times, "prompt": "0.000005"}])
    cheaper = openrouter(overrides=[{**times, "prompt": "0.000001"}])

    assert dearer is not None
    assert dearer.overrides == (Override(Rates(5.0, 10.0), 0, Window(((HOUR, 4 * HOUR),))),)
    assert cheaper is not None
    assert cheaper.overrides == ()


@pytest.mark.parametrize(
    "override",
    [
        {"utc_start": "01:00"},
        {"utc_start": "one", "utc_end": "04:00"},
        {"utc_start": "25:00", "utc_end": "26:00"},
        {"min_prompt_tokens": "many"},
    ],
)
def test_passes_over_a_model_whose_overrides_it_does_not_understand(override: dict[str, Any]) -> None:
    assert openrouter(overrides=[override]) is None


# -- Hugging Face ----------------------------------------------------------------------


def test_takes_the_dearest_host_of_huggingface_unless_one_is_named() -> None:
    hosts = [
        {"provider": "slow", "status": "live", "pricing": {"input": 0.1, "output": 0.9}},
        {"provider": "fast", "pricing": {"input": 0.3, "output": 0.6}},
        {"provider": "gone", "status": "error", "pricing": {"input": 9, "output": 9}},
        {"provider": "mute"},
    ]
    body = {"data": [{"id": "org/m", "providers": hosts}, {"id": "org/n"}]}
    pairs = (("huggingface", "org/m"), ("huggingface", "org/m:fast"), ("huggingface", "org/n"), ("other", "org/m"))

    assert prices(Source.HUGGINGFACE, body, *pairs) == {
        "huggingface/org/m": Price(Rates(0.3, 0.9), source="huggingface"),
        "huggingface/org/m:fast": Price(Rates(0.3, 0.6), source="huggingface"),
    }


# -- models.dev ------------------------------------------------------------------------


def test_reads_models_dev_by_its_own_provider_names() -> None:
    cost = {"input": 1.25, "output": 10, "cache_read": 0.125, "context_over_200k": {"input": 2.5, "output": 15}}
    body = {
        "google": {"models": {"gemini-2.5-pro": {"cost": cost}}},
        "openai": {"models": {"free": {"cost": {"input": 0, "output": 0}}, "mute": {}}},
        "vertex": {"models": {"gemini-2.5-pro": {"cost": {"input": 9, "output": 9}}}},
    }
    pairs = (("gemini", "gemini-2.5-pro"), ("openai", "free"), ("openai", "mute"))

    assert prices(Source.MODELS_DEV, body, *pairs) == {
        "gemini/gemini-2.5-pro": Price(
            Rates(1.25, 10.0, cached_input=0.125),
            (Override(Rates(2.5, 15.0, cached_input=0.125), 200_001),),
            "models.dev",
        )
    }


def test_reads_models_devs_tiers() -> None:
    tiers = [
        {"tier": {"type": "context", "size": 272_000}, "input": 5, "output": 22.5},
        {"tier": {"type": "context"}, "input": 1, "output": 1},
        {"input": 1, "output": 1},
        {"tier": {"size": 300_000}},
    ]
    body = {"openai": {"models": {"m": {"cost": {"input": 2.5, "output": 15, "tiers": tiers}}}}}

    found = prices(Source.MODELS_DEV, body, ("openai", "m"))["openai/m"]

    assert found.overrides == (Override(Rates(5.0, 22.5), 272_001), Override(Rates(2.5, 15.0), 300_001))


# -- LiteLLM ---------------------------------------------------------------------------


def test_reads_litellms_prices_per_token_with_its_steps() -> None:
    row = {
        "litellm_provider": "dashscope",
        "input_cost_per_token": 2e-6,
        "output_cost_per_token": 8e-6,
        "cache_read_input_token_cost": 2e-7,
        "cache_creation_input_token_cost": 2.5e-6,
        "output_cost_per_reasoning_token": 9e-6,
        "input_cost_per_token_above_200k_tokens": 4e-6,
    }
    body = {"sample_spec": {"mode": "chat"}, "dashscope/qwen-max": row}

    assert prices(Source.LITELLM, body, ("qwen", "qwen-max")) == {
        "qwen/qwen-max": Price(
            Rates(2.0, 8.0, cached_input=0.2, cache_write=2.5, reasoning=9.0),
            (Override(Rates(4.0, 8.0, cached_input=0.2, cache_write=2.5, reasoning=9.0), 200_001),),
            "litellm",
        )
    }


def test_keeps_the_zero_output_of_embeddings() -> None:
    row = {"litellm_provider": "openai", "input_cost_per_token": 2e-8, "output_cost_per_token": 0}

    assert prices(Source.LITELLM, {"text-embedding-3-small": row}, ("openai", "text-embedding-3-small")) == {
        "openai/text-embedding-3-small": Price(Rates(0.02, 0.0), source="litellm")
    }


def test_passes_over_litellms_rows_with_ranges_or_without_a_provider() -> None:
    rates = {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
    body = {
        "a": {**rates, "litellm_provider": "openai", "tiered_pricing": [{"range": [0, 32_000]}]},
        "b": rates,
        "c": {**rates, "litellm_provider": "openai"},
    }

    assert set(prices(Source.LITELLM, body, *(("openai", id_) for id_ in "abc"))) == {"openai/c"}


# -- answers that are none ---------------------------------------------------------------


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<html>", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no price in it|not its usual shape"),
        (b"null", "not its usual shape"),
        (b"{}", "no price in it|not its usual shape"),
        (b'{"data": [1, 2]}', "not its usual shape"),
        (b'{"data": {"id": 1}}', "no price in it|not its usual shape"),
    ],
)
def test_refuses_an_answer_of_which_nothing_can_be_read(source: Source, raw: bytes, message: str) -> None:
    with pytest.raises(PriceSourceError, match=f"^{source.value}: ({message})"):
        read(source, raw, {})


NAMES = ("data", "id", "pricing", "prompt", "completion", "overrides", "providers", "provider", "input", "output",
         "models", "cost", "tiers", "tier", "size", "litellm_provider", "input_cost_per_token", "output_cost_per_token",
         "utc_days", "utc_start", "utc_end")  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(Source), JSON)
def test_raises_nothing_else_whatever_a_source_sends(source: Source, body: Any) -> None:
    with suppress(PriceSourceError):
        read(source, json.dumps(body).encode(), {})


def test_knows_the_providers_of_the_catalog_by_the_same_names_as_its_builder() -> None:
    providers = pytest.importorskip("scripts.catalog.providers", reason="the catalog's builder is not here").PROVIDERS

    for row in providers:
        if row.models_dev:
            assert MODELS_DEV_NAMES.get(row.id, row.id) == row.models_dev
        if row.litellm:
            assert LITELLM_NAMES.get(row.id, row.id) == row.litellm
