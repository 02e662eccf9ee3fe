"""Which endpoints may and can serve, with a reason for each that may not."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.catalog import Operation, Privacy
from gateway.core.extras import ProviderRules
from gateway.core.policy import Requirement
from gateway.core.screen import Demand, capability, kind_of, screen
from tests.support.builders import a_catalog, a_provider, an_endpoint

PLAIN = Demand(
    operation=Operation.CHAT, among=None, named=False, require=Requirement(), needs=frozenset(), signed_by=frozenset(),
    tier=0, rules=ProviderRules(), inexpressible=(), keyless=frozenset(), today=date(2026, 11, 24),
)  # fmt: skip


def reasons(endpoint: dict[str, Any], demand: dict[str, Any], **provider: Any) -> tuple[str, ...]:
    """Why one endpoint is excluded from a demand; empty where it is eligible."""
    catalog = a_catalog(an_endpoint(**endpoint), providers=[a_provider(**provider)])
    screened = screen(replace(PLAIN, **demand), catalog)
    assert (screened.eligible == ()) == bool(screened.excluded)
    return screened.excluded.get("alpha/m", ())


@pytest.mark.parametrize(
    ("endpoint", "demand", "why"),
    [
        ({}, {}, ()),
        ({}, {"require": Requirement(retention_days=0)}, ("sensitivity",)),
        ({}, {"needs": frozenset({"vision", "pdf"})}, ("capability:pdf", "capability:vision")),
        ({"caps": frozenset({"vision"})}, {"needs": frozenset({"vision"})}, ()),
        ({}, {"signed_by": frozenset({"anthropic"})}, ("capability:signed_reasoning",)),
        ({"api": "anthropic"}, {"signed_by": frozenset({"anthropic"})}, ()),
        ({}, {"inexpressible": ((kind_of(an_endpoint()), frozenset({"n"})),)}, ("capability:n",)),
        ({"quirks": frozenset({"q"})}, {"inexpressible": ((kind_of(an_endpoint()), frozenset({"n"})),)}, ()),
        ({"tier": 0}, {"tier": 1}, ("tier",)),
        ({"tier": 1}, {"tier": 1}, ()),
        ({"tier": 1}, {"tier": None}, ()),
        ({"tier": None}, {"tier": None}, ("tier",)),
        ({"tier": None}, {"tier": None, "named": True}, ()),
        ({"tier": None}, {"tier": 0, "named": True}, ()),
        ({"tier": None}, {"tier": 1, "named": True}, ("tier",)),
        ({"tier": 0}, {"tier": 1, "named": True}, ("tier",)),
        ({"deprecated": True}, {}, ("tier",)),
        ({"deprecated": True}, {"named": True}, ()),
        ({}, {"rules": ProviderRules(only=("beta",))}, ("not_allowed",)),
        ({}, {"rules": ProviderRules(only=("alpha",))}, ()),
        ({}, {"rules": ProviderRules(only=("alpha/m",))}, ()),
        ({}, {"rules": ProviderRules(ignore=("alpha",))}, ("not_allowed",)),
        ({}, {"rules": ProviderRules(ignore=("beta",))}, ()),
        ({}, {"rules": ProviderRules(order=("beta",))}, ()),
        ({}, {"rules": ProviderRules(order=("beta",), allow_fallbacks=False)}, ("not_allowed",)),
        ({}, {"rules": ProviderRules(order=("alpha",), allow_fallbacks=False)}, ()),
        ({}, {"rules": ProviderRules(allow_fallbacks=False)}, ()),
        ({}, {"rules": ProviderRules(zdr=True)}, ("not_allowed",)),
        ({}, {"rules": ProviderRules(deny_data_collection=True)}, ("not_allowed",)),
        ({}, {"keyless": frozenset({"alpha"})}, ("no_key",)),
    ],
)
def test_gives_its_reason(endpoint: dict[str, Any], demand: dict[str, Any], why: tuple[str, ...]) -> None:
    assert reasons(endpoint, demand) == why


def test_gives_every_reason_in_the_order_of_the_contract() -> None:
    demand = {
        "require": Requirement(retention_days=0), "needs": frozenset({"vision"}), "tier": 2,
        "rules": ProviderRules(ignore=("alpha",)), "keyless": frozenset({"alpha"}),
    }  # fmt: skip
    assert reasons({}, demand) == ("sensitivity", "capability:vision", "tier", "not_allowed", "no_key")


def test_lets_a_provider_in_that_guarantees_what_is_required() -> None:
    demand = {"require": Requirement(retention_days=0), "rules": ProviderRules(zdr=True)}
    assert reasons({}, demand, privacy=Privacy(retention_days=0)) == ()


EMBED = {"operation": Operation.EMBEDDINGS}


@pytest.mark.parametrize(
    ("endpoint", "demand", "why"),
    [
        ({}, {}, ()),
        ({"tier": None}, {"tier": 2}, ()),
        ({"dimensions": 512}, {"dimensions": 256}, ()),
        ({"dimensions": 512}, {"dimensions": 1_024}, ("capability:dimensions",)),
        ({}, {"dimensions": 1_024}, ()),
        ({"dimensions": 512}, {"native_dimensions": 1_024}, ("capability:dimensions",)),
        ({"dimensions": 512}, {"native_dimensions": 512}, ()),
        ({}, {"native_dimensions": 512}, ()),
    ],
)
def test_asks_embeddings_for_dimensions_and_not_for_a_tier(
    endpoint: dict[str, Any], demand: dict[str, Any], why: tuple[str, ...]
) -> None:
    assert reasons({**EMBED, **endpoint}, {**EMBED, "named": True, **demand}) == why


def test_passes_over_other_operations_in_silence_unless_named() -> None:
    catalog = a_catalog(an_endpoint("alpha/e", operation=Operation.EMBEDDINGS), "alpha/m")
    screened = screen(PLAIN, catalog)
    assert ([endpoint.id for endpoint in screened.eligible], screened.excluded) == (["alpha/m"], {})
    named = screen(replace(PLAIN, among=("alpha/e",), named=True), catalog)
    assert (named.eligible, named.excluded) == ((), {"alpha/e": ("capability:chat",)})


def test_looks_only_among_the_endpoints_meant() -> None:
    screened = screen(replace(PLAIN, among=("beta/m",)), a_catalog("alpha/m", "beta/m"))
    assert [endpoint.id for endpoint in screened.eligible] == ["beta/m"]


def test_names_kinds_and_capabilities() -> None:
    endpoint = an_endpoint(quirks=frozenset({"q"}), caps=frozenset({"tools", "reasoning"}))
    assert kind_of(endpoint) == ("openai", frozenset({"q", "reasoning", "operation:chat"}))
    assert capability("n") == "capability:n"
