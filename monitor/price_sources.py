"""Reads what live price sources say, each in its own shape, into prices of configured endpoints.

A source prices only what it sells: OpenRouter its own endpoints, Hugging Face's router its own, the two catalogs those
of the provider a row names. Rows that are not ours, not usable (a price that varies, a zero, a missing half) or not
fully understood are passed over: the catalog's price stays. An answer of which nothing at all could be read is an
error, and the last good one stays.

Prices are USD per million tokens. Which of them are believed is decided in `gateway.core.prices`.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from gateway.core.catalog import Catalog
from gateway.core.pricing import DAY_S, Override, Price, Rates, Window

Json = Any  # a parsed JSON value


class Source(StrEnum):
    """Live sources; of several that price one endpoint the first here counts."""

    OPENROUTER = "openrouter"
    HUGGINGFACE = "huggingface"
    MODELS_DEV = "models.dev"
    LITELLM = "litellm"


class PriceSourceError(ValueError):
    """The source's answer is not what it is known to be; the message says how."""


# (provider id, upstream id) -> endpoint ids
Sold = Mapping[tuple[str, str], tuple[str, ...]]

# Our provider id -> its name at models.dev and at LiteLLM, where they differ. The same table as in scripts/catalog.
MODELS_DEV_NAMES = {
    "gemini": "google",
    "moonshot": "moonshotai",
    "qwen": "alibaba",
    "stepfun": "stepfun-ai",
    "together": "togetherai",
    "fireworks": "fireworks-ai",
    "novita": "novita-ai",
}
LITELLM_NAMES = {
    "qwen": "dashscope",
    "cohere": "cohere_chat",
    "together": "together_ai",
    "fireworks": "fireworks_ai",
    "friendli": "friendliai",
}


def sold(catalog: Catalog) -> Sold:
    """What is sold by whom, as the providers name it."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for endpoint in catalog.endpoints.values():
        found[endpoint.provider, endpoint.upstream_id].append(endpoint.id)
    return {key: tuple(ids) for key, ids in found.items()}


def read(source: Source, raw: bytes, wares: Sold) -> dict[str, Price]:
    """Prices by endpoint id, of those endpoints that the source sells. Raises `PriceSourceError`."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise PriceSourceError(f"{source.value}: not JSON ({error})") from error
    prices: dict[str, Price] = {}
    rows = 0
    try:
        for provider, upstream_id, price in _READERS[source](body):
            rows += 1
            for id_ in wares.get((provider, upstream_id), ()):
                prices[id_] = price
    except (KeyError, TypeError, AttributeError) as error:
        raise PriceSourceError(f"{source.value}: not its usual shape ({error!r})") from error
    if not rows:
        raise PriceSourceError(f"{source.value}: no price in it")
    return prices


Rows = Iterator[tuple[str, str, Price]]


# -- OpenRouter: USD per token, as text ------------------------------------------------------------------------------

_OPENROUTER_RATES = {
    "input": ("prompt",),
    "output": ("completion",),
    "cached_input": ("input_cache_read", "inputCacheRead"),
    "cache_write": ("input_cache_write", "inputCacheWrite"),
    "cache_write_1h": ("input_cache_write_1h", "inputCacheWrite1h"),
    "reasoning": ("internal_reasoning", "internalReasoning"),
}
_WEEKDAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}


def _openrouter(body: Json) -> Rows:
    for model in body["data"]:
        pricing = model.get("pricing")
        rates = _openrouter_rates(pricing) if isinstance(pricing, dict) else None
        if rates is None:
            continue
        try:
            overrides = tuple(_openrouter_override(item, rates) for item in pricing.get("overrides") or ())
        except ValueError:
            continue  # not understood: a price without them might be too low
        kept = tuple(override for override in overrides if override is not None)
        yield "openrouter", model["id"], Price(rates, kept, Source.OPENROUTER.value)


def _openrouter_rates(pricing: Mapping[str, Json], base: Rates | None = None) -> Rates | None:
    values = {name: _million(_first(pricing, keys)) for name, keys in _OPENROUTER_RATES.items()}
    fee = _number(pricing.get("request"))
    if base is not None:
        values = {name: value or getattr(base, name) for name, value in values.items()}
        fee = fee or base.per_request
    return _rates(values, fee or 0.0)


def _openrouter_override(item: Mapping[str, Json], base: Rates) -> Override | None:
    """The override, or None where it is a discount of which it is not sure on what days it holds."""
    rates = _openrouter_rates(item, base)
    tokens = _first(item, ("min_prompt_tokens", "minPromptTokens")) or 0
    start, end = _first(item, ("utc_start", "utcStart")), _first(item, ("utc_end", "utcEnd"))
    days = _first(item, ("utc_days", "utcDays"))
    if rates is None or not isinstance(tokens, int) or (start is None) != (end is None):
        raise ValueError(item)
    if start is None and days is None:
        return Override(rates, tokens)
    spans = ((0, DAY_S),) if start is None else _spans(_second(start), _second(end))
    if not days:
        return Override(rates, tokens, Window(spans))
    if all(isinstance(day, str) and day[:3].lower() in _WEEKDAYS for day in days):
        return Override(rates, tokens, Window(spans, frozenset(_WEEKDAYS[day[:3].lower()] for day in days)))
    # Numbers do not say which day is the first: the dearer price is taken on all days, the cheaper on none.
    dearer = rates.input >= base.input and rates.output >= base.output
    return Override(rates, tokens, Window(spans)) if dearer else None


