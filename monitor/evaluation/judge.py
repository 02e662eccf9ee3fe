"""Has a model judge a pair: in both orders, within the route's budget.

Asks only the endpoints that the gateway named for it, and of them those that may still see the texts. What is asked and
what the words mean is `judging`'s business.
"""

from dataclasses import dataclass

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import REASONING, Endpoint
from gateway.formats import codec
from gateway.formats.registry import surface as surface_named
from monitor.evaluation.asking import NoAnswer, NotNow
from monitor.evaluation.calling import Call, Caller, CallFailed, Unfit
from monitor.evaluation.judging import MOST_OUTPUT, MOST_REASONING_OUTPUT, Word, body, question, read_word, verdict_of
from monitor.evaluation.pairs import By, Judgement, Pair, Unjudged, Verdict
from monitor.evaluation.spending import Spending
from monitor.ports import Clock

MOST_JUDGES = 3
TRIES = 2  # of each order, where the words cannot be read


class Judge:
    def __init__(self, caller: Caller, spending: Spending, clock: Clock) -> None:
        self._caller = caller
        self._spending = spending
        self._clock = clock

    async def judge(self, unjudged: Unjudged, budget_usd: float) -> Judgement:
        """The judgement of the first that can give one: SKIP where its words cannot be read.

        Raises:
            OverBudget: what is left of the day does not pay for it.
            NotNow: whoever could judge failed.
            NoAnswer: nobody can judge, or may.
            StoreError: the money cannot be accounted for, so none is spent.
        """
        if (why := self._caller.withheld(unjudged.terms)) is not None:
            raise NoAnswer(why)
        reasons: list[str] = []
        curable = False
        for endpoint_id in _ordered(unjudged.pair, unjudged.judges):
            try:
                verdict = await self._asked(unjudged, endpoint_id, budget_usd)
            except Unfit as error:
                reasons.append(f"{endpoint_id}: {error}")
            except CallFailed as error:
                reasons.append(f"{endpoint_id}: {error}")
                curable |= error.curable
            else:
                decision = unjudged.pair.facts.decision
                return Judgement(decision, endpoint_id, By.MODEL, verdict, self._clock.epoch_s())
        raise (NotNow if curable else NoAnswer)("; ".join(reasons))

    async def _asked(self, unjudged: Unjudged, endpoint_id: str, budget_usd: float) -> Verdict:
        calls, route = self._calls(unjudged, endpoint_id), unjudged.pair.facts.route
        bound_usd = TRIES * sum(call.bound_usd for call in calls)
        if bound_usd > budget_usd:
            raise Unfit("one judgement may cost more than the budget of a whole day")
        aside = await self._spending.set_aside(route, bound_usd, budget_usd, self._clock.epoch_s())
        bill = _Bill()
        try:
            lower_first = await self._word(calls[0], bill)
            upper_first = None if lower_first is None else await self._word(calls[1], bill)
        except (CallFailed, Unfit) as error:
            await aside.settle(bill.usd + error.charged_usd)
            raise
        await aside.settle(bill.usd)
        if lower_first is None or upper_first is None:
            return Verdict.SKIP
        return verdict_of(lower_first, upper_first)

    async def _word(self, call: Call, bill: "_Bill") -> Word | None:
        for _ in range(TRIES):
            said = await self._caller.send(call)
            bill.usd += said.charged_usd
            if (word := read_word(said.text)) is not None:
                return word
        return None

    def _calls(self, unjudged: Unjudged, endpoint_id: str) -> tuple[Call, Call]:
        """With the lower tier's answer first, and second. Raises Unfit."""
        endpoint = self._caller.endpoint(endpoint_id)
        if endpoint is None:
            raise Unfit("no such endpoint is configured")
        most_output = MOST_REASONING_OUTPUT if REASONING in endpoint.caps else MOST_OUTPUT
        pair, terms = unjudged.pair, unjudged.terms
        lower, upper = pair.lower.text, pair.upper.text
        one, other = (
            self._caller.prepare(_ask(endpoint, question(pair.prompt, *answers)), endpoint_id, most_output, terms)
            for answers in ((lower, upper), (upper, lower))
        )
        return one, other


@dataclass(slots=True)
class _Bill:
    usd: float = 0.0


def _ordered(pair: Pair, judges: tuple[str, ...]) -> list[str]:
    """Those first that do not judge their own answer: models favour it (Panickssery et al., arXiv 2404.13076)."""
    own = {pair.lower.endpoint, pair.upper.endpoint}
    return sorted(judges, key=lambda judge: judge in own)[:MOST_JUDGES]


def _ask(endpoint: Endpoint, material: str) -> Ask:
    sampled = () if "no_sampling" in endpoint.quirks else (("temperature", 0),)
    asked = body(endpoint.model, material, sampled)
    return surface_named(Surface.CHAT).parse(asked, len(codec.dumps(asked)), {})
