"""Portkey's config, key by key."""

import json
from typing import Any

import pytest

from gateway.config.imports.notes import Imported
from gateway.config.problems import ConfigError
from tests.support.imports import accepted, config, from_portkey, told

OPENAI = {"provider": "openai", "override_params": {"model": "gpt-4o"}}
CLAUDE = {"provider": "anthropic", "override_params": {"model": "claude-sonnet-4-5"}}
GPT, SONNET = "openai/gpt-4o", "anthropic/claude-sonnet-4-5"


def imported(source: Any) -> Imported:
    return from_portkey(json.dumps(source, indent=1))


def strategy(mode: str, *targets: Any, **fields: Any) -> dict[str, Any]:
    return {"strategy": {"mode": mode, **fields}, "targets": list(targets)}


def routes(source: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = config(imported(source))["routes"]
    return found


def providers(source: Any) -> dict[str, Any]:
    found: dict[str, Any] = config(imported(source))["providers"]
    return found


# -- strategies ------------------------------------------------------------------------------------------------------


def test_one_target_is_what_every_name_means() -> None:
    assert config(imported(OPENAI)) == {
        "providers": {"openai": {"only": ["gpt-4o"]}},
        "routes": [{"name": "default", "named_model": "any", "model": [GPT]}],
        "compat": ["portkey"],
    }
    assert routes(strategy("single", OPENAI, CLAUDE)) == routes(OPENAI)


def test_a_target_without_a_model_takes_the_clients() -> None:
    made = config(imported({"provider": "openai"}))
    assert (made["providers"], made["routes"]) == ({"openai": {}}, [{"name": "default"}])


def test_a_fallback_is_one_arm_in_order() -> None:
    assert routes(strategy("fallback", CLAUDE, OPENAI)) == [
        {"name": "default", "named_model": "any", "model": [SONNET, GPT],
         "split": [{"name": "anthropic", "weight": 1, "prefer": [SONNET, GPT]}]},
    ]  # fmt: skip


def test_a_load_balancer_is_an_arm_for_each_weight() -> None:
    balanced = strategy("loadbalance", {**OPENAI, "weight": 3}, CLAUDE, {"provider": "groq", "weight": 0})
    (route,) = routes(balanced)
    assert route["split"] == [
        {"name": "openai", "weight": 0.75, "prefer": [GPT]},
        {"name": "anthropic", "weight": 0.25, "prefer": [SONNET]},
    ]


def test_strategies_within_each_other_are_the_ways_down() -> None:
    balanced = strategy("loadbalance", {**OPENAI, "weight": 0.9}, {**CLAUDE, "weight": 0.1})
    groq = {"provider": "groq", "override_params": {"model": "llama-3.1-8b-instant"}}
    (route,) = routes(strategy("fallback", balanced, groq))
    last = route["split"][0]["prefer"][1]
    assert last.startswith("groq/")
    assert route["split"] == [
        {"name": "openai", "weight": 0.9, "prefer": [GPT, last]},
        {"name": "anthropic", "weight": 0.1, "prefer": [SONNET, last]},
    ]


def test_targets_with_a_model_come_behind_those_without() -> None:
    made = imported(strategy("fallback", {"provider": "openai"}, CLAUDE))
    assert config(made)["routes"] == [
        {"name": "default", "fallbacks": [SONNET],
         "split": [{"name": "openai", "weight": 1, "prefer": ["openai/*", SONNET]}]},
    ]  # fmt: skip
    assert told(made) == []
    other = imported(strategy("fallback", CLAUDE, {"provider": "openai"}))
    assert any("come behind those that take the client's" in note for note in told(other))


def test_retries_and_time_are_inherited() -> None:
    source = {**strategy("fallback", OPENAI, {**CLAUDE, "requestTimeout": 1500}), "retry": {"attempts": 2},
              "request_timeout": 20_000}  # fmt: skip
    made = config(imported(source))
    assert made["routes"][0]["limits"] == {"attempts": 6}
    assert [row["timeouts"] for row in made["providers"].values()] == [
        {"first_token": "20s", "answer": "20s"}, {"first_token": "1500ms", "answer": "1500ms"},
    ]  # fmt: skip


def test_a_hundred_ways_at_most() -> None:
    wide = strategy("loadbalance", *({"provider": "openai", "override_params": {"model": f"m{n}"}} for n in range(60)))
    (route,) = routes(strategy("fallback", wide, wide))
    assert len(route["split"]) == 60
    more = ({"provider": "openai", "override_params": {"model": f"m{n}"}} for n in range(130))
    made = imported(strategy("loadbalance", *more))
    assert len(config(made)["routes"][0]["split"]) == 100
    assert any("only the first 100 of these targets were taken over" in note for note in told(made))


# -- conditions ------------------------------------------------------------------------------------------------------


def conditional(query: Any, **fields: Any) -> dict[str, Any]:
    conditions = [{"query": query, "then": "best"}]
    targets = ({"name": "best", **CLAUDE}, {"name": "rest", **OPENAI})
    return strategy("conditional", *targets, conditions=conditions, **{"default": "rest", **fields})


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"params.model": "gpt-4o"}, [{"model": "gpt-4o"}]),
        ({"params.model": {"$in": ["a", "b*"]}}, [{"model": ["a", "b[*]"]}]),
        ({"metadata.user_plan": {"$eq": "paid"}}, [{"header": {"x-user-plan": "paid"}}]),
        ({"metadata.n": {"$eq": 3}}, [{"header": {"x-n": 3}}]),
        ({"metadata.a": "1a", "params.model": "m"}, [{"header": {"x-a": "1a"}, "model": "m"}]),
        ({"$and": [{"metadata.a": "x"}, {"metadata.b": "y"}]}, [{"header": {"x-a": "x", "x-b": "y"}}]),
        ({"$and": [{"metadata.a": {"$in": ["x", "y"]}}, {"metadata.a": "y"}]}, [{"header": {"x-a": "y"}}]),
        ({"$or": [{"metadata.a": "x"}, {"params.model": "m"}]}, [{"header": {"x-a": "x"}}, {"model": "m"}]),
        ({"params.model": {"$regex": "^gpt"}}, [{"model": "gpt*"}]),
        ({"params.model": {"$regex": "^gpt-4o$"}}, [{"model": "gpt-4o"}]),
        ({"params.model": {"$regex": "mini"}}, [{"model": "*mini*"}]),
        ({"params.model": {"$regex": "mini$"}}, [{"model": "*mini"}]),
        ({"params.model": {"$regex": "^gpt.*$"}}, [{"model": "gpt*"}]),
    ],
)
def test_a_condition_is_a_match(query: Any, matches: list[Any]) -> None:
    *conditions, default = routes(conditional(query))
    assert [_plain(route["match"]) for route in conditions] == [_plain(match) for match in matches]
    assert [route["model"] for route in (*conditions, default)] == [[SONNET]] * len(matches) + [[GPT]]


