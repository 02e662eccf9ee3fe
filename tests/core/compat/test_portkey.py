"""Portkey's header: a tree of targets as models to try in order, and never an address or a key."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.compat.foreign import NOTHING, Foreign
from gateway.core.compat.portkey import Asked, read_portkey
from gateway.core.extras import BadExtra, OnlyAfter
from tests.support.builders import a_catalog, a_policy, an_endpoint

POLICY = a_policy(
    a_catalog("openai/gpt-4o", "azure/gpt-4o", "anthropic/claude", an_endpoint("vllm/qwen", upstream_id="Qwen/Qwen3"))
)
BODY = {"model": "gpt-4o", "messages": []}
OPENAI, CLAUDE = {"provider": "openai"}, {"provider": "anthropic", "override_params": {"model": "claude"}}


def read(
    config: Any, body: dict[str, Any] | None = None, unit: str = "u", metadata: dict[str, Any] | None = None
) -> tuple[Foreign, dict[str, Any]]:
    headers = {"x-portkey-config": config if isinstance(config, str) else json.dumps(config)}
    if metadata is not None:
        headers["x-portkey-metadata"] = json.dumps(metadata)
    foreign, rest = read_portkey(headers, Asked(BODY if body is None else body, POLICY, unit, "/v1/chat/completions"))
    return foreign, dict(rest)


def models(config: Any, **asked: Any) -> list[str]:
    foreign, body = read(config, **asked)
    return [body["model"], *foreign.fallbacks]


def test_leaves_a_request_without_its_headers_alone() -> None:
    assert read_portkey({"accept": "*/*"}, Asked(BODY, POLICY, "u", "/")) == (NOTHING, BODY)


def test_metadata_become_tags() -> None:
    headers = {"x-portkey-metadata": '{"_user": "u1", "seats": 3, "beta": true}'}
    tags = (("_user", "u1"), ("seats", "3"), ("beta", "true"))
    assert read_portkey(headers, Asked(BODY, POLICY, "u", "/")) == (Foreign(tags=tags), BODY)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (OPENAI, ["openai/gpt-4o"]),
        ({"provider": "@openai"}, ["openai/gpt-4o"]),
        ({"virtual_key": "openai"}, ["openai/gpt-4o"]),
        ({"virtualKey": "openai", "overrideParams": {"model": "o3"}}, ["openai/o3"]),
        ({"provider": "azure-openai"}, ["azure/gpt-4o"]),
        (CLAUDE, ["anthropic/claude"]),
        ({"override_params": {"model": "claude"}}, ["claude"]),
        ({"override_params": {"model": "@openai/gpt-4o"}}, ["openai/gpt-4o"]),
        ({"provider": "openai", "override_params": {"model": "openai/gpt-4o"}}, ["openai/gpt-4o"]),
        ({"provider": "vllm", "override_params": {"model": "vllm/Qwen/Qwen3"}}, ["vllm/Qwen/Qwen3"]),
        ({"provider": "vllm", "override_params": {"model": "Qwen/Qwen3"}}, ["vllm/Qwen/Qwen3"]),
        ({"strategy": {"mode": "single"}, "targets": [CLAUDE, OPENAI]}, ["anthropic/claude"]),
        ({"strategy": "single", "targets": [CLAUDE]}, ["anthropic/claude"]),
        ({"strategy": {"mode": "fallback"}, "targets": [OPENAI, CLAUDE]}, ["openai/gpt-4o", "anthropic/claude"]),
        (
            {"strategy": {"mode": "fallback"}, "targets": [
                {"strategy": {"mode": "fallback"}, "targets": [CLAUDE, OPENAI]}, {"provider": "azure"}]},
            ["anthropic/claude", "openai/gpt-4o", "azure/gpt-4o"],
        ),
        ({"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": 0}, CLAUDE]}, ["anthropic/claude"]),
    ],
)  # fmt: skip
def test_names_the_models_to_try(config: Any, expected: list[str]) -> None:
    assert models(config) == expected


BALANCED = {
    "strategy": {"mode": "loadbalance"},
    "targets": [{**OPENAI, "weight": 0.7}, {**CLAUDE, "weight": 0.3}, {"provider": "azure", "weight": 0}],
}


def test_a_load_balancer_draws_by_weight_and_keeps_the_other_for_a_failure() -> None:
    drawn = Counter(tuple(models(BALANCED, unit=f"session-{number}")) for number in range(2_000))
    first, second = ("openai/gpt-4o", "anthropic/claude"), ("anthropic/claude", "openai/gpt-4o")
    assert set(drawn) == {first, second}
    assert 1_320 <= drawn[first] <= 1_480


def test_a_load_balancer_always_draws_the_same_for_a_session() -> None:
    assert models(BALANCED, unit="s") == models(BALANCED, unit="s")


def test_load_balancers_within_one_another_draw_apart() -> None:
    pair = {"strategy": {"mode": "loadbalance"}, "targets": [OPENAI, {"provider": "azure"}]}
    both = {"strategy": {"mode": "fallback"}, "targets": [pair, {**pair, "override_params": {"model": "x"}}]}
    firsts = {(drawn[0], drawn[2]) for drawn in (models(both, unit=str(number)) for number in range(64))}
    assert len(firsts) == 4


CONDITIONAL = {
    "strategy": {
        "mode": "conditional",
        "conditions": [
            {"query": {"metadata.plan": {"$eq": "paid"}}, "then": "best"},
            {"query": {"params.model": "cheap", "url.pathname": "/v1/chat/completions"}, "then": "cheap"},
        ],
        "default": "cheap",
    },
    "targets": [{"name": "best", **CLAUDE}, {"name": "cheap", "provider": "azure"}],
}


def test_the_first_condition_that_holds_chooses_else_the_default() -> None:
    assert models(CONDITIONAL, metadata={"plan": "paid"}) == ["anthropic/claude"]
    assert models(CONDITIONAL, metadata={"plan": "free"}) == ["azure/gpt-4o"]
    assert models(CONDITIONAL, body={"model": "cheap"}) == ["azure/cheap"]
    nothing = {**CONDITIONAL, "strategy": {**CONDITIONAL["strategy"], "default": None}}  # type: ignore[dict-item]
    with pytest.raises(BadExtra) as caught:
        models(nothing)
    assert caught.value.param == "x-portkey-config.strategy.default"


def test_sums_up_the_time_of_the_targets_and_grants_the_most_retries() -> None:
    config = {
        "strategy": {"mode": "fallback", "on_status_codes": [429]}, "request_timeout": 2_000,
        "retry": {"attempts": 1, "on_status_codes": [500]},
        "targets": [OPENAI, {**CLAUDE, "requestTimeout": 5_000, "retry": {"attempts": 3}}],
    }  # fmt: skip
    only_after = OnlyAfter(again=None, elsewhere=frozenset({429}))  # the second target is tried again after anything
    assert read(config)[0] == Foreign(("anthropic/claude",), retries=3, deadline_s=7.0, only_after=only_after)


TWO = {"strategy": {"mode": "fallback", "on_status_codes": [503]}, "targets": [OPENAI, CLAUDE]}


@pytest.mark.parametrize(
    ("config", "again", "elsewhere"),
    [
        ({**OPENAI, "retry": {"attempts": 2, "on_status_codes": [429, 503]}}, {429, 503}, None),
        ({**OPENAI, "strategy": {"mode": "single", "on_status_codes": [429]}, "targets": [OPENAI]}, None, None),
        ({"strategy": {"mode": "fallback", "onStatusCodes": []}, "targets": [OPENAI, CLAUDE]}, None, set()),
        ({"strategy": "fallback", "targets": [OPENAI, CLAUDE]}, None, None),
        ({"strategy": {"mode": "fallback", "on_status_codes": [429]}, "targets": [TWO, OPENAI]}, None, {429, 503}),
        ({"strategy": {"mode": "fallback"}, "targets": [TWO, OPENAI]}, None, None),
        (
            {
                "strategy": {"mode": "fallback"}, "retry": {"attempts": 1, "on_status_codes": [429]},
                "targets": [OPENAI, {**CLAUDE, "retry": {"attempts": 1, "on_status_codes": [500]}}],
            },
            {429, 500}, None,
        ),
    ],
)  # fmt: skip
def test_tries_something_else_only_after_the_statuses_that_are_named(
    config: dict[str, Any], again: set[int] | None, elsewhere: set[int] | None
) -> None:
    found = read(config)[0].only_after or OnlyAfter()
    assert (found.again, found.elsewhere) == (again, elsewhere)


def test_has_no_limits_where_a_target_has_none() -> None:
    config = {"strategy": {"mode": "fallback"}, "targets": [{**OPENAI, "request_timeout": 1}, CLAUDE]}
    assert read(config)[0] == Foreign(fallbacks=("anthropic/claude",))


def test_parameters_go_over_those_of_the_body() -> None:
    config = {"override_params": {"temperature": 0, "max_tokens": 9}, **OPENAI}
    assert read(config, body={"model": "gpt-4o", "temperature": 1, "seed": 7})[1] == {
        "model": "openai/gpt-4o", "temperature": 0, "max_tokens": 9, "seed": 7,
    }  # fmt: skip


def at(place: str) -> str:
    return f"x-portkey-config{place}"


MANY = {"strategy": {"mode": "fallback"}, "targets": [OPENAI] * 32}


@pytest.mark.parametrize(
    ("config", "param", "words"),
    [
        ("pc-prod-abc123", at(""), "a saved config ('pc-…') is known to Portkey alone"),
        ("", at(""), "a saved config"),
        ("{", at(""), "must be a JSON object"),
        ('{"a": "\udc80"}', at(""), "must be a JSON object"),
        ("{" + '"a":[' * 100_000, at(""), "must be a JSON object"),
        ({"provider": "openai", "api_key": "sk-1"}, at(".api_key"), "a request cannot say where a provider is"),
        ({"provider": "openai", "apiKey": "sk-1"}, at(".api_key"), "a request cannot say where a provider is"),
        ({"provider": "openai", "custom_host": "http://x"}, at(".custom_host"), "a request cannot say where"),
        ({"provider": "azure", "azure_resource_name": "x"}, at(".azure_resource_name"), "a request cannot say where"),
        (
            {"strategy": {"mode": "fallback"}, "targets": [OPENAI, {"provider": "openai", "customHost": "http://x"}]},
            at(".targets[1].custom_host"), "a request cannot say where a provider is",
        ),
        ({**OPENAI, "cache": {"mode": "simple"}}, at(".cache"), "has no equivalent here, leave it out; read are: "),
        ({**OPENAI, "input_guardrails": []}, at(".input_guardrails"), "has no equivalent here"),
        ({"provider": "https://x"}, at(".provider"), "is no provider here; configured: openai, azure, anthropic, vllm"),
        ({"provider": 7}, at(".provider"), "is no provider here"),
        ({"virtual_key": "vk-1"}, at(".virtual_key"), "is no provider here"),
        ({**OPENAI, "override_params": []}, at(".override_params"), "must be an object"),
        ({**OPENAI, "override_params": {"models": []}}, at(".override_params"), "cannot hold models, provider, sess"),
        (
            {**OPENAI, "retry": {"attempts": 1, "on_status_codes": [429.5]}}, at(".retry.on_status_codes"),
            "must be a list of at most 100 statuses such as 429",
        ),
        (
            {**TWO, "strategy": {"mode": "fallback", "on_status_codes": "5xx"}}, at(".strategy.on_status_codes"),
            "must be a list of at most 100",
        ),
        (
            {**OPENAI, "retry": {"attempts": 1, "on_status_codes": [429] * 101}}, at(".retry.on_status_codes"),
            "must be a list of at most 100",
        ),
        ({**OPENAI, "retry": 2}, at(".retry"), 'must be an object such as {"attempts": 2}'),
        ({**OPENAI, "retry": {}}, at(".retry"), 'must be an object such as {"attempts": 2}'),
        ({**OPENAI, "retry": {"attempts": -1}}, at(".retry.attempts"), "must be a whole number"),
        ({**OPENAI, "request_timeout": 0}, at(".request_timeout"), "must be a number of milliseconds"),
        ({"strategy": {"mode": "fastest"}, "targets": [OPENAI]}, at(".strategy.mode"), "must be single, fallback, "),
        ({"targets": [OPENAI]}, at(".strategy.mode"), "must be single, fallback, "),
        ({"strategy": {"mode": "fallback"}, "targets": []}, at(".targets"), "must be a list of 1 to 32 targets"),
        ({"strategy": {"mode": "fallback"}, "targets": [7]}, at(".targets[0]"), "must be an object"),
        ({"strategy": {"mode": "fallback"}, "targets": [MANY, OPENAI]}, at(""), "at most 32 targets in all"),
        ({"strategy": {"mode": "loadbalance"}, "targets": [7]}, at(".targets[0]"), "must be an object"),
        (
            {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": "1"}]},
            at(".targets[0].weight"), "must be a number from 0",
        ),
        (
            {"strategy": {"mode": "loadbalance"}, "targets": [{**OPENAI, "weight": 0}]},
            at(".targets"), "must have a weight above 0, one at least",
        ),
        ({"strategy": {"mode": "conditional"}, "targets": [OPENAI]}, at(".strategy.conditions"), "must be a list"),
        (
            {"strategy": {"mode": "conditional", "conditions": [7]}, "targets": [OPENAI]},
            at(".strategy.conditions[0]"), "must be an object such as",
        ),
        (
            {"strategy": {"mode": "conditional", "conditions": [{}]}, "targets": [OPENAI]},
            at(".strategy.conditions[0].query"), "must be an object such as",
        ),
        (
            {"strategy": {"mode": "conditional", "conditions": [], "default": "x"}, "targets": [OPENAI, 7]},
            at(".strategy.default"), "is not the name of a target",
        ),
        (
            {"strategy": {"mode": "fallback"}, "targets": [
                OPENAI, {**CLAUDE, "override_params": {"model": "claude", "max_tokens": 1}}]},
            at(".override_params"), "must be the same for every target, but for the model",
        ),
    ],
)  # fmt: skip
def test_refuses_by_name(config: Any, param: str, words: str) -> None:
    with pytest.raises(BadExtra) as caught:
        read(config)
    assert (caught.value.param, caught.value.message[: len(words)]) == (param, words)
    assert "sk-1" not in caught.value.message


@pytest.mark.parametrize("body", [{}, {"model": 7}, {"model": ""}])
def test_wants_a_model_from_the_target_or_the_body(body: dict[str, Any]) -> None:
    with pytest.raises(BadExtra) as caught:
        read(OPENAI, body=body)
    assert caught.value.param == at(".override_params.model")


def test_does_not_follow_a_tree_without_end() -> None:
    config: Any = OPENAI
    for _ in range(9):
        config = {"strategy": {"mode": "single"}, "targets": [config]}
    with pytest.raises(BadExtra) as caught:
        read(config)
    assert caught.value.message == "must be an object, nested 8 deep at most"


@pytest.mark.parametrize("metadata", ['["a"]', "x", '{"a": "' + "x" * 128 + '"}', '{"": "a"}'])
def test_refuses_metadata_that_are_none(metadata: str) -> None:
    with pytest.raises(BadExtra) as caught:
        read_portkey({"x-portkey-metadata": metadata}, Asked(BODY, POLICY, "u", "/"))
    assert caught.value.param == "x-portkey-metadata"


leaves = st.sampled_from([OPENAI, CLAUDE, {"provider": "azure"}])
trees = st.recursive(
    leaves,
    lambda child: st.builds(
        lambda mode, targets: {"strategy": {"mode": mode}, "targets": targets},
        st.sampled_from(["single", "fallback", "loadbalance"]), st.lists(child, min_size=1, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


@given(trees, st.text(max_size=8))
def test_whatever_the_tree_names_leaves_of_it_alone_and_the_same_again(tree: Any, unit: str) -> None:
    found = models(tree, unit=unit)
    assert 1 <= len(found) <= 8
    assert set(found) <= {"openai/gpt-4o", "anthropic/claude", "azure/gpt-4o"}
    assert models(tree, unit=unit) == found
