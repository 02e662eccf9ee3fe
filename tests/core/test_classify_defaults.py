"""The built-in rules on everyday prompts.

`prompts_by_task.json` was written before any rule; its `held_out` half was never used to choose a phrase or a weight.
Both halves have one author, so the held-out share is still a friendly figure: on public benchmarks the agreement is
lower.
"""

import json
from pathlib import Path

import pytest

from gateway.core.classify import Classifier
from gateway.core.task_rules import DEFAULT_RULES

TASKS = (
    "code",
    "math",
    "reasoning",
    "creative",
    "summarization",
    "classification",
    "extraction",
    "translation",
    "factual",
    "email",
    "chat",
)
PROMPTS = json.loads((Path(__file__).parent / "prompts_by_task.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.compile(DEFAULT_RULES, TASKS)


def share_right(classifier: Classifier, half: str) -> float:
    answers = [classifier.classify(prompt).task == task for task in TASKS for prompt in PROMPTS[task][half]]
    return sum(answers) / len(answers)


def test_knows_prompts_for_every_task() -> None:
    assert {task: len(halves["tuned"]) + len(halves["held_out"]) for task, halves in PROMPTS.items()} == dict.fromkeys(
        TASKS, 16
    )


@pytest.mark.parametrize("half", ["tuned", "held_out"])
def test_recognises_nine_in_ten_everyday_prompts(classifier: Classifier, half: str) -> None:
    assert share_right(classifier, half) >= 0.9


@pytest.mark.parametrize("task", TASKS)
def test_recognises_most_prompts_of_each_task(classifier: Classifier, task: str) -> None:
    prompts = PROMPTS[task]["tuned"] + PROMPTS[task]["held_out"]
    assert sum(classifier.classify(prompt).task == task for prompt in prompts) >= 14


def test_takes_no_everyday_word_alone_for_mathematics(classifier: Classifier) -> None:
    prompts = (
        "Write a short friendly answer",
        "How much do you love me?",
        "Write half a page about the sea",
        "the cost of living in Spain",
    )
    found = [classifier.classify(prompt).task for prompt in prompts]
    assert found == ["creative", "factual", "creative", "chat"]


def test_ranks_hard_prompts_above_easy_ones(classifier: Classifier) -> None:
    easy = ("hi", "What is the capital of France?", "Translate 'cat' to German", "thanks!")
    hard = (
        "Prove that every bounded monotone sequence of real numbers converges, justify each step rigorously.",
        "Design a distributed rate limiter, analyse its race conditions step by step and compare the trade-offs.",
        "Debug this: Traceback (most recent call last) ... it must be thread-safe and optimal in time complexity.",
    )
    assert max(classifier.classify(p).difficulty for p in easy) < min(classifier.classify(p).difficulty for p in hard)


def test_classifies_a_hundred_kilobytes_by_its_ends(classifier: Classifier) -> None:
    pasted = "The committee met again in the afternoon. " * 2_500
    assert classifier.classify(f"{pasted}\n\nSummarize the text above in two sentences.").task == "summarization"


def test_follows_a_system_text_where_the_prompt_says_nothing(classifier: Classifier) -> None:
    assert classifier.classify("Der Zug ist weg", "You are a translator. Translate into English.").task == "translation"
