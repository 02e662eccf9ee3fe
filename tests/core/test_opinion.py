from dataclasses import dataclass

import pytest

from gateway.core.classify import Classification, Opinion
from gateway.core.opinion import By, TaskOpinion, fingerprint_of, refined

TASKS = {"email": 0, "chat": 0, "creative": 1, "math": 2}
TOP = 2
FOUND = Classification("math", 0.9, 0.4, ("integral",))
CREATIVE = TaskOpinion("creative", 0.8)
NOTHING = Classification("chat", 0.4, 0.3, ())


@dataclass
class PlayedJudge:
    said: TaskOpinion = CREATIVE
    fingerprint: str = "aa"

    def judge(self, prompt: str, step: int) -> Opinion | None:
        return None if step < 0 else Opinion(float(step), 0.75, 60, 12)

    def task(self, prompt: str) -> TaskOpinion:
        return self.said


class Ignorant(PlayedJudge):
    def judge(self, prompt: str, step: int) -> Opinion | None:
        return None


def of(found: Classification, by: By, judge: PlayedJudge | None = None, top: int = TOP) -> Classification:
    return refined(found, "a prompt", judge or PlayedJudge(), by, TASKS, top)


def test_the_difficulty_is_the_chance_that_the_lower_tier_does_not_do() -> None:
    assert of(FOUND, "rules+learned") == Classification(
        "math", 0.9, 0.25, ("integral",), opinion=Opinion(1.0, 0.75, 60, 12)
    )


def test_a_task_that_the_rules_have_not_found_is_the_models_to_name() -> None:
    assert of(NOTHING, "rules+learned") == Classification(
        "creative", 0.8, 0.25, ("learned",), opinion=Opinion(1.0, 0.75, 60, 12)
    )


def test_where_the_model_alone_is_asked_it_names_the_task() -> None:
    assert of(FOUND, "learned").task == "creative"


@pytest.mark.parametrize("by", ["learned", "rules+learned"])
def test_what_a_person_decided_stays(by: By) -> None:
    decided = Classification("email", 1.0, 0.2, ("classify.rules[0]",), decided=True)
    assert of(decided, by) == Classification(
        "email", 1.0, 0.25, ("classify.rules[0]",), decided=True, opinion=Opinion(0.0, 0.75, 60, 12)
    )


@pytest.mark.parametrize(
    "said", [TaskOpinion("creative", 0.49), TaskOpinion("poetry", 0.9), TaskOpinion("chat", 0.9)]
)
def test_a_word_that_is_unsure_or_unknown_or_says_nothing_new_changes_nothing(said: TaskOpinion) -> None:
    found = of(NOTHING, "rules+learned", PlayedJudge(said))
    assert (found.task, found.confidence, found.reasons) == ("chat", 0.4, ())


def test_where_nothing_was_learned_the_rules_speak() -> None:
    assert of(FOUND, "rules+learned", Ignorant()) == FOUND
    assert of(FOUND, "rules+learned", top=0) == FOUND, "one tier has no steps"


def test_a_task_without_a_tier_is_judged_at_the_lowest_step() -> None:
    found = of(Classification("embeddings", 1.0, 0.0, (), decided=True), "learned")
    assert found.opinion == Opinion(0.0, 0.75, 60, 12)


def test_scores_have_another_name_under_other_tiers_rules_or_models() -> None:
    three, four = ("small", "medium", "large"), ("tiny", "small", "medium", "large")
    names = [
        fingerprint_of(None, "a1", three),
        fingerprint_of(None, "a2", three),
        fingerprint_of(None, "a1", four),
        fingerprint_of(PlayedJudge(), "a1", three),
        fingerprint_of(PlayedJudge(), "a1", four),
    ]
    assert len({*names}) == len(names)
    assert fingerprint_of(PlayedJudge(), "a2", three) == names[3]  # the rules make no score there
