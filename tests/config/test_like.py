"""A second name for a model of the catalog, and an entry that sells nothing else."""

from dataclasses import replace

from tests.support.configs import GPT_4O_PRICE, endpoint, load, problems

VLLM = "providers: {vllm: {api: openai, base_url: 'http://vllm:8000/v1', key: {none: true}, %s}}"


def test_shares_what_the_catalog_knows_and_stands_in_for_nothing() -> None:
    compiled = load("providers: {openai: {only: [], models: [{id: team-chat, upstream_id: gpt-4o, like: gpt-4o}]}}")
    own = endpoint("openai", "gpt-4o", quirks=frozenset({"max_completion_tokens"}))
    names = {"id": "openai/team-chat", "model": "team-chat", "base_model": "team-chat", "upstream_id": "gpt-4o"}
    assert compiled.policy.catalog.endpoints == {"openai/team-chat": replace(own, tier=2, **names)}
    assert compiled.price_book.get("openai/team-chat") == GPT_4O_PRICE


def test_a_deployment_keeps_its_own_name_upstream_and_what_the_row_states() -> None:
    row = "{id: gpt-4o, upstream_id: my-deployment, like: gpt-4o, tier: small, price: {input: 1, output: 2}}"
    compiled = load(f"providers: {{openai: {{only: [], models: [{row}]}}}}")
    found = compiled.policy.catalog.endpoints["openai/gpt-4o"]
    assert (found.upstream_id, found.base_model, found.tier) == ("my-deployment", "gpt-4o", 0)
    price = compiled.price_book.get("openai/gpt-4o")
    assert price is not None
    assert (price.base.input, price.base.output) == (1.0, 2.0)


def test_at_another_server_shares_the_facts_and_no_price() -> None:
    compiled = load(VLLM % "models: [{id: own, like: gpt-4o}]")
    own, theirs = compiled.policy.catalog.endpoints["vllm/own"], endpoint("openai", "gpt-4o")
    assert (own.base_model, own.upstream_id, own.quirks) == ("own", "own", frozenset())
    assert (own.tier, own.context, own.max_output, own.caps) == (2, theirs.context, theirs.max_output, theirs.caps)
    assert compiled.price_book.get("vllm/own") is None


def test_says_what_the_catalog_has() -> None:
    (problem,) = problems(VLLM % "models: [{id: own, like: gpt-40}]")
    assert problem.startswith('1: providers.vllm.models[0].like: "gpt-40" is not a model of the catalog; valid: ')


def test_an_entry_that_sells_nothing_is_a_mistake() -> None:
    assert problems("providers: {openai: {only: []}}") == [
        "1: providers.openai: has no models; list them under models:"
    ]


def test_lists_the_gateways_whose_clients_need_no_change() -> None:
    assert load("compat: [portkey, litellm]").policy.compat == {"litellm", "portkey"}
    assert load("routes: []").policy.compat == frozenset()
    (problem,) = problems("compat: [helicone]")
    assert problem == '1: compat[0]: "helicone" is not valid here; valid: litellm, portkey'
