"""The models together, and the ones that are shipped."""

from importlib.resources import files

import pytest

from gateway.core.opinion import TaskOpinion
from gateway.learned.features import see
from gateway.learned.fit import fit
from gateway.learned.judges import Judges, pack_judges, unpack_judges
from gateway.learned.tasks import TaskModel, fit_tasks
from tests.support.judged import EASY, HARD, a_packed_table, a_table, judged

LABELLED = [(f"please {verb} it", "math") for verb in HARD] + [(f"please {verb} them", "chat") for verb in EASY]


def a_task_model() -> TaskModel:
    texts, tasks = zip(*LABELLED, strict=True)
    return fit_tasks([see(text) for text in texts], tasks, a_table(), [1.0] * len(texts))


@pytest.fixture(scope="module")
def packed() -> bytes:
    return pack_judges({1: fit(*judged(60, seed=1), a_table())}, a_task_model(), a_packed_table())


def test_each_step_has_its_model_and_the_others_none(packed: bytes) -> None:
    judges = unpack_judges(packed)
    assert judges.judge("solve this", 0) is None
    opinion = judges.judge("solve this", 1)
    assert opinion is not None
    assert opinion.neighbours == 60


def test_the_task_is_told_by_meaning(packed: bytes) -> None:
    judges = unpack_judges(packed)
    assert judges.task("compute").task == "math"
    assert judges.task("hello").task == "chat"


def test_the_same_prompt_is_judged_once(packed: bytes) -> None:
    judges = unpack_judges(packed)
    assert judges.judge("prove that", 1) is judges.judge("prove that", 1)


def test_the_fingerprint_is_that_of_the_file(packed: bytes) -> None:
    other = pack_judges({}, a_task_model(), a_packed_table())
    assert unpack_judges(packed).fingerprint == unpack_judges(packed).fingerprint
    assert unpack_judges(packed).fingerprint != unpack_judges(other).fingerprint


def test_prompts_that_weigh_more_count_more() -> None:
    texts = [see("prove it")] * 2
    found = fit_tasks(texts, ["math", "chat"], a_table(), [9.0, 1.0]).task(texts[0], a_table().point(["prove"]))
    assert found == TaskOpinion("math", pytest.approx(0.9, abs=0.03))


@pytest.fixture(scope="module")
def shipped() -> Judges:
    return unpack_judges(files("gateway").joinpath("data", "learned.bin").read_bytes())


def test_the_shipped_file_is_small_enough() -> None:
    assert len(files("gateway").joinpath("data", "learned.bin").read_bytes()) <= 4_000_000


@pytest.mark.parametrize(
    ("prompt", "task"),
    [
        ("Tell me about Rome's founding year", "factual"),
        ("my code crashes with a segfault when I free the list", "code"),
        ("what is 17 times 23 minus 4", "math"),
        ("hi there", "chat"),
    ],
)
def test_the_shipped_models_know_both_steps_and_plain_tasks(shipped: Judges, prompt: str, task: str) -> None:
    for step in (0, 1):
        opinion = shipped.judge(prompt, step)
        assert opinion is not None
        assert 0.3 < opinion.as_good < 0.95
    assert shipped.judge(prompt, 2) is None
    assert shipped.task(prompt).task == task
