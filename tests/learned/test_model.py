from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from gateway.core.classify import Opinion
from gateway.learned.features import BUCKETS, LOOKS
from gateway.learned.fit import calibrated, fit
from gateway.learned.model import NEIGHBOURS, Model, pack, unpack
from tests.support.judged import a_table, judged


@pytest.fixture(scope="module")
def model() -> Model:
    return fit(*judged(400, seed=1), a_table())


def test_tells_what_needs_the_stronger_model_among_prompts_it_has_not_seen(model: Model) -> None:
    prompts, gains = judged(400, seed=2)
    scores = np.array([model.judge(prompt).score for prompt in prompts])
    above = scores > np.median(scores)
    assert np.mean(above == (np.array(gains) > 0)) > 0.85, "one label in ten is wrong"


def test_says_how_many_of_the_most_similar_prompts_needed_the_stronger_model(model: Model) -> None:
    hard, easy = model.judge("Please solve the equation"), model.judge("Please thank our guest")
    assert (hard.neighbours, easy.neighbours) == (NEIGHBOURS, NEIGHBOURS)
    assert hard.needed > 45
    assert easy.needed < 15


def test_the_curve_is_a_probability_of_what_happens(model: Model) -> None:
    prompts, gains = judged(1000, seed=3)
    curved = calibrated(model, prompts, gains)
    others, truth = judged(1000, seed=4)
    said = np.array([curved.judge(prompt).as_good for prompt in others])
    assert abs(said.mean() - (1 - np.mean(truth))) < 0.05
    assert abs(said[said > 0.5].mean() - (1 - np.mean(np.array(truth)[said > 0.5]))) < 0.05
    assert [one.score for one in map(curved.judge, others[:5])] == [one.score for one in map(model.judge, others[:5])]


def test_a_file_of_it_says_nearly_the_same(model: Model) -> None:
    again = Model(unpack(pack(model.parameters)), a_table())
    for prompt in judged(20, seed=5)[0]:
        first, second = model.judge(prompt), again.judge(prompt)
        assert second.score == pytest.approx(first.score, abs=0.02)
        assert second.neighbours == first.neighbours


def test_a_file_of_another_version_is_refused(model: Model) -> None:
    with np.load(BytesIO(pack(model.parameters))) as held:
        arrays = dict(held) | {"version": np.int32(9)}
    out = BytesIO()
    np.savez(out, **arrays)
    with pytest.raises(ValueError, match="version 9; this program reads 1"):
        unpack(out.getvalue())


def test_without_exemplars_the_other_parts_speak_alone(model: Model) -> None:
    learned = model.parameters
    alone = Model(replace(learned, exemplars=learned.exemplars[:0], gains=learned.gains[:0]), a_table())
    opinion = alone.judge("Please prove that the ring")
    assert (opinion.neighbours, opinion.needed) == (0, 0)
    assert opinion.score > alone.judge("Please thank a neighbour").score


def test_a_model_that_learned_nothing_says_nothing() -> None:
    learned = replace(
        fit(*judged(10, seed=6), a_table()).parameters,
        by_words=np.zeros(BUCKETS, np.float32),
        by_looks=np.zeros(LOOKS, np.float32),
        gains=np.zeros(10, np.float32),
        needed=np.zeros(10, np.bool_),
        curve=(1.0, 0.0),
    )
    assert Model(learned, a_table()).judge("") == Opinion(0.0, 0.5, 10, 0)


def test_equal_prompts_make_equal_models() -> None:
    prompts, gains = judged(60, seed=7)
    assert pack(fit(prompts, gains, a_table()).parameters) == pack(fit(prompts, gains, a_table()).parameters)
