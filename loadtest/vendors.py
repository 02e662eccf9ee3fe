"""The simulated vendors, as rows: what each sells, at what price, how fast, and with which guarantees.

Owns the table and its rendering as a `providers:` block of `pointsman.yaml`. Knows nothing of sockets. Names
and prices are invented, with the proportions of the real market in 2026: a factor of 50 between the cheapest
and the dearest model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

Json = Any  # a parsed JSON value


@dataclass(frozen=True, slots=True)
class PriceList:
    """USD per million tokens. Where a line is `None`, those tokens cost what input costs."""

    input: Decimal
    output: Decimal = Decimal(0)
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a vendor. `context` and `max_output` are tokens; `dimensions` is set for embedding models only."""

    id: str
    price: PriceList
    tier: str | None = None
    context: int = 128_000
    max_output: int = 8_192
    caps: tuple[str, ...] = ("tools", "json_schema")
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class Privacy:
    trains_on_data: bool
    retention_days: int
    regions: tuple[str, ...]
    certifications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vendor:
    """One simulated company. `ttft_ms` is the time to the first token, `tokens_per_s` the speed after it."""

    id: str
    api: str  # "openai" | "anthropic"
    models: tuple[Model, ...]
    ttft_ms: float
    tokens_per_s: float
    privacy: Privacy

    def model(self, model_id: str) -> Model | None:
        return next((model for model in self.models if model.id == model_id), None)


def _price(input_usd: str, output_usd: str = "0", cached: str | None = None, write: str | None = None) -> PriceList:
    return PriceList(
        input=Decimal(input_usd),
        output=Decimal(output_usd),
        cached_input=None if cached is None else Decimal(cached),
        cache_write=None if write is None else Decimal(write),
    )


_EMBEDDER = (
    "sim-embed-1"  # the same model with the same dimensions at two vendors: embeddings may fail over between them
)
_ALL = ("tools", "json_schema", "vision")

VENDORS: tuple[Vendor, ...] = (
    Vendor(
        id="sim-cheap",
        api="openai",
        models=(
            Model("open-8b", _price("0.05", "0.08", "0.025"), tier="small", context=16_384, max_output=4_096),
            Model(_EMBEDDER, _price("0.01"), context=8_192, caps=(), dimensions=256),
        ),
        ttft_ms=350,
        tokens_per_s=40,
        privacy=Privacy(trains_on_data=True, retention_days=365, regions=("us", "sg")),
    ),
    Vendor(
        id="sim-fast",
        api="openai",
        models=(
            Model("open-8b", _price("0.10", "0.20", "0.05"), tier="small", context=32_768),
            Model("open-70b", _price("0.60", "0.90", "0.30"), tier="medium"),
            Model(_EMBEDDER, _price("0.02"), context=8_192, caps=(), dimensions=256),
        ),
        ttft_ms=60,
        tokens_per_s=250,
        privacy=Privacy(trains_on_data=False, retention_days=30, regions=("us",), certifications=("soc2",)),
    ),
    Vendor(
        id="sim-pro",
        api="openai",
        models=(
            Model(
                "pro-1", _price("2.50", "10.00", "1.25"), tier="large", context=400_000, max_output=16_384, caps=_ALL
            ),
            Model(
                "pro-thinker",
                _price("1.10", "4.40", "0.55"),
                tier="large",
                context=200_000,
                max_output=32_768,
                caps=("tools", "json_schema", "reasoning"),
            ),
        ),
        ttft_ms=400,
        tokens_per_s=80,
        privacy=Privacy(trains_on_data=False, retention_days=30, regions=("us",), certifications=("soc2", "iso27001")),
    ),
    Vendor(
        id="sim-claude",
        api="anthropic",
        models=(
            Model("claude-sim-mid", _price("1.00", "5.00", "0.10", "1.25"), tier="medium", context=200_000, caps=_ALL),
            Model(
                "claude-sim-large",
                _price("3.00", "15.00", "0.30", "3.75"),
                tier="large",
                context=200_000,
                max_output=32_768,
                caps=(*_ALL, "reasoning"),
            ),
        ),
        ttft_ms=500,
        tokens_per_s=70,
        privacy=Privacy(trains_on_data=False, retention_days=30, regions=("us",), certifications=("soc2", "hipaa")),
    ),
    Vendor(
        id="sim-private",
        api="openai",
        models=(
            Model("open-70b", _price("0.90", "1.20"), tier="medium"),
            Model("open-400b", _price("3.50", "12.00"), tier="large"),
        ),
        ttft_ms=250,
        tokens_per_s=60,
        privacy=Privacy(trains_on_data=False, retention_days=0, regions=("eu",), certifications=("iso27001", "soc2")),
    ),
)


def vendor_named(vendor_id: str) -> Vendor:
    """The row of that id; raises `LookupError` that lists the valid ones."""
    for vendor in VENDORS:
        if vendor.id == vendor_id:
            return vendor
    raise LookupError(f"no simulated vendor {vendor_id!r}; there are: {', '.join(v.id for v in VENDORS)}")


def provider_rows(base_urls: Mapping[str, str], vendors: Iterable[Vendor] = VENDORS) -> dict[str, Json]:
    """The `providers:` block of `pointsman.yaml` for the vendors that `base_urls` (vendor id → URL) names."""
    return {vendor.id: _provider_row(vendor, base_urls[vendor.id]) for vendor in vendors if vendor.id in base_urls}


def config_yaml(base_urls: Mapping[str, str], vendors: Iterable[Vendor] = VENDORS) -> str:
    """The same block as the text of a whole `pointsman.yaml`."""
    return yaml.safe_dump({"providers": provider_rows(base_urls, vendors)}, sort_keys=False)


def _provider_row(vendor: Vendor, base_url: str) -> dict[str, Json]:
    return {
        "api": vendor.api,
        "base_url": base_url,
        "key": {"none": True},
        "privacy": {
            "trains_on_data": vendor.privacy.trains_on_data,
            "retention_days": vendor.privacy.retention_days,
            "regions": list(vendor.privacy.regions),
            "certifications": list(vendor.privacy.certifications),
        },
        # Free probes only: a vendor's bill then holds nothing but clients' requests, and can be compared to the cent.
        "probe": {"by": "models"},
        "max_in_flight": 1000,
        "models": [_model_row(model) for model in vendor.models],
    }


def _model_row(model: Model) -> dict[str, Json]:
    row: dict[str, Json] = {"id": model.id, "context": model.context}
    if model.dimensions is not None:
        row |= {"operation": "embeddings", "dimensions": model.dimensions}
    else:
        row |= {"tier": model.tier, "max_output": model.max_output}
    return row | {"caps": list(model.caps), "price": _price_row(model)}


def _price_row(model: Model) -> dict[str, float]:
    price = model.price
    lines = {
        "input": price.input,
        "output": price.output,
        "cached_input": price.cached_input,
        "cache_write": price.cache_write,
    }
    return {name: float(usd) for name, usd in lines.items() if usd is not None}
