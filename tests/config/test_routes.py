"""The routes block, compiled."""

import pytest

from gateway.core.policy import Escalate, Limits, NamedModel, Objective, Route, Variant
from tests.support.configs import GPT_4O_PRICE, load, problems, warnings

PROVIDERS = "providers: {openai: {}, deepseek: {key: {none: true}}}\n"


def routes(text: str) -> tuple[Route, ...]:
    return load(PROVIDERS + text).policy.routes


def test_a_file_without_routes_has_one_for_everything() -> None:
    assert routes("") == (Route("default"),)


def test_a_last_route_with_a_match_is_followed_by_a_default_one() -> None:
    assert [route.name for route in routes("routes: [{name: a, match: {model: x}}]")] == ["a", "default"]
    assert [route.name for route in routes("routes: [{name: a, match: {model: x}}, {name: b}]")] == ["a", "b"]
    assert [route.name for route in routes("routes: [{name: a, match: {}}]")] == ["a"]


def test_everything_a_route_can_say() -> None:
    (route,) = routes("""
routes:
  - name: a
    sensitivity: pii
    tier: {min: small, max: medium}
    named_model: tier
    objective: balanced
    latency: {first_token_p95: 1500ms}
    limits: {cost_per_request: 0.02, attempts: 2, deadline: 10s, total: 1m}
    baseline: openai/gpt-4o
    split: [{name: x, weight: 90}, {name: y, weight: 10, prefer: [deepseek/*, "*/gpt-4o", "*"]}]
    strategy: {escalate: {share: 0.2, to: large, by: score}}
    model: gpt-4o
    fallbacks: [deepseek-chat, openai/gpt-mini]
    record: full
""")
    assert route == Route(
        name="a",
        sensitivity="pii",
        tier_min=0,
        tier_max=1,
        named_model=NamedModel.TIER,
        objective=Objective.BALANCED,
        first_token_p95_ms=1500.0,
        limits=Limits(0.02, 2, 10.0, 60.0),
        baseline="openai/gpt-4o",
        split=(
            Variant("x", 90.0),
            Variant("y", 10.0, ("deepseek/deepseek-chat", "openai/gpt-4o", "openai/gpt-mini")),
        ),
        escalate=Escalate(0.2, 2),
        models=("gpt-4o",),
        fallbacks=("deepseek-chat", "openai/gpt-mini"),
        record_full=True,
    )


def test_patterns_fit_in_any_case_and_header_names_are_lower() -> None:
    match = routes("routes: [{name: a, match: {header: {X-Team: [support, s-*]}, key: kb-*, model: [auto, gpt-*]}}]")[
        0
    ].match
    ((name, team),) = match.headers
    assert name == "x-team"
    assert [bool(team.fullmatch(value)) for value in ("Support", "s-1", "supporter")] == [True, True, False]
    assert [bool(match.keys[0].fullmatch(key)) for key in ("kb-search", "akb-search")] == [True, False]
    assert [any(p.fullmatch(model) for p in match.models) for model in ("auto", "GPT-5", "claude")] == [
        True,
        True,
        False,
    ]


def test_a_baseline_need_not_be_in_use_but_has_its_price() -> None:
    compiled = load("providers: {deepseek: {}}\nroutes: [{name: a, baseline: openai/gpt-4o}]")
    assert compiled.policy.routes[0].baseline == "openai/gpt-4o"
    assert compiled.price_book.get("openai/gpt-4o") == GPT_4O_PRICE
    assert "openai/gpt-4o" not in compiled.policy.catalog.endpoints


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            "sensitivity: pi",
            '2: routes[0].sensitivity: "pi" is not a label of sensitivity:; valid: public, internal, pii, '
            'eu-only (did you mean "pii"?)',
        ),
        (
            "tier: {min: larg}",
            '2: routes[0].tier.min: "larg" is not a tier; valid: small, medium, large (did you mean "large"?)',
        ),
        ("tier: {max: x}", '2: routes[0].tier.max: "x" is not a tier; valid: small, medium, large'),
        ("tier: {min: large, max: small}", '2: routes[0].tier.max: "small" is below min, "large"'),
        ("limits: {deadline: 2h}", "2: routes[0].limits.deadline: is longer than total"),
        (
            "baseline: openai/gpt-4",
            '2: routes[0].baseline: "openai/gpt-4" is not an endpoint; valid: openai/gpt-4o, '
            'openai/gpt-mini, deepseek/deepseek-chat, gemini/flash (did you mean "openai/gpt-4o"?)',
        ),
        ("split: [{name: x, weight: 0}]", "2: routes[0].split[0].weight: 0 must be greater than 0"),
        (
            "split: [{name: x, weight: 1}, {name: x, weight: 1}]",
            '2: routes[0].split[1].name: "x" is the name of an earlier arm',
        ),
        (
            "split: [{name: x, weight: 1, prefer: gemini/flash}]",
            '2: routes[0].split[0].prefer[0]: "gemini/flash" is not an '
            "endpoint here; valid: openai/gpt-4o, openai/gpt-mini, deepseek/deepseek-chat",
        ),
        (
            "strategy: {escalate: {share: 0.1, to: x}}",
            '2: routes[0].strategy.escalate.to: "x" is not a tier; valid: small, medium, large',
        ),
        (
            "strategy: {escalate: {share: 0.1, to: large, bad: {code: 0.1}}}",
            "2: routes[0].strategy.escalate.bad: needs `by: feedback`",
        ),
        (
            "strategy: {escalate: {share: 0.1, to: large, by: feedback, bad: {codes: 0.1}}}",
            '2: routes[0].strategy.escalate.bad.codes: "codes" is not a task; valid: code, math, reasoning, creative, '
            'email, summarization, classification, extraction, translation, factual, chat (did you mean "code"?)',
        ),
        (
            "model: gpt-40",
            '2: routes[0].model: "gpt-40" is not a model here; valid: gpt-4o, gpt-mini, deepseek-chat, '
            'openai/gpt-4o, openai/gpt-mini, deepseek/deepseek-chat (did you mean "gpt-4o"?)',
        ),
    ],
)
def test_says_what_is_wrong_with_a_route(row: str, problem: str) -> None:
    assert problems(f"{PROVIDERS}routes: [{{name: a, {row}}}]") == [problem]


def test_refuses_two_routes_of_one_name() -> None:
    assert problems(f"{PROVIDERS}routes: [{{name: a, match: {{model: x}}}}, {{name: a}}]") == [
        '2: routes[1].name: "a" is the name of an earlier route'
    ]


def test_refuses_a_default_route_that_does_not_fit_everything() -> None:
    assert problems(f"{PROVIDERS}routes: [{{name: default, match: {{model: x}}}}]") == [
        '2: routes[0].match: the last route must have no match; without one, none may be named "default" but the last'
    ]


@pytest.mark.parametrize(
    "row", ["split: [{name: x, weight: 1, prefer: [deepseek/deepseek-chat]}]", "model: deepseek-chat"]
)
def test_passes_over_models_whose_key_may_still_come(row: str) -> None:
    (warning,) = warnings(f"routes: [{{name: a, {row}}}]", "OPENAI_API_KEY")
    assert warning.endswith("has no key here; it is passed over")
