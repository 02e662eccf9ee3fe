from datetime import date
from typing import Any

import pytest
import yaml

from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from gateway.core.catalog import Operation
from loadtest.vendors import VENDORS, config_yaml, provider_rows, vendor_named

URLS = {vendor.id: f"http://127.0.0.1:{9000 + place}" for place, vendor in enumerate(VENDORS)}


def test_spells_a_provider_as_the_configuration_wants_it() -> None:
    assert provider_rows({"sim-private": "http://127.0.0.1:1/v1"}) == {
        "sim-private": {
            "api": "openai",
            "base_url": "http://127.0.0.1:1/v1",
            "key": {"none": True},
            "privacy": {
                "trains_on_data": False,
                "retention_days": 0,
                "regions": ["eu"],
                "certifications": ["iso27001", "soc2"],
            },
            "probe": {"by": "models"},
            "max_in_flight": 1000,
            "models": [
                {
                    "id": "open-70b",
                    "context": 128_000,
                    "tier": "medium",
                    "max_output": 8_192,
                    "caps": ["tools", "json_schema"],
                    "price": {"input": 0.9, "output": 1.2},
                },
                {
                    "id": "open-400b",
                    "context": 128_000,
                    "tier": "large",
                    "max_output": 8_192,
                    "caps": ["tools", "json_schema"],
                    "price": {"input": 3.5, "output": 12.0},
                },
            ],
        }
    }


def test_emits_the_same_rows_as_yaml() -> None:
    assert yaml.safe_load(config_yaml(URLS)) == {"providers": provider_rows(URLS)}


def test_is_accepted_by_the_gateway_with_the_same_weights_under_the_same_name() -> None:
    known = Known(
        providers={},
        models={},
        as_of="2026-11-24",
        today=date(2026, 11, 24),
        wire_formats=("openai", "anthropic"),
        key_present=lambda _: False,
    )
    endpoints = load_config(ConfigText(config_yaml(URLS).encode()), known).policy.catalog.endpoints
    assert sorted(endpoints) == sorted(f"{vendor.id}/{model.id}" for vendor in VENDORS for model in vendor.models)
    assert endpoints["sim-cheap/open-8b"].base_model == endpoints["sim-fast/open-8b"].base_model
    assert endpoints["sim-cheap/sim-embed-1"].operation is Operation.EMBEDDINGS


def test_offers_every_tier_at_two_vendors_so_that_any_one_may_die() -> None:
    sellers: dict[Any, set[str]] = {}
    for vendor in VENDORS:
        for model in vendor.models:
            sellers.setdefault(model.tier or model.id, set()).add(vendor.id)
    assert {tier: len(vendors) >= 2 for tier, vendors in sellers.items()} == dict.fromkeys(
        ("small", "medium", "large", "sim-embed-1"), True
    )


def test_says_which_vendors_there_are() -> None:
    with pytest.raises(LookupError, match="sim-cheap, sim-fast, sim-pro, sim-claude, sim-private"):
        vendor_named("nobody")
