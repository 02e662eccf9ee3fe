"""LiteLLM's configuration, key by key."""

from typing import Any

import pytest
import yaml

from gateway.config.imports.notes import Imported
from gateway.config.problems import ConfigError
from tests.support.imports import accepted, config, from_litellm, told


def one(name: str = "chat", info: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """A row of model_list."""
    row: dict[str, Any] = {"model_name": name, "litellm_params": {"model": "openai/gpt-4o", **params}}
    return row | ({} if info is None else {"model_info": info})


def imported(*rows: dict[str, Any], variables: dict[str, str] | None = None, **sections: Any) -> Imported:
    return from_litellm(yaml.safe_dump({"model_list": list(rows), **sections}, sort_keys=False), **(variables or {}))


def providers(*rows: dict[str, Any], **sections: Any) -> dict[str, Any]:
    found: dict[str, Any] = config(imported(*rows, **sections))["providers"]
    return found


def routes(*rows: dict[str, Any], **sections: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = config(imported(*rows, **sections)).get("routes", [])
    return found


# -- deployments -----------------------------------------------------------------------------------------------------


def test_a_group_named_for_its_model_needs_no_row() -> None:
    assert providers(one("gpt-4o")) == {"openai": {"only": ["gpt-4o"]}}


def test_a_group_of_another_name_is_a_second_name_and_the_model_itself_is_not_offered() -> None:
    made = imported(one("chat"))
    assert config(made)["providers"] == {"openai": {"only": [], "models": [{"id": "chat", "like": "gpt-4o"}]}}
    assert list(accepted(made).policy.catalog.endpoints) == ["openai/chat"]


def test_groups_never_stand_in_for_each_other() -> None:
    made = imported(one("eu", api_base="https://eu.api.openai.com/v1"), one("us"))
    endpoints = accepted(made).policy.catalog.endpoints
    assert {name: row.base_model for name, row in endpoints.items()} == {"openai/eu": "eu", "openai-2/us": "us"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"model": "gpt-4o"}, {"openai": {"only": [], "models": [{"id": "chat", "like": "gpt-4o"}]}}),
        ({"model": "gpt-4o", "custom_llm_provider": "openai"},
         {"openai": {"only": [], "models": [{"id": "chat", "like": "gpt-4o"}]}}),
        ({"model": "mistral-small-latest"}, None),
        ({"model": "claude-sonnet-4-5"},
         {"anthropic": {"only": [], "models": [{"id": "chat", "like": "claude-sonnet-4-5"}]}}),
        ({"model": "openai/qwen", "api_base": "http://10.0.0.7:8000/v1/", "api_key": "none"},
         {"10.0.0.7": {"api": "openai", "base_url": "http://10.0.0.7:8000/v1", "key": {"none": True},
                       "models": [{"id": "chat", "upstream_id": "qwen"}]}}),
        ({"model": "ollama/llama3.1"},
         {"ollama": {"api": "openai", "base_url": "http://localhost:11434/v1", "key": {"none": True},
                     "models": [{"id": "chat", "upstream_id": "llama3.1"}]}}),
        ({"model": "azure/dep", "api_base": "https://acme.openai.azure.com", "api_key": "os.environ/AZ"},
         {"azure": {"resource": "acme", "key": {"env": "AZ"}, "only": [],
                    "models": [{"id": "chat", "upstream_id": "dep"}]}}),
        ({"model": "bedrock/us-west-2/anthropic.claude-sonnet-4-5-20250929-v1:0"},
         {"bedrock": {"region": "us-west-2", "key": {"identity": "aws"}, "only": [], "models": [
             {"id": "chat", "upstream_id": "anthropic.claude-sonnet-4-5-20250929-v1:0",
              "like": "claude-sonnet-4-5"}]}}),
        ({"model": "bedrock/amazon.nova-lite-v1:0", "aws_region_name": "eu-west-1", "api_key": "os.environ/BR"},
         {"bedrock": {"region": "eu-west-1", "key": {"env": "BR"}, "only": [],
                      "models": [{"id": "chat", "like": "nova-lite"}]}}),
    ],
)  # fmt: skip
def test_finds_the_provider(params: dict[str, Any], expected: dict[str, Any] | None) -> None:
    found = providers(one(**params))
    assert found == expected or (expected is None and list(found) == ["mistral"])


def test_the_same_name_at_one_account_twice_makes_two_entries() -> None:
    assert providers(one("chat"), one("chat", model="openai/gpt-4o-mini")) == {
        "openai": {"only": [], "models": [{"id": "chat", "like": "gpt-4o"}]},
        "openai-2": {"like": "openai", "only": [], "models": [{"id": "chat", "like": "gpt-4o-mini"}]},
    }


