"""Two answers to one request, the judgements on them, and the gain that they amount to.

Pure values. Who may see a pair when, and where it is kept, is the store's business.
"""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from gateway.core.policy import Requirement


class Verdict(StrEnum):
    """Which tier's answer was the better one."""

    LOWER = "lower"
    UPPER = "upper"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    SKIP = "skip"  # says nothing


class By(StrEnum):
    """Who judged."""

    PEOPLE = "people"
    MODEL = "model"
    SAME = "same"  # nobody had to: both tiers' answers would have come from one endpoint


GAINS = {Verdict.LOWER: -1.0, Verdict.UPPER: 1.0, Verdict.TIE: 0.0, Verdict.BOTH_BAD: 0.0}


class Answer(Struct, frozen=True):
    endpoint: str
    text: str
    cost_usd: float | None


class Facts(Struct, frozen=True):
    """What is known of a pair without its texts; it outlives them."""

    decision: str
    time_s: float  # epoch, of the request
    route: str
    task: str
    step: int  # the lower tier; the upper one is `step + 1`
    score: float
    model: str  # fingerprint of what made the score
    probability: float  # with which the request was drawn
    certificate: str | None  # under which it was served by the lower tier


class Pair(Struct, frozen=True):
    """A complete pair, as it is judged."""

    facts: Facts
    prompt: str  # the conversation as people read it
    lower: Answer
    upper: Answer


class Terms(Struct, frozen=True):
    """On which the texts of a request may be shown to a provider; what that means, the configuration in force says."""

    route: str
    labels: tuple[str, ...] | None  # names; None: nobody knows which it carries
    require: Requirement  # what the request itself demands


class Unjudged(Struct, frozen=True):
    """A pair that a model may judge."""

    pair: Pair
    judges: tuple[str, ...]  # endpoints, as the gateway named them
    terms: Terms


class Judgement(Struct, frozen=True):
    decision: str
    scorer: str  # a person's name as given, or the endpoint of a model
    by: By
    verdict: Verdict
    time_s: float


class Judged(Struct, frozen=True):
    """A pair with what it amounts to: `gain` in [-1, 1] is how much better the upper tier's answer was."""

    facts: Facts
    gain: float
    by: By  # whose judgement counted
    judged_s: float  # epoch, the last judgement that counted


class Drawn(Struct, frozen=True):
    """A request that was drawn, whatever has become of its pair; of costs nothing is known before both answers are
    there."""

    facts: Facts
    lower: bool  # it was served by the lower tier
    costs_usd: tuple[float, float] | None  # of the lower tier's answer and of the upper one's


def weighed(facts: Facts, judgements: Iterable[Judgement]) -> Judged | None:
    """What the judgements amount to: people's mean, else the models'; None: nothing yet."""
    said = [one for one in judgements if one.verdict is not Verdict.SKIP]
    for by in (By.SAME, By.PEOPLE, By.MODEL):
        counting = [one for one in said if one.by is by]
        if counting:
            gain = sum(GAINS[one.verdict] for one in counting) / len(counting)
            return Judged(facts, gain, by, max(one.time_s for one in counting))
    return None
