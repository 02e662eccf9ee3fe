"""The price entry of a row, in the shape `gateway.core.price_json` reads, from whichever data set knows it best.

LiteLLM's list comes first: it is the newest, and it names the page each price was read from. Then the dated list prices
of `model-prices` (labs only), then models.dev. A zero is a data set's way of not knowing (or a free trial, which is no
price to route by): it is written as no price at all. Time-of-day rules come from `model-prices`.
"""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_LITELLM_RATES = {
    "input": "input_cost_per_token",
    "cached_input": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "output": "output_cost_per_token",
    "reasoning": "output_cost_per_reasoning_token",
}
_STEPS = (100, 128, 200, 256, 272, 512)  # thousands of tokens, as LiteLLM's field names spell them
_DATED_RATES = {"input": "input", "cached_input": "cache_read", "cache_write": "cache_write", "output": "output"}
_MODELS_DEV_RATES = {
    "input": "cost_input",
    "cached_input": "cost_cache_read",
    "cache_write": "cost_cache_write",
    "output": "cost_output",
    "reasoning": "cost_reasoning",
}


def from_litellm(row: Mapping[str, Any]) -> Json | None:
    """Base rates and long-context steps ("above 200k" starts at 200,001 tokens)."""
    entry = _rates({name: _million(row.get(key)) for name, key in _LITELLM_RATES.items()})
    if entry is None:
        return None
    overrides = []
    for thousands in _STEPS:
        rates = {name: _million(row.get(f"{key}_above_{thousands}k_tokens")) for name, key in _LITELLM_RATES.items()}
        if rates["input"] or rates["output"]:
            step = _rates({**{k: entry.get(k) for k in ("input", "output")}, **_given(rates)})
            overrides.append({"min_prompt_tokens": thousands * 1000 + 1, **(step or {})})
    overrides += _tiered(row.get("tiered_pricing"), entry)
    return _entry(entry, overrides, row.get("source") or "LiteLLM")


def _tiered(tiers: Any, base: Json) -> list[Json]:
    """DashScope's form: rates by ranges of prompt tokens; the first range is the base."""
    overrides = []
    for tier in tiers or []:
        low = int(tier.get("range", [0])[0])
        rates = _rates({name: _million(tier.get(key)) for name, key in _LITELLM_RATES.items()})
        if rates is None:
            continue
        if low == 0:
            base.update(rates)
        else:
            overrides.append({"min_prompt_tokens": low + 1, **rates})
    return overrides


def from_dated(lines: list[Mapping[str, Any]] | None, as_of: str) -> Json | None:
    """The line of a dated price history that is in force on the day `as_of` (ISO 8601)."""
    current = None
    for line in lines or []:
        if line["start"] is None or line["start"][:10] <= as_of:
            current = line["rates"]
    if current is None:
        return None
    entry = _rates({name: current.get(key) for name, key in _DATED_RATES.items()})
    if entry is None:
        return None
    if current.get("cache_write_1h_multiple"):
        entry["cache_write_1h"] = _rounded(entry["input"] * current["cache_write_1h_multiple"])
    overrides = []
    for tier in current.get("tiers", []):
        rates = _rates({name: tier.get(key, current.get(key)) for name, key in _DATED_RATES.items()})
        overrides.append({"min_prompt_tokens": tier["above"] + 1, **(rates or {})})
    return _entry(entry, overrides, current.get("source") or "model-prices")


def from_models_dev(lines: list[Mapping[str, Any]], source: str) -> Json | None:
    """Base rates and context steps of a models.dev row."""
    by_start = {int(line["min_context"]): line for line in lines}
    if 0 not in by_start:
        return None
    entry = _rates({name: by_start[0][key] for name, key in _MODELS_DEV_RATES.items()})
    if entry is None:
        return None
    overrides = []
    for start in sorted(by_start.keys() - {0}):
        rates = _rates({name: by_start[start][key] for name, key in _MODELS_DEV_RATES.items()})
        if rates is not None:
            overrides.append({"min_prompt_tokens": start + 1, **rates})
    return _entry(entry, overrides, source)


def with_hours(entry: Json, model: str, schedules: list[Mapping[str, Any]]) -> Json:
    """The entry (an off-peak or an all-day price) with the hours at which another price holds."""
    for rule in schedules:
        if rule.get("valid_until"):
            continue
        factors = rule.get("off_peak_multiplier")
        factor = factors.get(model) if isinstance(factors, dict) else rule.get("peak_multiplier")
        hours = rule.get("peak_hours_utc") or rule.get("off_peak_hours_utc")
        if factor is None or not hours:
            continue
        window: Json = {"utc": [[start, "24:00" if end == "00:00" else end] for start, end in hours]}
        if rule.get("weekdays_only"):
            window["weekdays"] = [1, 2, 3, 4, 5]
        if rule.get("valid_from"):
            window["from"] = rule["valid_from"]
        rates = {name: _rounded(entry[name] * factor) for name in (*_LITELLM_RATES,) if name in entry}
        return {**entry, "overrides": [*entry.get("overrides", []), {"window": window, **rates}]}
    return entry


def _rates(values: Mapping[str, float | None]) -> Json | None:
    """Known rates only; None if input or output is not known. An output of zero is that of embeddings."""
    if not values.get("input") or values.get("output") is None:
        return None
    kept = {name: _rounded(value) for name, value in values.items() if value}
    if kept.get("reasoning") == kept.get("output"):
        kept.pop("reasoning", None)
    return {**kept, "output": _rounded(values["output"] or 0.0)}


def _given(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value}


def _entry(rates: Json, overrides: list[Json], source: str) -> Json:
    return {**rates, **({"overrides": overrides} if overrides else {}), "source": source}


def _million(per_token: float | None) -> float | None:
    return None if per_token is None else float(per_token) * 1e6


def _rounded(value: float | None) -> float:
    return round(float(value or 0.0), 6)