def test_facts_are_stated_where_the_catalog_has_none_and_prices_always() -> None:
    info = {
        "mode": "embedding", "max_tokens": 8192, "supports_vision": False, "input_cost_per_token": 1e-7,
        "output_cost_per_token": 0,
    }  # fmt: skip
    own = one("e", info, model="hosted_vllm/e5", api_base="http://vllm:8000/v1")
    known = one("chat", {"max_tokens": 7}, input_cost_per_token="0.000002", output_cost_per_token=8e-6)
    half = one("half", input_cost_per_token=1e-6)
    made = imported(own, known, half)
    assert config(made)["providers"]["vllm"]["models"] == [
        {"id": "e", "upstream_id": "e5", "operation": "embeddings", "context": 8192, "caps": [],
         "price": {"input": 0.1, "output": 0.0}}
    ]  # fmt: skip
    assert config(made)["providers"]["openai"]["models"] == [
        {"id": "chat", "like": "gpt-4o", "price": {"input": 2.0, "output": 8.0}}, {"id": "half", "like": "gpt-4o"},
    ]  # fmt: skip
    assert any("a price needs input_cost_per_token and output_cost_per_token" in note for note in told(made))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "has no model_name or no litellm_params.model"),
        ({"model_name": "x", "litellm_params": {"model": "nobody-knows-this"}}, "cannot be told"),
        (one(model="replicate/x"), "'replicate' has no equivalent in this version: the deployment was left out"),
        (one(litellm_credential_name="gone"), 'the credential "gone" is not in credential_list'),
        (one(temperature=1), "temperature: parameters are the client's to say"),
        (one(tags=["free"]), "tags do not choose deployments"),
        (one(mystery=1), "mystery: has no equivalent: it was left out"),
        ({**one(), "extra": 1}, "extra: has no equivalent"),
        (one(rpm=3), "is the weight among the group's deployments, no limit"),
        (one("mine/*", model="hosted_vllm/*", api_base="http://v/v1"), "only the catalog's models can be offered"),
        (one("x-*", model="openai/nothing-*"), 'the catalog has no "nothing-*": list the models by name'),
        (one(model="openai_like/x"), "no address is given for this server: fill in base_url"),
        (one(model="azure/x"), "no api_base is given: fill in resource, or base_url"),
        (one(model="openai/x", api_base="http://169.254.169.254/"), "cannot be taken over as a base URL: it is a"),
    ],
)
def test_says_what_it_leaves_out(row: dict[str, Any], words: str) -> None:
    made = imported(row, one("other"))
    accepted(made)
    assert any(words in note for note in told(made)), told(made)


def test_notes_stand_at_the_line_of_the_source() -> None:
    source = "model_list:\n- model_name: chat\n  litellm_params:\n    model: gpt-4o\n    mystery: 0.2\n"
    assert told(from_litellm(source)) == [
        "line 5: model_list[0].litellm_params.mystery: has no equivalent: it was left out"
    ]


# -- secrets and variables -------------------------------------------------------------------------------------------


def test_a_key_in_the_file_becomes_a_variable_that_nothing_else_uses() -> None:
    made = imported(one("a", api_key="sk-a"), one("b", api_key="sk-b"), one("c", api_key="os.environ/OPENAI_API_KEY"),
                    one("d", api_key="sk-a"))  # fmt: skip
    keys = {name: row.get("key") for name, row in config(made)["providers"].items()}
    assert keys == {"openai": {"env": "OPENAI_API_KEY_2"}, "openai-2": {"env": "OPENAI_API_KEY_3"}, "openai-3": None}
    assert "sk-" not in made.text


def test_addresses_in_variables_are_read_where_they_are_set() -> None:
    row = one(model="azure/gpt-4o", api_base="os.environ/AZURE_BASE")
    set_here = imported(row, variables={"AZURE_BASE": "https://acme.openai.azure.com/"})
    assert config(set_here)["providers"]["azure"]["resource"] == "acme"
    assert any("the value of the variable AZURE_BASE was taken over" in note for note in told(set_here))
    unset = imported(row)
    assert config(unset)["providers"]["azure"]["base_url"] == "http://address.invalid/openai/v1"
    assert any("the variable AZURE_BASE is not set here" in note for note in told(unset))


def test_the_master_key_closes_the_api_by_its_hash_or_says_that_it_is_open() -> None:
    closed = imported(one(), general_settings={"master_key": "sk-1234"})
    digest = "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
    assert config(closed)["auth"] == {"keys": [{"id": "master", "sha256": digest}]}
    by_variable = imported(one(), general_settings={"master_key": "os.environ/KEY"})
    assert "auth" not in config(by_variable)
    assert any(note.startswith("line 6: general_settings.master_key: THE API IS OPEN") for note in told(by_variable))


