"""`make evaluate-router`: how good the learned classifier is at telling which prompts need the stronger model.

    python -m scripts.router.evaluate                                # the table on the terminal
    python -m scripts.router.evaluate --write docs/router-quality.md # and the page
    python -m scripts.router.evaluate --eval FILE.parquet            # prompts that nobody here trained on

By cross-validation on the data sets of scripts/router/data.py; with --eval: trained on the 1.6k gold rows alone and
measured on the file (same columns), less the prompts that it shares with them.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson

from gateway.learned.fit import fit
from gateway.learned.model import Model
from gateway.learned.words import WordTable
from scripts.router import page
from scripts.router.data import DATA_SETS, GOLD, WORDS, Judged, NoData, folder, pairs
from scripts.router.metric import Result, Values, evaluate

FOLDS = 5
SEED = 20261125


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was trained on, what was asked, and how well it went."""

    trained_on: str
    asked: str
    router: str
    result: Result


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        data = folder(given.data)
        words = WordTable.read((data / WORDS).read_bytes())
        gold = pairs(data / f"{GOLD}.parquet")[0]
        rows = list(_unseen(gold, given.eval, words) if given.eval else _usual(data, gold, words))
    except NoData as error:
        print(f"evaluate-router: {error}", file=sys.stderr)
        return 1
    if given.as_json:
        print(orjson.dumps([asdict(row) for row in rows], option=orjson.OPT_INDENT_2).decode())
    else:
        print(page.table(rows))
    if given.write is not None:
        given.write.write_text(page.page(rows))
    return 0


def _usual(data: Path, gold: Judged, words: WordTable) -> Iterable[Row]:
    """In the domain by cross-validation, and across domains: trained on all other data sets."""
    sets = [each for name in DATA_SETS for each in pairs(data / f"{name}.parquet")]
    for judged in sets:
        _say(f"{judged.name}: {FOLDS} folds of {len(judged.prompts)} prompts")
        yield Row(f"its own, {FOLDS} folds", judged.name, "learned", _result(judged, _folded(judged, words)))
        lengths = _scores(len(prompt) for prompt in judged.prompts)
        yield Row("nothing", judged.name, "length of the prompt", _result(judged, lengths))
    for judged in sets:
        _say(f"{judged.name}: trained on the others")
        model = _joined([each for each in sets if each is not judged], words)
        scores = _scores(model.judge(prompt).score for prompt in judged.prompts)
        yield Row("the other data sets", judged.name, "learned", _result(judged, scores))


def _unseen(gold: Judged, file: Path, words: WordTable) -> Iterable[Row]:
    model = fit(gold.prompts, list(gold.gains), words)
    known = set(gold.prompts)
    for judged in pairs(file):
        rows = [row for row, prompt in enumerate(judged.prompts) if prompt not in known]
        left_out = len(judged.prompts) - len(rows)
        _say(f"{judged.name}: {len(rows)} prompts; {left_out} left out that are among the gold ones")
        if rows:
            new = judged.only(rows)
            scores = _scores(model.judge(prompt).score for prompt in new.prompts)
            yield Row(f"{len(known)} prompts of {GOLD}", judged.name, "learned", _result(new, scores))


def _folded(judged: Judged, words: WordTable) -> Values:
    """Each prompt's score by a model that was fitted without it."""
    fold = np.random.default_rng(SEED).permutation(len(judged.prompts)) % FOLDS
    scores = np.zeros(len(judged.prompts))
    for number in range(FOLDS):
        train = judged.only(np.flatnonzero(fold != number).tolist())
        model = fit(train.prompts, list(train.gains), words)
        for row in np.flatnonzero(fold == number):
            scores[row] = model.judge(judged.prompts[row]).score
    return scores


def _joined(sets: Sequence[Judged], words: WordTable) -> Model:
    """One model of several data sets."""
    prompts = [prompt for each in sets for prompt in each.prompts]
    usual = [float(each.gains.mean()) for each in sets for _ in each.prompts]
    return fit(prompts, list(np.concatenate([each.gains for each in sets])), words, usual)


def _result(judged: Judged, scores: Values) -> Result:
    return evaluate(scores, judged.weak, judged.strong)


def _scores(values: Iterable[float]) -> Values:
    return np.fromiter(values, np.float64)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    what = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m scripts.router.evaluate", description=what)
    parser.add_argument("--data", type=Path, help="directory of the data sets")
    parser.add_argument("--eval", type=Path, metavar="FILE.parquet", help="prompts that nobody here trained on")
    parser.add_argument("--write", type=Path, metavar="PAGE.md", help="write the page too")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
