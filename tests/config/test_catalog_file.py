import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.config.catalog_file import (
    Basis,
    CatalogFileError,
    ModelRow,
    PackagedCatalog,
    load_catalog,
)
from gateway.config.places import Template
from gateway.core import catalog as words
from gateway.core.catalog import Endpoint, KeyRef, Operation, Privacy, Provider
from gateway.core.pricing import Override, Price, Rates, rates_at
from gateway.formats.registry import wire_formats

TODAY = date(2026, 11, 25)
CAPS = {
    words.TOOLS, words.JSON_SCHEMA, words.VISION, words.AUDIO, words.PDF, words.REASONING, words.TRANSLATION,
}  # fmt: skip
MODEL: dict[str, Any] = {
    "id": "m-1",
    "upstream_id": "Vendor/M-1",
    "base_model": "m",
    "context": 100_000,
    "max_output": 8_000,
    "caps": ["tools"],
    "quirks": ["no_sampling"],
    "quality": {"tier": "medium", "list": 0, "value": 1400},
    "retires": "2027-01-14",
    "price": {"input": 1.0, "output": 2.0, "overrides": [{"min_prompt_tokens": 9, "input": 3.0, "output": 4.0}]},
}
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "as_of": "2026-11-25",
    "benchmarks": [{"list": "a list", "measured": "2026-10-02", "source": "https://example.org", "large": 1425}],
    "providers": {
        "vendor": {
            "name": "Vendor, Inc.",
            "api": "openai",
            "base_url": "https://api.example.org/v1",
            "key_env": "VENDOR_API_KEY",
            "headers": {"x-version": "1"},
            "quirks": ["max_tokens"],
            "models": [MODEL, {"id": "e-1", "operation": "embeddings", "dimensions": 1536, "deprecated": True}],
        }
    },
}


def load(tmp_path: Path, document: object) -> PackagedCatalog:
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(document))
    return load_catalog(path)


def test_reads_a_file_of_the_operator_s(tmp_path: Path) -> None:
    found = load(tmp_path, DOCUMENT)
    assert (found.as_of, found.provider_rows["vendor"].name) == (TODAY, "Vendor, Inc.")
    assert found.provider_rows["vendor"].provider == Provider(
        "vendor",
        "openai",
        "https://api.example.org/v1",
        KeyRef(env="VENDOR_API_KEY"),
        headers=(("x-version", "1"),),
    )
    assert found.model_rows["vendor"] == (
        ModelRow(
            Endpoint(
                id="vendor/m-1",
                provider="vendor",
                model="m-1",
                upstream_id="Vendor/M-1",
                base_model="m",
                api="openai",
                context=100_000,
                max_output=8_000,
                caps=frozenset({"tools"}),
                quirks=frozenset({"max_tokens", "no_sampling"}),
            ),
            Price(Rates(1.0, 2.0), (Override(Rates(3.0, 4.0), min_prompt_tokens=9),)),
            "medium",
            Basis("a list", 1400.0, date(2026, 10, 2), "https://example.org"),
            date(2027, 1, 14),
        ),
        ModelRow(
            Endpoint(
                "vendor/e-1",
                "vendor",
                "e-1",
                "e-1",
                "e-1",
                "openai",
                Operation.EMBEDDINGS,
                caps=frozenset(),
                dimensions=1536,
                deprecated=True,
                quirks=frozenset({"max_tokens"}),
            ),
            price=None,
        ),
    )


def test_calls_a_model_deprecated_from_its_last_day_on(tmp_path: Path) -> None:
    model, embeddings = load(tmp_path, DOCUMENT).model_rows["vendor"]
    days = [date(2027, 1, 13), date(2027, 1, 14)]
    assert [model.deprecated_on(day) for day in days] == [False, True]
    assert embeddings.deprecated_on(date(2000, 1, 1))


