"""Make gateway/data/learned.bin: the learned classifier that is shipped, from openly licensed judged prompts.

    python -m scripts.router.train [--data DIRECTORY]

One model for each step between tiers, of all data sets together (each centred, so that none speaks by its mean alone),
and one for the task. The curve that turns a score into a probability is fitted to prompts that were left out.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gateway.core.task_rules import DEFAULT_RULES
from gateway.learned.features import see
from gateway.learned.fit import Keeping, calibrated, fit
from gateway.learned.judges import pack_judges
from gateway.learned.model import Model
from gateway.learned.tasks import TaskModel, fit_tasks
from gateway.learned.words import WordTable
from scripts.router.data import DATA_SETS, TIERS, WORDS, Judged, NoData, folder, steps, subjects

MADE = Path(__file__).parents[2] / "gateway" / "data" / "learned.bin"
LIMIT_BYTES = 4_000_000
EXEMPLARS = 1_500
SEED = 20261125
SUBJECTS = {  # what the data sets' subjects are in the words of the contract; the others say too little of the task
    "math": "math", "gsm8k": "math", "agentverse-mgsm": "math", "math-l5": "math", "abstract_algebra": "math",
    "elementary_mathematics": "math", "high_school_mathematics": "math", "college_mathematics": "math",
    "mbpp": "code", "human_eval": "code", "agentverse-logicgrid": "reasoning", "trivia_qa": "factual",
    "natural_qa": "factual", "commongen": "creative",
}  # fmt: skip
PER_SUBJECT = 400


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.router.train", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, help="directory of the data sets")
    given = parser.parse_args(arguments)
    try:
        data = folder(given.data)
        packed = (data / WORDS).read_bytes()
        words = WordTable.read(packed)
        models = {step: _step(data, step, words) for step in range(len(TIERS) - 1)}
        made = pack_judges(models, _tasks(data, words), packed)
    except NoData as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    if len(made) > LIMIT_BYTES:
        print(f"train: {len(made):,} bytes are more than the {LIMIT_BYTES:,} of a model file", file=sys.stderr)
        return 1
    MADE.write_bytes(made)
    print(f"{MADE.name}: {len(made):,} bytes")
    return 0


def _step(data: Path, step: int, words: WordTable) -> Model:
    sets = [each for name in DATA_SETS for each in _judged(data / f"{name}.parquet", step)]
    prompts = [prompt for each in sets for prompt in each.prompts]
    gains = np.concatenate([each.gains for each in sets])
    usual = np.concatenate([np.full(len(each.prompts), each.gains.mean()) for each in sets])
    out = np.random.default_rng(SEED).permutation(len(prompts)) % 5 == 0
    print(f"step {TIERS[step]} to {TIERS[step + 1]}: {len(prompts)} prompts of {', '.join(one.name for one in sets)}")
    kept = np.flatnonzero(~out)
    trial = fit([prompts[row] for row in kept], list(gains[kept]), words, list(usual[kept]), Keeping(EXEMPLARS))
    curve = calibrated(trial, [prompts[row] for row in np.flatnonzero(out)], list(gains[out])).parameters.curve
    return fit(prompts, list(gains), words, list(usual), Keeping(EXEMPLARS)).with_curve(curve)


def _judged(file: Path, step: int) -> list[Judged]:
    try:
        return steps(file, TIERS[step], TIERS[step + 1])
    except NoData:  # a data set of two models says nothing about the tier between them
        return []


def _tasks(data: Path, words: WordTable) -> TaskModel:
    rows = [*_labelled(data), *_phrases()]
    return fit_tasks([see(text) for text, _, _ in rows], [task for _, task, _ in rows], words, [w for *_, w in rows])


def _labelled(data: Path) -> Iterator[tuple[str, str, float]]:
    counts: dict[str, int] = {}
    for name in DATA_SETS:
        for prompt, subject in subjects(data / f"{name}.parquet"):
            task = SUBJECTS.get(subject)
            if task is not None and counts.get(subject, 0) < PER_SUBJECT:
                counts[subject] = counts.get(subject, 0) + 1
                yield prompt, task, 1.0


def _phrases() -> Iterator[tuple[str, str, float]]:
    """The rules' own phrases: what they mean is worth as much as what they are."""
    for entry in DEFAULT_RULES.phrases:
        for phrase in entry.phrases:
            yield phrase.strip().removesuffix("*"), entry.task, entry.weight


if __name__ == "__main__":
    sys.exit(main())