# -- routes ----------------------------------------------------------------------------------------------------------

OTHER = one("other", model="anthropic/claude-sonnet-4-5")


def test_fallbacks_become_routes_and_their_retries_count() -> None:
    router = {"fallbacks": [{"chat": ["other", "gone"]}], "num_retries": 3}
    assert routes(one(), OTHER, router_settings=router) == [
        {"name": "chat", "match": {"model": "chat"}, "limits": {"attempts": 5}, "fallbacks": ["other"]},
        {"name": "default", "limits": {"attempts": 4}},
    ]


def test_fallbacks_may_name_what_a_pattern_offers() -> None:
    router = {"fallbacks": [{"chat": ["anthropic/claude-sonnet-4-5", "anthropic/nothing"]}]}
    made = imported(one(), one("anthropic/*", model="anthropic/*"), router_settings=router)
    assert config(made)["routes"][0]["fallbacks"] == ["anthropic/claude-sonnet-4-5"]
    assert any('the fallback "anthropic/nothing" is no group' in note for note in told(made))


def test_default_fallbacks_hold_for_whoever_has_no_others() -> None:
    library = {"default_fallbacks": ["other"], "context_window_fallbacks": [{"chat": ["long"]}]}
    assert routes(one(), OTHER, one("long", model="gpt-4.1"), litellm_settings=library) == [
        {"name": "chat", "match": {"model": "chat"}, "fallbacks": ["long"]},
        {"name": "default", "fallbacks": ["other"]},
    ]


def test_weights_become_a_split_and_order_comes_before_them() -> None:
    second = one("chat", model="anthropic/claude-sonnet-4-5")
    weighted = routes(one(weight=2), one("chat", model="anthropic/claude-sonnet-4-5", rpm=1))
    assert weighted == [
        {"name": "chat", "match": {"model": "chat"}, "split": [
            {"name": "openai", "weight": 2, "prefer": ["openai/chat"]},
            {"name": "anthropic", "weight": 1, "prefer": ["anthropic/chat"]}]},
        {"name": "default"},
    ]  # fmt: skip
    ordered = routes(one(order=2), one("chat", model="anthropic/claude-sonnet-4-5", order=1))
    assert ordered[0]["split"] == [{"name": "in-order", "weight": 1, "prefer": ["anthropic/chat", "openai/chat"]}]
    assert routes(one(), second) == []


def test_an_alias_is_a_second_name_with_the_same_rules() -> None:
    router = {"model_group_alias": {"gpt": "chat", "lost": "gone", "hidden": {"model": "chat", "hidden": True}},
              "fallbacks": [{"chat": ["other"]}]}  # fmt: skip
    made = imported(one(), OTHER, router_settings=router)
    assert [row["id"] for row in config(made)["providers"]["openai"]["models"]] == ["chat", "gpt", "hidden"]
    assert [(row["name"], row.get("fallbacks")) for row in config(made)["routes"]] == [
        ("chat", ["other"]), ("gpt", ["other"]), ("hidden", ["other"]), ("default", None),
    ]  # fmt: skip
    words = "router_settings.model_group_alias.lost: is an alias of a group that there is not"
    assert any(words in note for note in told(made))


@pytest.mark.parametrize(
    ("strategy", "objective"),
    [
        ("latency-based-routing", "latency"),
        ("cost-based-routing", "cost"),
        ("simple-shuffle", None),
        ("least-busy", None),
    ],
)
def test_strategies(strategy: str, objective: str | None) -> None:
    found = routes(one(), router_settings={"routing_strategy": strategy})
    assert found == ([] if objective is None else [{"name": "default", "objective": objective}])


def test_timeouts_limits_and_cooldown() -> None:
    made = imported(
        one("a", timeout=5, stream_timeout=0.25, max_parallel_requests=7), one("b"),
        litellm_settings={"request_timeout": 600}, general_settings={"max_parallel_requests": 50},
        router_settings={"allowed_fails": 0, "cooldown_time": 900, "stream_timeout": "30"},
    )  # fmt: skip
    first, second = config(made)["providers"].values()
    assert (first["timeouts"], first["max_in_flight"]) == ({"first_token": "250ms", "answer": "5s"}, 7)
    assert (second["timeouts"], second["max_in_flight"]) == ({"first_token": "30s", "answer": "600s"}, 50)
    assert config(made)["breaker"] == {"failures": 1, "open_for": "900s", "open_for_max": "900s"}
    assert config(made)["compat"] == ["litellm"]


def test_an_empty_file_says_so() -> None:
    assert told(from_litellm("")) == ["line 1: model_list: has no deployments: there is nothing to route to"]


def test_a_file_that_is_no_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        from_litellm("model_list:\n - a: [1\n")
    assert str(caught.value).startswith("config.yaml:")
