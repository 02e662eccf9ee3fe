"""The providers block and the catalog, joined."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.core.catalog import Endpoint, KeyRef, Operation, Privacy, ProbeRules, Timeouts
from gateway.core.pricing import Price, Rates
from tests.support.configs import GPT_4O_PRICE, OPENAI_PRIVACY, defaults, endpoint, load, problems, warnings

VLLM = "providers: {vllm: {api: openai, base_url: 'http://vllm:8000/v1', key: {none: true}, %s}}"


def test_without_a_block_offers_every_provider_whose_key_is_present() -> None:
    catalog = defaults("OPENAI_API_KEY", "GEMINI_API_KEY").policy.catalog
    assert list(catalog.providers) == ["openai"]  # nobody here speaks gemini's wire format
    assert catalog.providers["openai"].key == KeyRef("/var/run/secrets/pointsman/openai/key", "OPENAI_API_KEY")
    assert list(catalog.endpoints) == ["openai/gpt-4o", "openai/gpt-mini"]


def test_offers_nothing_where_there_is_no_key() -> None:
    assert defaults().policy.catalog.endpoints == {}
    assert [str(warning) for warning in defaults().warnings] == [
        "defaults: no provider has a key here, so there is no model to route to; set a key or list providers:"
    ]


def test_with_a_block_offers_what_it_names_even_without_a_key() -> None:
    text = "providers:\n  deepseek: {}\n  openai: {key: {file: /keys/openai}}\n"
    catalog = load(text, "DEEPSEEK_API_KEY").policy.catalog
    assert list(catalog.providers) == ["deepseek", "openai"]
    assert catalog.providers["openai"].key == KeyRef(file="/keys/openai")
    assert warnings(text, "DEEPSEEK_API_KEY") == [
        "3: providers.openai: no key in the file /keys/openai: its models are excluded until there is one"
    ]


def test_gives_catalog_models_their_tier_by_name_and_their_retirement_by_day() -> None:
    text = """
