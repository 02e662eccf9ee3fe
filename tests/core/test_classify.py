import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.classify import (
    Classification,
    Classifier,
    Clip,
    Difficulty,
    Pair,
    TaskPhrases,
    TaskRules,
    UserRule,
    WordGroup,
    clip,
)

RULES = TaskRules(
    phrases=(
        TaskPhrases("code", 3.0, ("compile error", "refactor*", "\ndef ")),
        TaskPhrases("math", 2.0, ("integral",)),
        TaskPhrases("poetry", 3.0, ("poem",)),
        TaskPhrases("math", 2.0, ("积分",)),
    ),
    groups=(WordGroup("write", ("write",)), WordGroup("program", ("script",)), WordGroup("poem", ("ode",))),
    pairs=(Pair("write", "program", "code", 2.0, within_chars=20), Pair("write", "poem", "poetry", 2.0)),
    difficulty=(Difficulty(2.0, ("prove",)), Difficulty(-2.0, ("simple",))),
    base_difficulty=(("code", 0.5), ("chat", 0.1)),
)
TASKS = ("code", "math", "factual", "chat")


def task_of(prompt: str, system: str = "") -> str:
    return Classifier.compile(RULES, TASKS).classify(prompt, system).task


def test_names_the_task_with_the_phrases_that_spoke_for_it() -> None:
    found = Classifier.compile(RULES, TASKS).classify("Refactoring this gives me a compile error")
    assert found == Classification("code", 6 / 6.5, 0.5 + 0.15 * 41 / 4000, ("refactor*", "compile error"))


def test_is_chat_when_nothing_speaks() -> None:
    assert Classifier.compile(RULES, TASKS).classify("so be it") == Classification(
        "chat", 0.4, 0.1 + 0.15 * 8 / 4000, ()
    )


def test_takes_an_empty_prompt_for_chat() -> None:
    assert task_of("") == "chat"


@pytest.mark.parametrize("prompt", ["disintegral", "integrals", "integral_x"])
def test_matches_whole_words_only(prompt: str) -> None:
    assert task_of(prompt) == "chat"


def test_matches_anywhere_in_scripts_without_spaces() -> None:
    assert task_of("请计算下面的积分吧") == "math"


@pytest.mark.parametrize(
    ("prompt", "task"), [("def f(): ...", "code"), ("x\ndef f(): ...", "code"), ("a def f", "chat")]
)
def test_ties_a_phrase_to_the_start_of_a_line(prompt: str, task: str) -> None:
    assert task_of(prompt) == task


def test_counts_a_pair_only_when_its_words_stand_near_and_in_order() -> None:
    assert [task_of(p) for p in ("write me a script", "script to write", "write " + "so " * 9 + "script")] == [
        "code",
        "chat",
        "chat",
    ]


def test_counts_a_pair_once() -> None:
    found = Classifier.compile(RULES, TASKS).classify("write a script, then write a script")
    assert found.reasons == ("write … program",)


def test_counts_a_phrase_once_however_often_it_comes() -> None:
    once, often = (Classifier.compile(RULES, TASKS).classify(p) for p in ("prove integral", "integral prove " * 3))
    assert (once.confidence, once.reasons) == (often.confidence, often.reasons) == (2 / 2.5, ("integral",))


def test_weighs_pasted_material_in_the_middle_by_half() -> None:
    padding = "so it goes on " * 30
    middle = Classifier.compile(RULES, TASKS).classify(f"{padding} integral {padding}").confidence
    start = Classifier.compile(RULES, TASKS).classify(f"integral {padding} {padding}").confidence
    end = Classifier.compile(RULES, TASKS).classify(f"{padding} {padding} integral").confidence
    assert (middle, start, end) == (1 / 1.5, 2 / 2.5, 2 / 2.5)


def test_takes_the_system_text_as_weak_evidence() -> None:
    system = "You refactor what you are given. Prove it."
    assert Classifier.compile(RULES, TASKS).classify("here it is", system) == Classification(
        "code", 1.2 / 1.7, 0.5 + 0.15 * 10 / 4000, ("refactor*",)
    )
    assert task_of("an integral", system) == "math"


