"""What a client means by `model`."""

import pytest

from gateway.core.named import Named, Names, Naming, UnknownModel, resolve
from gateway.core.policy import Policy, Route
from tests.support.builders import a_catalog, a_policy, an_endpoint


def a_named_policy() -> Policy:
    catalog = a_catalog(
        an_endpoint("openai/gpt-4o"),
        an_endpoint("azure/gpt-4o", base_model="gpt-4o", upstream_id="my-deployment"),
        an_endpoint("hub/gpt-4o-2024", base_model="gpt-4o"),
        an_endpoint("hub/llama", upstream_id="meta/llama-3"),
        an_endpoint("vllm/org/model"),
    )
    return a_policy(catalog, routes=(Route("support"), Route("default")))


def resolved(name: str) -> Named:
    policy = a_named_policy()
    return resolve(name, policy, Names.of(policy.catalog))


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("auto", Named(Naming.AUTO, "auto")),
        ("auto:support", Named(Naming.AUTO, "auto:support", route="support")),
        ("tier:large", Named(Naming.TIER, "tier:large", tier=2)),
        (
            "gpt-4o",
            Named(Naming.MODEL, "gpt-4o", endpoints=("openai/gpt-4o", "azure/gpt-4o", "hub/gpt-4o-2024")),
        ),
        ("azure/gpt-4o", Named(Naming.ENDPOINT, "azure/gpt-4o", endpoints=("azure/gpt-4o",))),
        ("azure/my-deployment", Named(Naming.ENDPOINT, "azure/my-deployment", endpoints=("azure/gpt-4o",))),
        ("hub/meta/llama-3", Named(Naming.ENDPOINT, "hub/meta/llama-3", endpoints=("hub/llama",))),
        ("vllm/org/model", Named(Naming.ENDPOINT, "vllm/org/model", endpoints=("vllm/org/model",))),
        ("org/model", Named(Naming.MODEL, "org/model", endpoints=("vllm/org/model",))),
    ],
)
def test_means(name: str, meaning: Named) -> None:
    assert resolved(name) == meaning


def test_means_other_names_of_the_same_weights_from_either_name() -> None:
    assert set(resolved("gpt-4o-2024").endpoints) == {"openai/gpt-4o", "azure/gpt-4o", "hub/gpt-4o-2024"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("auto:suport", "no model is named 'auto:suport'. Routes: auto:support, auto:default."),
        ("tier:huge", "no model is named 'tier:huge'. Tiers: tier:small, tier:medium, tier:large."),
        ("gpt-40", "no model is named 'gpt-40'. Did you mean 'gpt-4o' or 'gpt-4o-2024' or 'hub/gpt-4o-2024'?"),
        ("openai/nothing-like-it-at-all", None),
        ("zzzzzzzzzzz", "no model is named 'zzzzzzzzzzz'. GET /v1/models lists the names there are."),
        ("z" * 9_999, f"no model is named '{'z' * 128}'. GET /v1/models lists the names there are."),
    ],
)
def test_says_what_there_is_instead(name: str, words: str | None) -> None:
    with pytest.raises(UnknownModel) as caught:
        resolved(name)
    if words is not None:
        assert str(caught.value) == words
