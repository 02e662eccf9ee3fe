"""Everything of the policy that is neither providers nor routes."""

import pytest

from gateway.config.defaults import TASK_TIERS
from gateway.core.breaker import BreakerRules
from gateway.core.classify import Classifier
from gateway.core.policy import ClientKey, Label, Requirement
from gateway.core.task_rules import DEFAULT_RULES
from tests.support.configs import defaults, load, problems, warnings

OPENAI = "providers: {openai: {}}\n"


def test_what_holds_without_a_file() -> None:
    compiled = defaults("OPENAI_API_KEY")
    policy = compiled.policy
    assert (policy.tiers, policy.tasks, policy.keys, policy.rules) == (
        ("small", "medium", "large"),
        tuple(TASK_TIERS),
        None,
        (),
    )
    assert policy.detecting_labels == ()
    assert compiled.breaker_rules == BreakerRules()
    assert compiled.price_book.as_of == "2026-11-01"
    Classifier.compile(DEFAULT_RULES, policy.tasks, policy.rules)


def test_labels_of_the_file_replace_the_built_in_ones() -> None:
    text = """
sensitivity:
  public: {}
  pii: {require: {trains_on_data: false, retention_days: 0}, detect: true}
  eu: {require: {regions: [eu], certifications: [iso27001]}, content: allowed}
  quiet: {content: never}
"""
    assert load(OPENAI + text).policy.labels == {
        "public": Label("public"),
        "pii": Label("pii", Requirement(False, 0), detect=True, content_allowed=False),
        "eu": Label("eu", Requirement(regions=frozenset({"eu"}), certifications=frozenset({"iso27001"}))),
        "quiet": Label("quiet", content_allowed=False),
    }


def test_new_tasks_come_with_their_tier_and_old_ones_keep_theirs() -> None:
    policy = load(OPENAI + "classify: {task_tiers: {legal: large, code: small}}").policy
    assert policy.tasks == (*TASK_TIERS, "legal")
    assert (policy.task_tiers["legal"], policy.task_tiers["code"], policy.task_tiers["math"]) == (2, 0, 2)


def test_other_tiers_ask_for_the_tiers_of_all_tasks() -> None:
    told = problems(OPENAI + "tiers: [gold, large]\nclassify: {task_tiers: {email: silver}}")
    assert '3: classify.task_tiers.email: "silver" is not a tier; valid: gold, large' in told
    assert '3: classify.task_tiers.creative: is missing: its default, "medium", is not among tiers: gold, large' in told


def test_rules_stand_in_the_order_of_the_file() -> None:
    text = r"""
classify:
  rules:
    - {task: code, when: {regex: "(?i)\\b(refactor|stack trace)\\b"}}
    - {task: email, when: {phrases: [dear all]}}
"""
    first, second = load(OPENAI + text).policy.rules
    assert first.regex is not None
    assert (first.task, first.regex.pattern, first.phrases) == ("code", r"(?i)\b(refactor|stack trace)\b", ())
    assert (second.task, second.regex, second.phrases) == ("email", None, ("dear all",))


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            "{task: cod, when: {regex: a}}",
            '2: classify.rules[0].task: "cod" is not a task; valid: code, math, reasoning, '
            "creative, email, summarization, classification, extraction, translation, factual, chat "
            '(did you mean "code"?); '
            "a new task is made by giving it a tier in classify.task_tiers",
        ),
        (
            "{task: code, when: {regex: (a+)+}}",
            "2: classify.rules[0].when.regex: an open repeat of something that repeats "
            "or branches can take forever: bound it, e.g. (?:…){1,5}",
        ),
        (
            "{task: code, when: {regex: '('}}",
            "2: classify.rules[0].when.regex: not a valid regular expression: missing ), "
            "unterminated subpattern at position 0",
        ),
        ("{task: code, when: {phrases: [' ']}}", "2: classify.rules[0].when.phrases[0]: is blank"),
        (
            "{task: code, when: {regex: 'a{99999999999}'}}",
            "2: classify.rules[0].when.regex: nested too deeply, or with a repeat that is too large",
        ),
    ],
)
def test_says_what_is_wrong_with_a_rule(rule: str, problem: str) -> None:
    assert problems(f"{OPENAI}classify: {{rules: [{rule}]}}") == [problem]


def test_passes_over_notes_on_future_syntax() -> None:
    assert problems(OPENAI + "classify: {rules: [{task: code, when: {regex: '[[a]'}}]}") == []


@pytest.mark.parametrize("word", ["rules", "learned", "rules+learned"])
def test_says_who_classifies(word: str) -> None:
    assert load(f"{OPENAI}classify: {{by: {word}}}").policy.classify_by == word


def test_client_keys_are_their_hashes_and_may_be_rotated_under_one_id() -> None:
    text = f"auth: {{keys: [{{id: kb, sha256: {'ab' * 32}}}, {{id: kb, sha256: {'CD' * 32}}}]}}"
    assert load(OPENAI + text).policy.keys == (ClientKey("kb", b"\xab" * 32), ClientKey("kb", b"\xcd" * 32))


def test_refuses_one_hash_for_two_keys() -> None:
    text = f"auth: {{keys: [{{id: a, sha256: {'ab' * 32}}}, {{id: b, sha256: {'AB' * 32}}}]}}"
    assert problems(OPENAI + text) == ["2: auth.keys[1].sha256: is the hash of an earlier key"]


def test_breaker_rules_are_seconds() -> None:
    text = """
breaker: {failures: 3, window: 1m, error_rate: 0.5, min_requests: 4, open_for: 5s, open_for_max: 10s,
          half_open_probes: 2}
"""
    assert load(OPENAI + text).breaker_rules == BreakerRules(3, 60.0, 0.5, 4, 5.0, 10.0, 2)


def test_refuses_what_contradicts_itself() -> None:
    assert problems(OPENAI + "breaker: {open_for: 10m}\ntiers: [small, medium, large, small]") == [
        "2: breaker.open_for: is longer than open_for_max",
        '3: tiers[3]: "small" is given twice',
    ]


def test_warns_of_a_route_whose_label_nobody_satisfies() -> None:
    text = """providers: {openai: {key: {none: true}}}
routes: [{name: a, sensitivity: pii}, {name: b, sensitivity: internal}]
"""
    assert warnings(text) == [
        '2: routes[0].sensitivity: no provider here guarantees what "pii" requires: this route refuses every request'
    ]