def changed(path: str, value: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    *parents, last = path.split(".")
    place: Any = document
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return document


MODEL_PATH = "providers.vendor.models.0"
SHOWN_PATH = "providers.vendor.models[0]"


@pytest.mark.parametrize(
    ("place", "value", "shown"),
    [
        ("version", 2, "version"),
        ("as_of", "today", "as_of"),
        ("as_of", 5, "as_of"),
        ("benchmarks", {}, "benchmarks"),
        ("benchmarks", [{}], "benchmarks[0].list"),
        ("providers", [], "providers"),
        ("providers.vendor", None, "providers.vendor"),
        ("providers.vendor.api", "", "providers.vendor.api"),
        ("providers.vendor.key_env", None, "providers.vendor.key_env"),
        ("providers.vendor.headers", {"a": 1}, "providers.vendor.headers.a"),
        ("providers.vendor.quirks", [1], "providers.vendor.quirks"),
        ("providers.vendor.models", None, "providers.vendor.models"),
        (f"{MODEL_PATH}.id", None, f"{SHOWN_PATH}.id"),
        (f"{MODEL_PATH}.context", "100k", f"{SHOWN_PATH}.context"),
        (f"{MODEL_PATH}.max_output", -1, f"{SHOWN_PATH}.max_output"),
        (f"{MODEL_PATH}.context", True, f"{SHOWN_PATH}.context"),
        (f"{MODEL_PATH}.operation", "sing", f"{SHOWN_PATH}.operation"),
        (f"{MODEL_PATH}.quality.list", 1, f"{SHOWN_PATH}.quality.list"),
        (f"{MODEL_PATH}.quality.list", "a", f"{SHOWN_PATH}.quality.list"),
        (f"{MODEL_PATH}.retires", "soon", f"{SHOWN_PATH}.retires"),
        (f"{MODEL_PATH}.price.input", -1, f"{SHOWN_PATH}.price.input"),
        (f"{MODEL_PATH}.price", {"input": 1}, f"{SHOWN_PATH}.price.output"),
    ],
)
def test_refuses_the_file_and_names_the_bad_place(tmp_path: Path, place: str, value: Any, shown: str) -> None:
    with pytest.raises(CatalogFileError) as caught:
        load(tmp_path, changed(place, value))
    assert caught.value.path == shown


def test_refuses_what_is_no_json_and_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "catalog.json"
    with pytest.raises(CatalogFileError, match="cannot be read: No such file"):
        load_catalog(path)
    path.write_bytes(b'{"version": 1,}')
    with pytest.raises(CatalogFileError, match="is not JSON"):
        load_catalog(path)


@pytest.fixture(scope="module")
def shipped() -> PackagedCatalog:
    return load_catalog()


def chat_rows(shipped: PackagedCatalog) -> list[ModelRow]:
    return [row for rows in shipped.model_rows.values() for row in rows if row.endpoint.operation is Operation.CHAT]


def test_ships_what_the_product_promises(shipped: PackagedCatalog) -> None:
    live = [row for row in chat_rows(shipped) if not row.deprecated_on(shipped.as_of)]
    assert len(live) >= 171
    assert len({row.endpoint.provider for row in live}) >= 14
    assert {row.provider.api for row in shipped.provider_rows.values()} <= set(wire_formats())
    assert {row.endpoint.api for rows in shipped.model_rows.values() for row in rows} <= set(wire_formats())


def test_ships_a_variable_for_every_place_of_an_address(shipped: PackagedCatalog) -> None:
    for provider_id, row in shipped.provider_rows.items():
        assert set(Template(row.provider.base_url, row.places).places) == set(row.places), provider_id


def test_ships_rows_that_hold_together(shipped: PackagedCatalog) -> None:
    for provider_id, rows in shipped.model_rows.items():
        provider = shipped.provider_rows[provider_id].provider
        assert provider.base_url.startswith("https://")
        assert not provider.base_url.endswith("/")
        names = Counter(row.endpoint.model for row in rows)
        assert [name for name, count in names.items() if count > 1] == []
        for row in rows:
            assert row.endpoint.caps <= CAPS, row.endpoint.id
            assert row.tier in {None, "small", "medium", "large"}
            assert (row.tier is None) == (row.basis is None)
            assert "/" not in row.endpoint.model


def test_ships_no_price_of_zero_for_chat(shipped: PackagedCatalog) -> None:
    prices = [rates_at(row.price, 0, 0.0) for row in chat_rows(shipped) if row.price is not None]
    assert min(rates.input for rates in prices) > 0
    assert min(rates.output for rates in prices) > 0


def test_ships_no_model_that_pays_with_the_traffic(shipped: PackagedCatalog) -> None:
    ids = [row.endpoint.upstream_id for row in chat_rows(shipped)]
    assert [name for name in ids if "contributor" in name or name.endswith((":free", "-free"))] == []


@pytest.mark.parametrize(
    ("model", "providers"),
    [
        ("gpt-4o", {"openai", "openrouter"}),
        ("claude-opus-4-8", {"anthropic", "openrouter"}),
        ("llama-3.3-70b-instruct", {"groq", "openrouter", "sambanova", "nebius", "huggingface"}),
        ("gpt-oss-120b", {"groq", "cerebras", "together", "deepinfra", "openrouter"}),
        ("deepseek-v4-pro", {"deepseek", "together", "openrouter"}),
        ("kimi-k3", {"moonshot", "together", "fireworks", "openrouter"}),
    ],
)
def test_ships_one_name_for_one_model(shipped: PackagedCatalog, model: str, providers: set[str]) -> None:
    found = [row for row in chat_rows(shipped) if row.endpoint.model == model]
    assert {row.endpoint.provider for row in found} >= providers
    assert len({row.endpoint.base_model for row in found}) == 1
    assert len({row.tier for row in found}) == 1


@pytest.mark.parametrize(
    ("endpoint_id", "tier"),
    [
        ("openai/gpt-4o", "medium"),
        ("openai/gpt-4o-mini", "small"),
        ("anthropic/claude-opus-4-8", "large"),
        ("anthropic/claude-haiku-4-5", "medium"),
        ("gemini/gemini-2.5-pro", "large"),
        ("gemini/gemini-2.5-flash", "medium"),
        ("groq/llama-3.1-8b-instruct", "small"),
        ("mistral/mistral-large-2512", "medium"),
        ("deepseek/deepseek-v4-pro", "large"),
        ("openai/gpt-6.1-sol", None),  # no figure is known
    ],
)
def test_ships_tiers_by_published_figures(shipped: PackagedCatalog, endpoint_id: str, tier: str | None) -> None:
    assert {row.tier for row in chat_rows(shipped) if row.endpoint.id == endpoint_id} == {tier}


def test_ships_the_known_prices(shipped: PackagedCatalog) -> None:
    prices = {row.endpoint.id: row.price for row in chat_rows(shipped)}
    assert prices["openai/gpt-4o"] == Price(
        Rates(2.5, 10.0, cached_input=1.25), source="https://developers.openai.com/api/docs/pricing"
    )
    flash = prices["deepseek/deepseek-flash"]
    assert flash is not None
    monday_peak, monday_noon = 1_795_485_600.0, 1_795_521_600.0  # 2026-11-23T02:00Z and 12:00Z
    assert [rates_at(flash, 0, at_s).input for at_s in (monday_peak, monday_noon)] == [0.3, 0.15]


def test_ships_policies_that_end(shipped: PackagedCatalog) -> None:
    known = [row.provider.privacy for row in shipped.provider_rows.values() if row.provider.privacy != Privacy()]
    assert len(known) >= 10
    for privacy in known:
        assert privacy.source.startswith("https://")
        assert privacy.reviewed is not None
        assert privacy.expires is not None
        assert 0 < (privacy.expires - privacy.reviewed).days <= 92


def test_guarantees_nothing_for_who_passes_requests_on(shipped: PackagedCatalog) -> None:
    passing_on = ("openrouter", "huggingface")
    assert [shipped.provider_rows[name].provider.privacy for name in passing_on] == [Privacy(), Privacy()]
