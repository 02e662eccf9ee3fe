"""Judged prompts from Parquet files: who answered how well.

Columns used: dataset, prompt, score (0 to 1), tier (weak, mid, strong), pair (weak and strong mark the two models that
the data set is usually judged by), note. The files are not part of this repository; their licences (MIT, Apache-2.0)
allow training on them.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np

from scripts.router.metric import Values

VARIABLE = "POINTSMAN_ROUTING_DATA"
USUAL = Path(__file__).parents[3] / "shared" / "data" / "routing"
DATA_SETS = ("routellm_mmlu", "mmlu_pro", "llmrouter_mix", "zeroeval")
GOLD = "routellm_mmlu"
WORDS = "words128_int8.npz"
TIERS = ("weak", "mid", "strong")


class NoData(Exception):
    """What is missing, and where it was looked for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Prompts of one data set with the scores of the cheaper and of the stronger side."""

    name: str
    prompts: Sequence[str]
    weak: Values
    strong: Values

    @property
    def gains(self) -> Values:
        return self.strong - self.weak

    def only(self, rows: Sequence[int]) -> "Judged":
        return Judged(self.name, [self.prompts[row] for row in rows], self.weak[rows], self.strong[rows])


def folder(given: Path | None) -> Path:
    """Where the files are. Raises NoData."""
    found = given or Path(os.environ.get(VARIABLE, USUAL))
    if not (found / f"{GOLD}.parquet").is_file():
        raise NoData(f"no routing data at {found}; say --data DIRECTORY or set {VARIABLE}")
    return found


def pairs(file: Path) -> list[Judged]:
    """The prompts that both models of the canonical pair answered, by data set; known contaminated ones left out.

    Raises:
        NoData: the file cannot be read, or holds no such prompts.
    """
    return _asked("pair", "weak", "strong", file)


def steps(file: Path, below: str, above: str) -> list[Judged]:
    """The prompts with the mean scores of two tiers' models, by data set. Raises NoData as `pairs`."""
    return _asked("tier", below, above, file)


def _asked(column: Literal["pair", "tier"], below: str, above: str, file: Path) -> list[Judged]:
    question = f"""
        select dataset, prompt,
            avg(score) filter ({column} = $below) as weak, avg(score) filter ({column} = $above) as strong
        from read_parquet($file) where coalesce(note, '') not like '%contam%'
        group by dataset, prompt having weak is not null and strong is not null order by dataset, prompt
    """  # noqa: S608  # the column is one of two words
    rows = _rows(question, file, below=below, above=above)
    if not rows:
        raise NoData(f"{file} holds no prompt with scores of both ({column} {below} and {above})")
    found = []
    for name in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == name]
        weak, strong = (np.array([row[column] for row in own], np.float64) for column in (2, 3))
        found.append(Judged(str(name), [row[1] for row in own], weak, strong))
    return found


def subjects(file: Path) -> list[tuple[str, str]]:
    """Each prompt once, with the subject that its data set gives it. Raises NoData as `pairs`."""
    return _rows("select distinct prompt, subset from read_parquet($file) order by prompt, subset", file)


def _rows(question: str, file: Path, **values: str) -> list[Any]:
    try:
        return duckdb.execute(question, {"file": str(file), **values}).fetchall()
    except duckdb.Error as error:
        raise NoData(f"{file} cannot be read: {str(error).splitlines()[0]}") from None
