"""Whether what was judged on the day is true: the export of its pairs beside what the script knows. Pure.

A second answer may come after the afternoon's change to a request from before it, so either truth will do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from loadtest.day.config import SMALL
from loadtest.day.prompts import Asked
from loadtest.day.truth import AFTERNOON, MORNING, loss

Json = Any  # a parsed JSON value

_GAINS = {"lower": -1.0, "tie": 0.0, "both_bad": 0.0, "upper": 1.0}
_HEADING = "### user\n\n"  # how people are shown the prompt


@dataclass(frozen=True, slots=True)
class Agreement:
    judged: int
    wrong: int  # of them


def agreement(export: bytes) -> Agreement:
    """`export`: what `pointsman evaluations export` writes."""
    rows = (orjson.loads(line) for line in export.splitlines())
    found = [_right(row, verdict) for row in rows for verdict in _verdicts(row)]
    return Agreement(len(found), found.count(False))


def _verdicts(row: Mapping[str, Json]) -> Iterable[str]:
    return (one["verdict"] for one in row.get("judgements") or () if one["verdict"] in _GAINS)


def _right(row: Mapping[str, Json], verdict: str) -> bool:
    asked = Asked(row["task"], row["prompt"].removeprefix(_HEADING))
    return _GAINS[verdict] in {loss(asked, SMALL, rules) for rules in (MORNING, AFTERNOON)}
