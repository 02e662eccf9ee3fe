"""What nobody but the script knows: which answers of the day are good, and so what a cheaper one has really lost.

Pure. The small model does easy prompts nearly as well as the big one and hard ones much worse; emails it does badly. In
the afternoon a new version of it spoils one task.
"""

from collections.abc import Iterable

from loadtest.day.config import BIG, SMALL
from loadtest.day.prompts import HARD, Asked
from loadtest.quality import Quality, Rule

WORDS = {"summarization": "Summarize", "extraction": "Extract", "email": "email"}  # in every prompt of the task
SPOILED = "summarization"
_DRIFTED = 0.3

MORNING = (
    Rule(0.98, BIG),
    Rule(0.55, SMALL, (WORDS["email"],)),
    Rule(0.55, SMALL, (HARD,)),
    Rule(0.98, SMALL),
)
AFTERNOON = (Rule(_DRIFTED, SMALL, (WORDS[SPOILED],)), *MORNING)


def loss(asked: Asked, model: str, rules: Iterable[Rule]) -> float:
    """What it cost that `model` answered instead of the big one: 1, 0, or -1 where the big one would have failed."""
    quality = Quality(tuple(rules))
    return float(quality.does_well(BIG, asked.prompt)) - float(quality.does_well(model, asked.prompt))
