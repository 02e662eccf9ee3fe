"""From plans and recorded answers to sums: what would have been chosen, and what it would have cost."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gateway.core.pricing import Price
from gateway.core.replay import Kind
from gateway.core.replay_cost import Bools, Floats, Usages, costs_usd
from gateway.core.replay_sums import Sums
from gateway.core.signals import Signals
from gateway.flow.replay import Plan, Planned

Slice = tuple[str, str]  # route, task
NONE = "-"


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back, one element a request; NaN is unknown."""

    answered: Bools  # content was delivered
    counted: Bools  # its usage is known
    usages: Usages
    cost_usd: Floats  # of the answer alone
    failed_usd: Floats  # of the attempts before it
    saved_usd: Floats
    signals: Signals
    at_s: Floats

    def some(self, rows: Bools) -> "Answers":
        """Those of `rows`."""
        of = self.usages
        usages = Usages(
            of.input[rows], of.cached_input[rows], of.cache_write[rows],
            of.output[rows], of.reasoning[rows], of.requests[rows],
        )  # fmt: skip
        seen = self.signals
        signals = Signals(seen.feedback[rows], seen.form[rows], seen.asked_again[rows], seen.broken_off[rows])
        return Answers(
            self.answered[rows], self.counted[rows], usages, self.cost_usd[rows], self.failed_usd[rows],
            self.saved_usd[rows], signals, self.at_s[rows],
        )  # fmt: skip


def tally(
    kind: Kind, planned: Planned, answers: Answers, prices: Mapping[str, Price | None]
) -> dict[Slice, Sums]:
    """The sums of requests of one kind."""
    found: dict[Slice, Sums] = {}
    for number, plan in enumerate(planned.plans):
        of = planned.which == number
        for stays in (False, True):
            rows = of & (planned.stays == stays)
            if rows.any():
                chosen = plan.favoured if stays else plan.first
                slice_ = (plan.route or kind.route or NONE, kind.task or NONE)
                found.setdefault(slice_, Sums()).add(_one(kind, plan, chosen, answers.some(rows), prices))
    return found


def _one(
    kind: Kind, plan: Plan, chosen: str | None, answers: Answers, prices: Mapping[str, Price | None]
) -> Sums:
    """Requests that all go to `chosen`."""
    count = len(answers.at_s)
    then = kind.answered or kind.first
    sums = Sums(
        requests=count,
        answered=int(answers.answered.sum()),
        failed_usd=float(np.nansum(answers.failed_usd)),
        signals=Counter(answers.signals.counts()),
        partial=count if plan.partial else 0,
        rerouted=count if plan.rerouted else 0,
    )
    for why, endpoints in plan.excluded:
        sums.excluded[why] = endpoints * count
    if chosen is None:
        sums.unserved = count
        sums.refusals[plan.refused or NONE] = count
        sums.unpriced = sums.answered
        return sums
    if chosen == then:
        _quality(sums, answers)
        if not kind.escalated:
            sums.plain_known, sums.plain_poor = sums.known, sums.poor
    elif then is not None:
        sums.moved = count
        sums.moves[then, chosen] = count
    _price(sums, chosen, plan.baseline, answers, prices)
    return sums


def _quality(sums: Sums, answers: Answers) -> None:
    """What is known of answers that would come from the same endpoint."""
    scores = answers.signals.scores()
    known = answers.answered & answers.signals.two_sided()
    sums.same = int(answers.answered.sum())
    sums.known, sums.good = int(known.sum()), int((scores[known] > 0).sum())
    sums.poor = int((scores[known] < 0).sum())
    sums.bad = int((answers.answered & answers.signals.useless()).sum())


def _price(
    sums: Sums, chosen: str, baseline: str | None, answers: Answers, prices: Mapping[str, Price | None]
) -> None:
    """Costs of the answers whose usage and cost are known."""
    price = prices.get(chosen)
    known = answers.answered & answers.counted & ~np.isnan(answers.cost_usd)
    if price is None:
        known = np.zeros_like(known)
    sums.priced = int(known.sum())
    sums.unpriced = sums.answered - sums.priced
    if price is None or not sums.priced:
        return
    some = answers.some(known)
    now_usd = costs_usd(price, some.usages, some.at_s)
    sums.recorded_usd, sums.replayed_usd = float(some.cost_usd.sum()), float(now_usd.sum())
    sums.recorded_saved_usd = float(np.nansum(some.saved_usd))
    against = None if baseline is None else prices.get(baseline)
    if against is not None:
        sums.baselined = sums.priced
        sums.baseline_usd = float(costs_usd(against, some.usages, some.at_s).sum())
        sums.saved_usd = sums.baseline_usd - sums.replayed_usd
