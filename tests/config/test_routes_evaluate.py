"""The `evaluate` block of a route, compiled and shown."""

import pytest

from gateway.config.effective import effective
from gateway.core.policy import Evaluate
from tests.support.configs import load, problems, warnings

PROVIDERS = "providers: {openai: {}, deepseek: {key: {none: true}}}\n"


def evaluate(text: str) -> Evaluate | None:
    return load(f"{PROVIDERS}routes: [{{name: a, {text}}}]").policy.routes[0].evaluate


def test_nothing_is_evaluated_unless_the_route_says_so() -> None:
    assert evaluate("record: full") is None


def test_has_a_default_for_everything() -> None:
    assert evaluate("evaluate: {}") == Evaluate(
        share=0.02,
        against=2,
        budget_usd_per_day=5.0,
        judge="people",
        judge_model=None,
        max_loss=0.02,
        confidence=0.95,
        auto=True,
        keep_s=90 * 86_400.0,
    )


def test_everything_it_can_say() -> None:
    assert evaluate(
        "evaluate: {share: 0.1, against: medium, budget_usd_per_day: 2.5, judge: both, judge_model: openai/gpt-4o, "
        "max_loss: 0.05, confidence: 0.9, auto: false, keep: 36h}"
    ) == Evaluate(0.1, 1, 2.5, "both", "openai/gpt-4o", 0.05, 0.9, False, 129_600.0)


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o"])
def test_a_model_or_an_endpoint_may_judge(name: str) -> None:
    assert evaluate(f"evaluate: {{judge: {name}}}") == Evaluate(0.02, 2, judge="model", judge_model=name)


def test_both_without_a_model_leaves_the_choice_to_the_prices() -> None:
    assert evaluate("evaluate: {judge: both}") == Evaluate(0.02, 2, judge="both")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("against: larg", '.against: "larg" is not a tier; valid: small, medium, large (did you mean "large"?)'),
        ("against: small", '.against: "small" is the lowest tier: there is none below it to compare with'),
        (
            "judge: gpt-40",
            '.judge: "gpt-40" is not a model here; valid: people, both, gpt-4o, gpt-mini, deepseek-chat, '
            'openai/gpt-4o, openai/gpt-mini, deepseek/deepseek-chat (did you mean "gpt-4o"?)',
        ),
        (
            "judge: peple",
            '.judge: "peple" is not a model here; valid: people, both, gpt-4o, gpt-mini, deepseek-chat, '
            'openai/gpt-4o, openai/gpt-mini, deepseek/deepseek-chat (did you mean "people"?)',
        ),
        (
            "judge: both, judge_model: gpt",
            '.judge_model: "gpt" is not a model here; valid: gpt-4o, gpt-mini, deepseek-chat, openai/gpt-4o, '
            'openai/gpt-mini, deepseek/deepseek-chat (did you mean "gpt-4o"?)',
        ),
        ("judge_model: gpt-4o", ".judge_model: needs `judge: both`; a single judge is named by `judge`"),
        ("share: 0", ".share: 0 must be greater than 0"),
        ("confidence: 1", ".confidence: 1 must be less than 1"),
        ("keep: 90", ".keep: must be a duration with its unit, like 12h or 90d (did you mean 90d?)"),
        ("keep: 4000d", ".keep: must be longer than nothing and at most 3650 days"),
    ],
)
def test_says_what_is_wrong(row: str, problem: str) -> None:
    found = problems(f"{PROVIDERS}routes: [{{name: a, evaluate: {{{row}}}}}]")
    assert found == [f"2: routes[0].evaluate{problem}"]


def test_a_judge_must_be_able_to_converse() -> None:
    added = "providers: {openai: {models: [{id: vectors, operation: embeddings, price: {input: 1, output: 0}}]}}\n"
    assert problems(f"{added}routes: [{{name: a, evaluate: {{judge: vectors}}}}]") == [
        '2: routes[0].evaluate.judge: "vectors" cannot judge answers: it is no chat model'
    ]


def test_one_tier_cannot_be_compared_with_itself() -> None:
    text = (
        "tiers: [only]\nclassify: {task_tiers: {code: only, math: only, reasoning: only, creative: only}}\n"
        "providers: {corp: {api: openai, base_url: 'http://10.0.0.1/v1', key: {none: true}, "
        "models: [{id: m, tier: only}]}}\n"
        "routes: [{name: a, evaluate: {}}]"
    )
    assert '"only" is the lowest tier: there is none below it to compare with' in problems(text)[-1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("model: gpt-4o", "`model` says what auto means"),
        ("sensitivity: pii", "`sensitivity: pii` forbids to keep content"),
        ("tier: {max: small}", "`tier` leaves none that has another below it"),
        ("tier: {min: large}", "`tier` leaves none that has another below it"),
        ("tier: {min: medium, max: medium}", "`tier` leaves none that has another below it"),
        ("tier: {min: medium, max: large}", None),
        ("tier: {max: medium}", None),
        ("sensitivity: public", None),
    ],
)
def test_warns_where_nothing_can_be_compared(row: str, reason: str | None) -> None:
    found = [one for one in warnings(f"{PROVIDERS}routes: [{{name: a, {row}, evaluate: {{}}}}]") if "compared" in one]
    assert found == ([] if reason is None else [f"2: routes[0].evaluate: nothing is compared where {reason}"])


def test_is_shown_with_its_tier() -> None:
    shown = effective(load(f"{PROVIDERS}routes: [{{name: a, evaluate: {{judge: gpt-4o, auto: false}}}}]").policy)
    assert shown["routes"][0]["evaluate"] == {
        "share": 0.02,
        "against": "large",
        "budget_usd_per_day": 5.0,
        "judge": "model",
        "judge_model": "gpt-4o",
        "max_loss": 0.02,
        "confidence": 0.95,
        "auto": False,
        "keep_s": 7_776_000.0,
    }