def _plain(match: dict[str, Any]) -> str:
    return json.dumps(match, sort_keys=True).replace('"3"', "3")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"metadata.age": {"$gt": 18}}, "$gt has no equivalent in a match"),
        ({"metadata.age": {"$ne": "x"}}, "$ne has no equivalent in a match"),
        ({"metadata.age": {"$eq": "x", "$ne": "y"}}, "several operators on one field have no equivalent"),
        ({"metadata.age": True}, "only texts and numbers can be matched"),
        ({"params.model": {"$regex": "a|b"}}, "such an expression has no equivalent in a match"),
        ({"params.model": {"$regex": "a.b"}}, "such an expression has no equivalent in a match"),
        ({"params.max_tokens": 1}, "only metadata and params.model can be matched, not params.max_tokens"),
        ({"$and": [{"metadata.a": "x"}, {"metadata.a": "y"}]}, "never holds"),
        ({"$or": [{"metadata.a": str(n)} for n in range(40)]}, "is too large for routes"),
        ({"metadata.--": "x"}, "metadata.-- cannot be a header"),
        ([], "is no query"),
    ],
)
def test_a_condition_that_no_match_says_is_left_out(query: Any, words: str) -> None:
    made = imported(conditional(query))
    assert [route["name"] for route in config(made)["routes"]] == ["default"]
    assert any(words in note and note.endswith("the condition was left out") for note in told(made)), told(made)


