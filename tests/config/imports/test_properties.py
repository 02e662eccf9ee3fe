"""Whatever stands in the source: the gateway accepts the result, and no secret is in it."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.imports import accepted, from_litellm, from_portkey

SECRET = "s3cret-value"
odd = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**7), st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab*?[-_. /:@é\n\"'#", max_size=12), st.lists(st.text("ab", max_size=3), max_size=2),
    st.dictionaries(st.text("ab", max_size=3), st.integers(), max_size=2),
)  # fmt: skip
names = st.sampled_from(["chat", "gpt-4o", "x y", "007", "1e5", "no", "*", "openai/*", "claude-*", "azure/*"]) | odd
models = st.sampled_from([
    "gpt-4o", "openai/gpt-4o", "azure/dep", "bedrock/anthropic.claude-v2", "vertex_ai/gemini-2.5-flash", "openai/*",
    "*", "ollama/x", "hosted_vllm/Qwen/Q", "anthropic/claude-*", "replicate/y", "together_ai/z", "gemini/gemini-pro",
]) | odd  # fmt: skip
addresses = st.sampled_from([
    "https://acme.openai.azure.com/", "http://10.0.0.7:8000/v1", "https://eu.api.openai.com/v1", "os.environ/BASE",
    f"http://user:{SECRET}@host/v1",
]) | odd  # fmt: skip
keys = st.sampled_from([SECRET, f"sk-{SECRET}", "os.environ/OPENAI_API_KEY", "os.environ/", "none"]) | odd


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


deployments = st.fixed_dictionaries({
    "model_name": names,
    "litellm_params": some(
        model=models, api_base=addresses, api_key=keys, api_version=odd, timeout=odd,
        custom_llm_provider=st.sampled_from(["openai", "x"]),
        stream_timeout=odd, weight=odd, rpm=odd, order=odd, max_parallel_requests=odd, aws_region_name=odd,
        aws_secret_access_key=keys, vertex_project=odd, vertex_location=odd, vertex_credentials=keys,
        client_secret=keys, input_cost_per_token=odd, output_cost_per_token=odd, tags=odd,
    ),
    "model_info": some(mode=odd, base_model=models, max_tokens=odd, max_input_tokens=odd, max_output_tokens=odd),
}) | odd  # fmt: skip
groups = st.lists(st.dictionaries(st.sampled_from(["chat", "gpt-4o", "a"]), st.lists(names, max_size=3), max_size=2),
                  max_size=3) | odd  # fmt: skip
configs = some(
    model_list=st.lists(deployments, max_size=6) | odd,
    router_settings=some(
        fallbacks=groups, num_retries=odd, timeout=odd, allowed_fails=odd, cooldown_time=odd, routing_strategy=odd,
        model_group_alias=st.dictionaries(st.text("ab ", max_size=3), names, max_size=2) | odd, redis_password=keys,
    ) | odd,
    litellm_settings=some(default_fallbacks=st.lists(names, max_size=2) | odd, context_window_fallbacks=groups) | odd,
    general_settings=some(master_key=keys, database_url=keys, max_parallel_requests=odd) | odd,
    environment_variables=st.dictionaries(st.text("AB", min_size=1), keys, max_size=2),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=120)
@given(configs)
def test_litellm(source: dict[str, Any]) -> None:
    made = from_litellm(yaml.safe_dump(source, allow_unicode=True))
    accepted(made)
    assert SECRET not in made.text


queries = st.recursive(
    st.dictionaries(st.sampled_from(["metadata.a", "params.model", "url.pathname"]),
                    odd | some(**{"$eq": odd, "$in": st.lists(odd, max_size=2), "$regex": odd}), max_size=2),
    lambda child: st.dictionaries(st.sampled_from(["$and", "$or"]), st.lists(child, max_size=2) | odd, max_size=2),
    max_leaves=4,
)  # fmt: skip
targets = st.recursive(
    some(
        provider=st.sampled_from(["openai", "azure-openai", "bedrock", "vertex-ai", "@team-openai", "x"]) | odd,
        name=names,
        virtual_key=names, api_key=keys, weight=odd, custom_host=addresses, override_params=some(model=names) | odd,
        retry=some(attempts=odd) | odd, request_timeout=odd, azure_resource_name=odd, azure_deployment_id=odd,
        aws_region=odd, vertex_project_id=odd, cache=odd,
    ) | odd,
    lambda child: st.fixed_dictionaries(
        {"strategy": some(mode=st.sampled_from(["single", "fallback", "loadbalance", "conditional"]), default=names,
                          conditions=st.lists(some(query=queries, then=names), max_size=3) | odd) | odd,
         "targets": st.lists(child, max_size=4) | odd},
        optional={"request_timeout": odd, "cb_config": some(cooldown_interval=odd, failure_threshold=odd) | odd},
    ),
    max_leaves=6,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=120)
@given(targets.filter(lambda target: isinstance(target, dict)))
def test_portkey(source: dict[str, Any]) -> None:
    made = from_portkey(json.dumps(source))
    accepted(made)
    assert SECRET not in made.text
