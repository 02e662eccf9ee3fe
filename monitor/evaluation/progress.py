"""How far the evaluation of a route's task is, and how far its judges agree. Pure values."""

from collections.abc import Iterable

from msgspec import Struct

from monitor.evaluation.pairs import GAINS, By, Judgement, Verdict


class Agreement(Struct, frozen=True):
    """How often two judges of one pair said the same: lower, upper, or neither (a tie and two bad answers are one)."""

    compared: int = 0
    agreed: int = 0

    @property
    def share(self) -> float | None:
        return self.agreed / self.compared if self.compared else None

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(self.compared + other.compared, self.agreed + other.agreed)


class Progress(Struct, frozen=True):
    """Of one route and task. Pairs that somebody skipped and nobody judged are not judged."""

    route: str
    task: str
    waiting: int  # for their second answer
    given_up: int  # never got one
    complete: int  # have both answers, judged or not
    by_people: int  # of these: judged by people,
    by_model: int  # by a model alone,
    same: int  # or by nobody, since both answers would have come from one endpoint
    mean_gain: float | None  # of all that are judged
    people_agree: Agreement  # people with each other
    model_agrees: Agreement  # models with people


def agreements(judgements: Iterable[Judgement]) -> tuple[Agreement, Agreement]:
    """Of one pair's judges: people with each other, models with people."""
    said = [one for one in judgements if one.verdict is not Verdict.SKIP]
    people = [GAINS[one.verdict] for one in said if one.by is By.PEOPLE]
    models = [GAINS[one.verdict] for one in said if one.by is By.MODEL]
    among = [(first, second) for index, first in enumerate(people) for second in people[index + 1 :]]
    between = [(model, person) for model in models for person in people]
    return _agreement(among), _agreement(between)


def _agreement(gains: list[tuple[float, float]]) -> Agreement:
    return Agreement(len(gains), sum(one == other for one, other in gains))
