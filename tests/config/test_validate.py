"""Every kind of wrong value, in people's words."""

import pytest

from tests.support.configs import problems

HASH = "ab" * 32


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "routs: []",
            '1: routs: "routs" is not a key here; valid: providers, auth, tiers, classify, sensitivity, routes, '
            'breaker, compat (did you mean "routes"?)',
        ),
        (
            "providers: {openai: {modls: []}}",
            '1: providers.openai.modls: "modls" is not a key here; valid: like, api, also_speaks, '
            'base_url, key, region, project, resource, api_version, privacy, models, '
            'only, probe, timeouts, max_in_flight, trace_context, cancellable (did you mean "models"?)',
        ),
        ("routes: [{}]", "1: routes[0].name: is missing"),
        (
            "routes: [{name: a b}]",
            '1: routes[0].name: "a b" must be a name: a letter or digit, then letters, digits, dots, '
            "dashes, underscores",
        ),
        (
            "providers: {'a b': {}}",
            '1: providers.a b: "a b" must be a name: a letter or digit, then letters, digits, dots, '
            "dashes, underscores",
        ),
        ("routes: {name: x}", "1: routes: must be a list"),
        ("providers: [openai]", "1: providers: must be a mapping of keys to values"),
        ("breaker: 5", "1: breaker: 5 must be a mapping of keys to values"),
        ("breaker: {failures: 1.5}", "1: breaker.failures: 1.5 must be a whole number"),
        ("breaker: {failures: '5'}", '1: breaker.failures: "5" must be a whole number'),
        ("breaker: {failures: true}", "1: breaker.failures: true must be a whole number"),
        ("breaker: {error_rate: x}", '1: breaker.error_rate: "x" must be a number'),
        ("breaker: {error_rate: 2}", "1: breaker.error_rate: 2 must be less than or equal to 1"),
        ("sensitivity: {a: {detect: yes}}", '1: sensitivity.a.detect: "yes" must be true or false'),
        (
            "breaker: {window: 30}",
            "1: breaker.window: must be a duration with its unit, like 30s, 1500ms, 2m or 1h (did you mean 30s?)",
        ),
        ("breaker: {window: soon}", "1: breaker.window: must be a duration with its unit, like 30s, 1500ms, 2m or 1h"),
        ("breaker: {window: 0s}", "1: breaker.window: must be longer than nothing and at most 7 days"),
        ("breaker: {window: 8d}", "1: breaker.window: must be longer than nothing and at most 7 days"),
        (
            "routes: [{name: a, objective: speed}]",
            '1: routes[0].objective: "speed" is not valid here; valid: cost, latency, balanced',
        ),
        ("routes: [{name: a, record: meta}]", '1: routes[0].record: "meta" is not valid here; valid: full'),
        (
            "routes: [{name: a, named_model: exac}]",
            '1: routes[0].named_model: "exac" is not valid here; valid: exact, tier, any (did you mean "exact"?)',
        ),
        (
            "sensitivity: {a: {require: {trains_on_data: true}}}",
            "1: sensitivity.a.require.trains_on_data: can only be false; leave it out otherwise",
        ),
        (
            "providers: {openai: {key: {env: A, file: /b}}}",
            "1: providers.openai.key: must say exactly one of: env: NAME, file: /path, identity: CLOUD, none: true",
        ),
        (
            "providers: {openai: {key: {}}}",
            "1: providers.openai.key: must say exactly one of: env: NAME, file: /path, identity: CLOUD, none: true",
        ),
        (
            "providers: {openai: {key: {none: false}}}",
            "1: providers.openai.key.none: can only be true; leave it out otherwise",
        ),
        ("providers: {openai: {key: {file: b}}}", "1: providers.openai.key.file: must be an absolute path"),
        (
            "providers: {openai: {key: {env: a-b}}}",
            "1: providers.openai.key.env: must be the name of an environment variable",
        ),
        ("classify: {rules: [{task: code, when: {}}]}", "1: classify.rules[0].when: must say regex: or phrases:"),
        ("auth: {keys: []}", "1: auth.keys: must not be empty; leave the key out instead"),
        ("auth:\nbreaker: {}", "1: auth: has no value; write one or leave the key out"),
        ("tiers: [small, ]\nroutes:\n  - name:", "3: routes[0].name: has no value; write one or leave the key out"),
    ],
)
def test_says_where_what_and_what_would_be_valid(text: str, problem: str) -> None:
    assert problem in problems(text)


def test_never_repeats_what_may_be_a_key() -> None:
    told = problems("providers: {openai: {key: sk-secret}}\nauth: {keys: [{id: a, sha256: sk-secret}]}")
    assert told == [
        "1: providers.openai.key: must be {env: NAME}, {file: /path} or {none: true}; a key itself never "
        "stands in this file",
        "2: auth.keys[0].sha256: must be the 64 hexadecimal digits of a SHA-256 hash",
    ]


def test_lets_providers_and_labels_stand_without_a_value() -> None:
    assert problems("providers:\n  openai:\nsensitivity:\n  public:\n") == []


def test_takes_one_word_for_a_list_of_one_and_a_number_for_a_header() -> None:
    assert problems("routes: [{name: a, match: {header: {x-n: 12, x-m: [a, 3]}, key: k*, model: [a]}}]") == []


def test_reports_wrong_names_beside_wrong_values() -> None:
    text = f"""
auth: {{keys: [{{id: a, sha256: {HASH}, extra: 1}}]}}
breaker: {{failures: 0}}
unknown: 1
routes:
  - {{name: a, objective: fast}}
  - {{name: b, sensitivity: secret}}
"""
    assert [problem.split(":")[1].strip() for problem in problems(text)] == [
        "auth.keys[0].extra",
        "breaker.failures",
        "unknown",
        "routes[0].objective",
        "routes[1].sensitivity",
    ]


def test_says_nothing_about_names_whose_definitions_cannot_be_read() -> None:
    assert problems("tiers: 3\nroutes: [{name: a, tier: {min: gold}}]") == ["1: tiers: 3 must be a list"]