tiers: [mini, small, large]
classify: {task_tiers: {creative: small}}
providers: {openai: {}, deepseek: {}}
"""
    found = load(text).policy.catalog.endpoints
    assert {name: (one.tier, one.deprecated) for name, one in found.items()} == {
        "openai/gpt-4o": (2, False),
        "openai/gpt-mini": (1, True),
        "deepseek/deepseek-chat": (None, False),
    }


def test_a_second_account_has_the_models_and_prices_of_the_first() -> None:
    compiled = load("providers: {eu: {like: openai, base_url: 'https://eu.api.openai.com/v1', region: eu}}")
    provider = compiled.policy.catalog.providers["eu"]
    assert provider.key == KeyRef("/var/run/secrets/pointsman/eu/key", "OPENAI_API_KEY")
    assert compiled.policy.catalog.endpoints["eu/gpt-4o"] == replace(
        endpoint("openai", "gpt-4o", quirks=frozenset({"max_completion_tokens"})), id="eu/gpt-4o", provider="eu", tier=2
    )
    assert compiled.price_book.get("eu/gpt-4o") == GPT_4O_PRICE


def test_another_base_url_inherits_no_privacy() -> None:
    text = "providers: {openai: {base_url: 'https://proxy'}, eu: {like: openai, base_url: 'https://eu', region: eu}}"
    providers = load(text).policy.catalog.providers
    assert providers["openai"].privacy == Privacy()
    assert providers["eu"].privacy == Privacy(regions=frozenset({"eu"}), source="config")


def test_the_same_base_url_inherits_it() -> None:
    text = "providers: {second: {like: openai, key: {env: B}}, third: {like: openai, base_url: 'https://api.openai.com/v1/'}}"
    providers = load(text).policy.catalog.providers
    assert [provider.privacy for provider in providers.values()] == [OPENAI_PRIVACY, OPENAI_PRIVACY]


def test_stated_facts_replace_the_catalogs_one_by_one_and_share_its_expiry() -> None:
    text = "providers: {openai: {privacy: {retention_days: 0}, region: us}}"
    assert load(text).policy.catalog.providers["openai"].privacy == Privacy(
        trains_on_data=False,
        retention_days=0,
        regions=frozenset({"us"}),
        source="their page",
        expires=date(2027, 2, 23),
    )


def test_facts_that_the_operator_states_alone_do_not_expire() -> None:
    text = (
        "providers: {openai: {privacy: {trains_on_data: false, retention_days: 0, regions: [eu], certifications: []}}}"
    )
    assert load(text).policy.catalog.providers["openai"].privacy == Privacy(
        trains_on_data=False, retention_days=0, regions=frozenset({"eu"}), certifications=frozenset(), source="config"
    )


def test_stated_regions_win_over_the_region_of_the_account() -> None:
    text = "providers: {openai: {region: us, privacy: {regions: [eu, us]}}}"
    assert load(text).policy.catalog.providers["openai"].privacy.regions == {"eu", "us"}


def test_a_server_of_ones_own_has_what_its_rows_say() -> None:
    compiled = load(
        VLLM % "models: [{id: q, upstream_id: Q/q, tier: medium, context: 100, price: {input: 0, output: 0.3}}]"
    )
    assert compiled.policy.catalog.endpoints == {
        "vllm/q": Endpoint("vllm/q", "vllm", "q", "Q/q", "q", "openai", tier=1, context=100)
    }
    assert compiled.price_book.get("vllm/q") == Price(Rates(0.0, 0.3), source="config")
    assert compiled.price_book.fixed == {"vllm/q"}


def test_an_embedding_model_is_one_where_its_row_says_so() -> None:
    found = load(VLLM % "models: [{id: e, operation: embeddings, dimensions: 256, caps: []}]").policy.catalog.endpoints
    assert found["vllm/e"] == Endpoint(
        "vllm/e", "vllm", "e", "e", "e", "openai", Operation.EMBEDDINGS, caps=frozenset(), dimensions=256
    )


def test_same_as_takes_unstated_facts_from_the_catalog_but_not_the_price() -> None:
    compiled = load(VLLM % "models: [{id: mine, same_as: gpt-4o, context: 8192}]")
    assert compiled.policy.catalog.endpoints["vllm/mine"] == Endpoint(
        "vllm/mine",
        "vllm",
        "mine",
        "mine",
        "gpt-4o",
        "openai",
        tier=2,
        context=8192,
        max_output=16_384,
        caps=frozenset({"tools"}),
    )
    assert compiled.price_book.get("vllm/mine") is None


def test_a_row_changes_a_catalog_model_in_what_it_states() -> None:
    compiled = load("providers: {openai: {models: [{id: gpt-mini, price: {input: 1, output: 2}, caps: [vision]}]}}")
    found = compiled.policy.catalog.endpoints
    assert found["openai/gpt-mini"] == replace(
        endpoint("openai", "gpt-mini"), tier=0, deprecated=True, caps=frozenset({"vision"})
    )
    assert compiled.price_book.get("openai/gpt-mini") == Price(Rates(1.0, 2.0), source="config")
    assert compiled.price_book.get("openai/gpt-4o") == GPT_4O_PRICE


def test_only_keeps_the_models_it_fits() -> None:
    assert list(load("providers: {openai: {only: '*-mini'}}").policy.catalog.endpoints) == ["openai/gpt-mini"]


def test_another_wire_format_does_not_keep_the_quirks_of_the_first() -> None:
    found = load("providers: {x: {like: openai, api: anthropic, base_url: 'https://x'}}").policy.catalog.endpoints
    assert (found["x/gpt-4o"].api, found["x/gpt-4o"].quirks) == ("anthropic", frozenset())


def test_times_and_probes_are_seconds() -> None:
    timing = "timeouts: {connect: 1s, first_token: 3m, idle: 1500ms}, probe: {every: 1m, by: none}, max_in_flight: 7"
    provider = load(VLLM % f"models: [{{id: q}}], {timing}").policy.catalog.providers["vllm"]
    assert provider.timeouts == Timeouts(1.0, 180.0, 180.0, 300.0, 1.5)
    assert provider.probe == ProbeRules(every_s=60.0, by="none")
    assert provider.max_in_flight == 7


def test_a_short_first_token_limit_leaves_reasoning_models_their_own() -> None:
    provider = load("providers: {openai: {timeouts: {first_token: 5s}}}").policy.catalog.providers["openai"]
    assert (provider.timeouts.first_token_s, provider.timeouts.first_token_reasoning_s) == (5.0, 120.0)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (
            "opnai: {}",
            '1: providers.opnai: "opnai" is not a provider of the catalog; valid: openai, deepseek, gemini '
            '(did you mean "openai"?); a server of your own needs api: and base_url:',
        ),
        (
            "x: {like: opnai}",
            '1: providers.x.like: "opnai" is not a provider of the catalog; valid: openai, deepseek, '
            'gemini (did you mean "openai"?)',
        ),
        ("x: {api: openai}", "1: providers.x.base_url: is missing"),
        ("x: {base_url: 'http://h'}", "1: providers.x.api: is missing"),
        ("x: {api: openai, base_url: 'http://h'}", "1: providers.x: has no models; list them under models:"),
        (
            "x: {api: opnai, base_url: 'http://h'}",
            '1: providers.x.api: "opnai" is not a wire format of this version; '
            'valid: openai, anthropic (did you mean "openai"?)',
        ),
        ("gemini: {}", '1: providers.gemini: "gemini" is not a wire format of this version; valid: openai, anthropic'),
        ("openai: {base_url: 'http://u:p@h'}", "1: providers.openai.base_url: must not carry credentials; use key:"),
        (
            "openai: {only: [gpt-5]}",
            '1: providers.openai.only[0]: "gpt-5" is not a model of openai; valid: gpt-4o, gpt-mini '
            '(did you mean "gpt-4o"?)',
        ),
        (
            "openai: {models: [{id: a, tier: larg}]}",
            '1: providers.openai.models[0].tier: "larg" is not a tier; valid: '
            'small, medium, large (did you mean "large"?)',
        ),
        (
            "openai: {models: [{id: a, same_as: gpt4o}]}",
            '1: providers.openai.models[0].same_as: "gpt4o" is not a model of '
            'the catalog; valid: gpt-4o, gpt-mini, deepseek-chat, flash (did you mean "gpt-4o"?)',
        ),
        ("openai: {models: [{id: a}, {id: a}]}", '1: providers.openai.models[1].id: "a" is given twice'),
        (
            "openai: {models: [{id: a, context: 5, max_output: 6}]}",
            "1: providers.openai.models[0].max_output: is larger than the context of 5 tokens",
        ),
    ],
)
def test_says_what_is_wrong_with_an_entry(block: str, problem: str) -> None:
    assert problems(f"providers: {{{block}}}") == [problem]


def test_hints_at_servers_that_ask_for_no_key() -> None:
    text = "providers: {x: {api: openai, base_url: 'http://h', models: [{id: a}]}}"
    assert warnings(text) == [
        "1: providers.x: no key in the file /var/run/secrets/pointsman/x/key: its models are excluded until there is "
        "one; a server that asks for none has key: {none: true}"
    ]