def _second(text: Json) -> int:
    """Seconds since midnight of "HH:MM" or "HH:MM:SS"; ValueError otherwise."""
    hours, minutes, *rest = (int(part) for part in str(text).split(":"))
    second = hours * 3600 + minutes * 60 + sum(rest)
    if not 0 <= second <= DAY_S:
        raise ValueError(text)
    return second


def _spans(start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Half-open spans of one day; a span over midnight is two."""
    if start < end:
        return ((start, end),)
    return tuple(span for span in ((0, end), (start, DAY_S)) if span[0] < span[1])


# -- Hugging Face's router: USD per million tokens, one price per host -------------------------------------------------


def _huggingface(body: Json) -> Rows:
    """A name with a host (`model:host`) costs what that host takes; one without, the dearest: any may be picked."""
    for model in body["data"]:
        offers = {}
        for host in model.get("providers") or ():
            pricing = host.get("pricing") or {}
            rates = _rates({"input": _number(pricing.get("input")), "output": _number(pricing.get("output"))}, 0.0)
            if rates is not None and host.get("status", "live") == "live":
                offers[host["provider"]] = rates
        for host, rates in offers.items():
            yield "huggingface", f"{model['id']}:{host}", Price(rates, (), Source.HUGGINGFACE.value)
        if offers:
            dearest = Rates(
                input=max(rates.input for rates in offers.values()),
                output=max(rates.output for rates in offers.values()),
            )
            yield "huggingface", model["id"], Price(dearest, (), Source.HUGGINGFACE.value)


# -- models.dev: USD per million tokens --------------------------------------------------------------------------------

_MODELS_DEV_RATES = {
    "input": "input",
    "output": "output",
    "cached_input": "cache_read",
    "cache_write": "cache_write",
    "reasoning": "reasoning",
}


def _models_dev(body: Json) -> Rows:
    ours = {theirs: our for our, theirs in MODELS_DEV_NAMES.items()}
    for provider, entry in body.items():
        for upstream_id, model in entry["models"].items():
            cost = model.get("cost") or {}
            rates = _models_dev_rates(cost)
            if rates is not None:
                price = Price(rates, tuple(_models_dev_steps(cost, rates)), Source.MODELS_DEV.value)
                yield ours.get(provider, provider), upstream_id, price


def _models_dev_rates(cost: Mapping[str, Json], base: Rates | None = None) -> Rates | None:
    values = {name: _number(cost.get(key)) for name, key in _MODELS_DEV_RATES.items()}
    if base is not None:
        values = {name: value or getattr(base, name) for name, value in values.items()}
    return _rates(values, 0.0)


def _models_dev_steps(cost: Mapping[str, Json], base: Rates) -> Iterator[Override]:
    """Steps by prompt length: `context_over_200k`, or a list of `tiers` with their sizes."""
    steps = [(200_000, cost["context_over_200k"])] if isinstance(cost.get("context_over_200k"), dict) else []
    for tier in cost.get("tiers") or ():
        size = tier["tier"].get("size") if isinstance(tier.get("tier"), dict) else None
        if isinstance(size, int):
            steps.append((size, tier))
    for size, step in sorted(dict(steps).items()):
        yield Override(_models_dev_rates(step, base) or base, size + 1)


# -- LiteLLM's price file: USD per token
# --------------------------------------------------------------------------------

_LITELLM_RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
}
_LITELLM_STEPS = (100, 128, 200, 256, 272, 512)  # thousands of tokens, as its field names spell them


def _litellm(body: Json) -> Rows:
    ours = {theirs: our for our, theirs in LITELLM_NAMES.items()}
    for key, row in body.items():
        provider = row.get("litellm_provider")
        rates = _litellm_rates(row, "")
        if rates is None or not isinstance(provider, str) or row.get("tiered_pricing"):
            continue
        steps = []
        for thousands in _LITELLM_STEPS:
            step = _litellm_rates(row, f"_above_{thousands}k_tokens", rates)
            if step is not None and step != rates:
                steps.append(Override(step, thousands * 1_000 + 1))
        price = Price(rates, tuple(steps), Source.LITELLM.value)
        yield ours.get(provider, provider), key.removeprefix(f"{provider}/"), price


def _litellm_rates(row: Mapping[str, Json], suffix: str, base: Rates | None = None) -> Rates | None:
    values = {name: _million(row.get(key + suffix)) for name, key in _LITELLM_RATES.items()}
    if base is not None:
        values = {name: value or getattr(base, name) for name, value in values.items()}
    return _rates(values, 0.0)


# -- shared
# --------------------------------------------------------------------------------------------------------------

_READERS: Mapping[Source, Callable[[Json], Rows]] = {
    Source.OPENROUTER: _openrouter,
    Source.HUGGINGFACE: _huggingface,
    Source.MODELS_DEV: _models_dev,
    Source.LITELLM: _litellm,
}


def _rates(values: Mapping[str, float | None], fee: float) -> Rates | None:
    """Rates, or None where input or output is not told. An output of 0 stays: that is how embeddings are priced."""
    input_, output = values.get("input"), values.get("output")
    if not input_ or output is None:
        return None
    optional = {name: value or None for name, value in values.items() if name not in ("input", "output")}
    return Rates(input=input_, output=output, per_request=fee, **optional)


def _first(fields: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _million(per_token: Json) -> float | None:
    value = _number(per_token)
    return None if value is None else round(value * 1e6, 9)


def _number(value: Json) -> float | None:
    """A number from 0, also where it is written as text; None for anything else (-1 stands for "it varies")."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number < 1e9 else None
