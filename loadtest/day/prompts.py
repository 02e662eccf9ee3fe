"""What is asked on the scripted day: short work of three tasks, some of it harder, no prompt twice.

Pure: the same seed makes the same prompts.
"""

from dataclasses import dataclass
from random import Random

HARD = "in detail"  # in every harder prompt, and in no other

_OPENINGS = {
    "summarization": ("Summarize this note", "Summarize the report", "Summarize what was said"),
    "extraction": ("Extract all dates and amounts", "Extract the names and numbers", "Extract every date and place"),
    "email": ("Write an email to the customer", "Write an email to our landlord", "Write an email to the supplier"),
}
_HARDER = {
    "summarization": f" {HARD} and compare both positions",
    "extraction": f" {HARD} and justify the choice",
    "email": f" that explains the contract {HARD}",
}
TASKS = tuple(_OPENINGS)
_ROUND = ("summarization", "extraction", "summarization", "extraction", "email")  # emails are rarer
_HARD_SHARE = 0.3
_WHO = ("Ms Okafor", "the Lisbon office", "Mr Lindqvist", "the night shift", "Ms Tanaka", "our carrier", "Mr Haddad")
_WHAT = (
    "the delivery of {number} chairs came on {day}, and some were broken",
    "invoice {number} over ${amount} is due on {day}",
    "the meeting of {day} ended without a vote on item {number}",
    "room {number} was cold again, and the bill for the repair on {day} was ${amount}",
    "{number} visitors came on {day}, and the cloakroom was closed",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the day."""

    task: str
    prompt: str

    @property
    def hard(self) -> bool:
        return HARD in self.prompt


class Prompts:
    """An endless supply."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._serial = 0

    def next(self) -> Asked:
        dice, task = self._dice, _ROUND[self._serial % len(_ROUND)]
        self._serial += 1
        harder = _HARDER[task] if dice.random() < _HARD_SHARE else ""
        facts = "; ".join(f"{dice.choice(_WHO)} says that {self._fact()}" for _ in range(dice.randint(1, 3)))
        return Asked(task, f"{dice.choice(_OPENINGS[task])}{harder}: {facts}.")

    def _fact(self) -> str:
        dice = self._dice
        return dice.choice(_WHAT).format(
            number=self._serial * 10 + dice.randint(0, 9),
            day=f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
            amount=f"{dice.randint(20, 9000)}.{dice.randint(0, 99):02}",
        )
