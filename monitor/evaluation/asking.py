"""The second answer to a request: asked of the endpoints that the gateway's plan for the other tier names, in turn.

Never of anybody else: the gateway has decided who may see the request at most, and at each call the configuration says
who of them still may. Nor, where one of them fails just now, of an endpoint of another tier: its answer would be as
good as the first one, or the first one itself, and many such pairs would certify what the tier that failed was never
compared for.
"""

from gateway.core.ask import Ask
from gateway.core.evaluation import Half
from monitor.evaluation.calling import Caller, CallFailed, Unfit
from monitor.evaluation.pairs import Answer, Terms
from monitor.evaluation.spending import Spending
from monitor.ports import Clock

MOST_ENDPOINTS = 3
MOST_OUTPUT = 16_384
"""Tokens, where the client set no limit: a cost without a limit has no bound. Longer than nearly every answer; one that
ends here is not compared, since the first one had no such limit."""


class NoAnswer(Exception):
    """None will come; the message says why, without content."""


class NotNow(Exception):
    """None came, but one may later."""


class Asker:
    def __init__(self, caller: Caller, spending: Spending, clock: Clock) -> None:
        self._caller = caller
        self._spending = spending
        self._clock = clock

    async def second(self, half: Half, ask: Ask, budget_usd: float) -> Answer | None:
        """The other tier's answer; None where it would come from the endpoint that gave the first.

        Args:
            half: says whom to ask.
            ask: its request, for one whole answer.
            budget_usd: the route's, for the whole day.

        Raises:
            OverBudget: what is left of the day does not pay for it.
            NotNow: who was to answer failed, and may do so later.
            NoAnswer: nobody can, or may.
            StoreError: the money cannot be accounted for, so none is spent.
        """
        if (why := self._caller.withheld(_terms(half))) is not None:
            raise NoAnswer(why)
        reasons: list[str] = []
        missed: set[int | None] = set()  # tiers of those that may answer later
        for endpoint_id in half.others[:MOST_ENDPOINTS]:
            if missed and (endpoint_id == half.endpoint or self._tier(endpoint_id) not in missed):
                continue
            if endpoint_id == half.endpoint:
                return None
            try:
                return await self._asked(half, ask, endpoint_id, budget_usd)
            except Unfit as error:
                reasons.append(f"{endpoint_id}: {error}")
            except CallFailed as error:
                reasons.append(f"{endpoint_id}: {error}")
                if error.curable:
                    missed.add(self._tier(endpoint_id))
        if missed:
            raise NotNow("; ".join(reasons))
        raise NoAnswer("; ".join(reasons) or "the other tier has no endpoint for this request")

    def _tier(self, endpoint_id: str) -> int | None:
        endpoint = self._caller.endpoint(endpoint_id)
        return None if endpoint is None else endpoint.tier

    async def _asked(self, half: Half, ask: Ask, endpoint_id: str, budget_usd: float) -> Answer:
        call = self._caller.prepare(ask, endpoint_id, MOST_OUTPUT, _terms(half))
        if call.bound_usd > budget_usd:
            raise Unfit("one answer may cost more than the budget of a whole day")
        aside = await self._spending.set_aside(half.route, call.bound_usd, budget_usd, self._clock.epoch_s())
        try:
            said = await self._caller.send(call)
        except (CallFailed, Unfit) as error:
            await aside.settle(error.charged_usd)
            raise
        await aside.settle(said.charged_usd)
        if said.cut and call.limit == MOST_OUTPUT and ask.survey.max_tokens is None:
            raise NoAnswer(f"the second answer is longer than {MOST_OUTPUT:,} tokens")
        return Answer(endpoint_id, said.text, said.cost_usd)


def _terms(half: Half) -> Terms:
    return Terms(half.route, half.labels, half.require)
