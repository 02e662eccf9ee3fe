"""The configuration of the scripted day: everything that is simulated, one route, and evaluation on it.

The numbers are those of a team in a hurry: half of the traffic is compared, and a loss of 5 % is allowed. Three hundred
judged pairs of a task can prove that; 1 % would take thousands.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from loadtest.day.prompts import TASKS

Json = Any  # a parsed JSON value

ROUTE = "default"
MAX_LOSS = 0.05
CONFIDENCE = 0.95
SHARE = 0.5
LOWER, UPPER = "small", "medium"
BIG, SMALL = "open-70b", "open-8b"  # the models that the two tiers come down to: the cheapest of each
JUDGE = "sim-claude/claude-sim-mid"  # of neither answer's model


def day_yaml(providers: Mapping[str, Json], by: str) -> str:
    """`providers`: the rows of the simulated vendors; `by`: who makes the score, as in `classify.by`."""
    evaluate = {
        "share": SHARE,
        "against": UPPER,
        "budget_usd_per_day": 5,
        "judge": JUDGE,
        "max_loss": MAX_LOSS,
        "confidence": CONFIDENCE,
    }
    text = {
        "providers": dict(providers),
        "classify": {"by": by, "task_tiers": dict.fromkeys(TASKS, UPPER)},
        "routes": [{"name": ROUTE, "baseline": "sim-fast/open-70b", "evaluate": evaluate}],
    }
    return yaml.safe_dump(text, sort_keys=False)