def test_looks_at_the_start_and_the_end_of_a_long_prompt_only() -> None:
    assert clip(" A" + "b" * 5_000 + "C ", "System") == Clip(
        "A" + "b" * 798 + "\n" + "b" * 298 + "C", "\na" + "b" * 798 + "\n" + "b" * 298 + "c\nsystem\n", 801, 1101
    )
    assert task_of("x" * 900 + " integral " + "x" * 400) == "chat"


def test_reads_a_short_prompt_whole() -> None:
    assert clip(" Hi\n") == Clip("Hi", "\nhi\n", 0, 4)


def test_leaves_out_phrases_of_tasks_that_are_not_listed() -> None:
    assert task_of("write a poem, an ode") == "chat"


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("12 * 7 + 3", "math"),
        ("a{b=c;d};{e=f;}", "code"),
        ("\\alpha{b=c;d};{e=f;}", "chat"),
        ("and then?", "factual"),
        ("今天", "chat"),
    ],
)
def test_reads_the_characters_where_words_are_silent(prompt: str, task: str) -> None:
    assert task_of(prompt) == task


def test_does_not_vote_for_a_surface_task_that_is_not_listed() -> None:
    assert Classifier.compile(RULES, ("code", "chat")).classify("12 * 7 + 3 ?").task == "chat"


def test_can_do_with_chat_alone() -> None:
    assert Classifier.compile(RULES, ("chat",)).classify("integral").task == "chat"


def test_grades_difficulty_by_task_phrases_and_length() -> None:
    classifier = Classifier.compile(RULES, TASKS)
    grades = [
        classifier.classify(p).difficulty for p in ("refactor", "prove: refactor", "simple refactor", "a" * 8_000)
    ]
    assert grades == pytest.approx([0.5003, 0.7006, 0.3006, 0.25], abs=0.0005)


def test_keeps_difficulty_within_its_ends() -> None:
    grades = (Difficulty(-9.0, ("easy",)), Difficulty(9.0, ("hard",)))
    floor, ceiling = (TaskRules((), difficulty=grades, base_difficulty=(("chat", base),)) for base in (0.1, 0.9))
    assert Classifier.compile(floor, ("chat",)).classify("easy").difficulty == 0.0
    assert Classifier.compile(ceiling, ("chat",)).classify("hard").difficulty == 1.0


def test_lets_the_first_fitting_user_rule_decide() -> None:
    rules = (
        UserRule("math", phrases=("Ticket",), regex=re.compile(r"#\d+")),
        UserRule("chat", regex=re.compile(r"(?i)refactor later")),
        UserRule("factual", phrases=("ticket", "case")),
    )
    classifier = Classifier.compile(RULES, TASKS, rules)
    prompts = ("refactor ticket #12", "refactor #12", "Refactor later, ticket", "my CASE: refactor", "cases: refactor")
    found = [classifier.classify(prompt) for prompt in prompts]
    assert [(f.task, f.reasons) for f in found] == [
        ("math", ("classify.rules[0]",)),
        ("code", ("refactor*",)),
        ("chat", ("classify.rules[1]",)),
        ("factual", ("classify.rules[2]",)),
        ("code", ("refactor*",)),
    ]
    assert found[0].confidence == 1.0


def test_does_not_let_the_system_text_satisfy_a_user_rule() -> None:
    classifier = Classifier.compile(RULES, TASKS, (UserRule("math", phrases=("ticket",)),))
    assert classifier.classify("so be it", "ticket").task == "chat"


@pytest.mark.parametrize(
    ("tasks", "rules", "message"),
    [
        (("code",), (), "tasks must include 'chat'"),
        (TASKS, (UserRule("cod", phrases=("x",)),), r"not listed: cod \(listed: code, math, factual, chat\)"),
        (TASKS, (UserRule("code", phrases=(" ",)),), "empty phrase"),
    ],
)
def test_refuses_what_cannot_work(tasks: tuple[str, ...], rules: tuple[UserRule, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classifier.compile(RULES, tasks, rules)


@given(st.text(max_size=2_000), st.text(max_size=600))
def test_answers_within_its_ranges_whatever_the_text(prompt: str, system: str) -> None:
    found = Classifier.compile(RULES, TASKS).classify(prompt, system)
    assert found.task in TASKS
    assert 0 <= found.confidence <= 1
    assert 0 <= found.difficulty <= 1