def test_conditions_need_targets_and_a_default() -> None:
    source = conditional({"params.model": "m"}, default=None)
    source["strategy"]["conditions"].append({"query": {"params.model": "x"}, "then": "gone"})
    made = imported(source)
    assert [route["name"] for route in config(made)["routes"]] == ["best"]
    assert [note.partition(": ")[2] for note in told(made)] == [
        "strategy: has no default: what fits no condition is routed as the name of its model says",
        "strategy.conditions[1].then: is not the name of a target: the condition was left out",
    ]


def test_conditions_within_other_targets_serve_their_first() -> None:
    made = imported(strategy("fallback", conditional({"params.model": "m"}), OPENAI))
    assert config(made)["routes"][0]["model"] == [SONNET, GPT]
    assert any("conditions within other targets have no equivalent" in note for note in told(made))


# -- targets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"provider": "@openai-prod", "override_params": {"model": "gpt-4o"}},
         {"openai-prod": {"like": "openai", "key": {"env": "OPENAI_PROD_API_KEY"}, "only": ["gpt-4o"]}}),
        ({"override_params": {"model": "@openai-prod/gpt-4o"}},
         {"openai-prod": {"like": "openai", "key": {"env": "OPENAI_PROD_API_KEY"}, "only": ["gpt-4o"]}}),
        ({"virtualKey": "my-anthropic-key", "overrideParams": {"model": "claude-sonnet-4-5"}},
         {"my-anthropic-key": {"like": "anthropic", "key": {"env": "MY_ANTHROPIC_KEY_API_KEY"},
                               "only": ["claude-sonnet-4-5"]}}),
        ({"virtual_key": "vk-1", "override_params": {"model": "gpt-4o"}},
         {"vk-1": {"like": "openai", "key": {"env": "VK_1_API_KEY"}, "only": ["gpt-4o"]}}),
        ({"virtual_key": "sk-in-the-wrong-place", "override_params": {"model": "gpt-4o"}},
         {"openai": {"only": ["gpt-4o"]}}),
        ({"provider": "openai", "api_key": "sk-inline", "override_params": {"model": "gpt-4o"}},
         {"openai": {"only": ["gpt-4o"]}}),
        ({"provider": "openai", "custom_host": "http://vllm:8000/v1", "override_params": {"model": "qwen"}},
         {"vllm": {"api": "openai", "base_url": "http://vllm:8000/v1", "key": {"none": True},
                   "models": [{"id": "qwen"}]}}),
        ({"provider": "openai", "custom_host": "https://eu.api.openai.com/v1", "override_params": {"model": "gpt-4o"}},
         {"openai": {"base_url": "https://eu.api.openai.com/v1", "only": ["gpt-4o"]}}),
        ({"provider": "azure-openai", "azure_resource_name": "acme", "azure_deployment_id": "dep",
          "azure_model_name": "gpt-4o", "azure_api_version": "2024-10-21"},
         {"azure": {"resource": "acme", "api_version": "2024-10-21", "only": ["gpt-4o"],
                    "models": [{"id": "gpt-4o", "upstream_id": "dep"}]}}),
        ({"provider": "bedrock", "aws_region": "eu-west-1", "aws_access_key_id": "AKIA-x",
          "override_params": {"model": "amazon.nova-lite-v1:0"}},
         {"bedrock": {"region": "eu-west-1", "key": {"identity": "aws"}, "only": ["nova-lite"]}}),
        ({"provider": "vertex-ai", "vertex_project_id": "p", "vertex_region": "eu",
          "vertex_service_account_json": {"private_key": "secret"}, "override_params": {"model": "gemini-2.5-flash"}},
         {"vertex": {"region": "eu", "project": "p", "key": {"env": "GOOGLE_APPLICATION_CREDENTIALS_JSON"},
                     "only": ["gemini-2.5-flash"]}}),
    ],
)  # fmt: skip
def test_finds_the_provider(target: dict[str, Any], expected: dict[str, Any]) -> None:
    made = imported(target)
    assert config(made)["providers"] == expected
    for secret in ("sk-inline", "sk-in", "AKIA-x", "secret\""):
        assert secret not in made.text


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"provider": "nobody"}, "which provider this is cannot be told: it was left out"),
        ({}, "which provider this is cannot be told: it was left out"),
        ({"provider": "openai", "custom_host": "http://vllm/v1"}, "says no model of this server: it was left out"),
        ({**OPENAI, "cache": {"mode": "simple"}}, "cache: there is no cache of answers"),
        ({**OPENAI, "output_guardrails": ["x"]}, "there are no guardrails here"),
        ({**OPENAI, "forwardHeaders": ["x"]}, "headers pass by a fixed list"),
        ({**OPENAI, "mystery": 1}, "mystery: has no equivalent: it was left out"),
        ({"provider": "openai", "override_params": {"model": "gpt-4o", "top_p": 1}}, "parameters are the client's"),
        ({**OPENAI, "retry": {"attempts": 1, "onStatusCodes": [429]}}, "retry.onStatusCodes: what is tried elsewhere"),
        (strategy("fallback", {**OPENAI, "cb_config": {}}), "the breaker has one set of rules for all"),
        ({"provider": "azure-openai", "override_params": {"model": "gpt-4o"}}, "no azure_resource_name is written"),
        ({"provider": "openai", "override_params": {"model": "own-tune"}}, '"own-tune" is not in the catalog'),
    ],
)
def test_says_what_it_leaves_out(target: dict[str, Any], words: str) -> None:
    made = imported(target)
    accepted(made)
    assert any(words in note for note in told(made)), told(made)


def test_the_breaker_at_the_top_is_taken_over() -> None:
    rules = {
        "failure_threshold": 3, "failure_threshold_percentage": 50, "minimum_requests": 10, "cooldown_interval": 60_000,
    }  # fmt: skip
    assert config(imported({**OPENAI, "cbConfig": {"failureThreshold": 3}}))["breaker"] == {"failures": 3}
    assert config(imported({**OPENAI, "cb_config": rules}))["breaker"] == {
        "failures": 3, "min_requests": 10, "error_rate": 0.5, "open_for": "60000ms",
    }  # fmt: skip


# -- the text --------------------------------------------------------------------------------------------------------


def test_notes_stand_at_the_line_of_the_source_whatever_stands_in_its_texts() -> None:
    source = '{\n\t"provider": "openai",\n\t"api_key": "\\ud83d\\ude00\\/\\u0000\\ud800",\n\t"mystery": []\n}'
    assert [note.partition(": ")[0] for note in told(from_portkey(source))] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("[1]", "config.json:1: the file must be one JSON object"),
        ('{"a": 1,\n}', "config.json:2: not valid JSON: "),
        ('{"a": 1, "a": 2}', 'config.json:1: a: given twice; the first is on line 1'),
        ("[" * 100_000, "config.json: nested too deeply"),
        ('{"a":' + "[" * 60 + "]" * 60 + "}", "config.json:1: a"),
        ('{"a": "' + "x" * (1 << 20) + '"}', "config.json: the file is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_config_is_refused_with_its_line(source: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_portkey(source)
    assert str(caught.value).startswith(words)
