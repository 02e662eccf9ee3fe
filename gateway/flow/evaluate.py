"""The first half of a pair of answers: who is drawn for it, and what is handed over once the answer has gone out.

Owns whom the second answer may be asked of at most, and who may judge: the labels and the request's own rules bind them
as they bound the first answer, and only here is known what those were. What they demand of data goes along, since it is
asked again when somebody is shown the texts, which may be days later. It asks nobody, and whether anybody takes what is
handed over makes no difference to the request.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gateway.core import screen
from gateway.core.ask import NOTHING
from gateway.core.catalog import Endpoint, Operation
from gateway.core.decision import Considered, Outcome
from gateway.core.evaluation import Half, drawn, headers_of
from gateway.core.named import UnknownModel, resolve
from gateway.core.plan import Health, Sizes, Wishes, order
from gateway.core.policy import Evaluate, Objective
from gateway.core.sensitivity import merged, of_rules
from gateway.flow.consider import Planner
from gateway.flow.keep import KEPT_BYTES
from gateway.flow.run import Run
from gateway.flow.world import World

OTHERS = 8  # endpoints for the second answer that are named; who asks tries the first few
JUDGES = 4
JUDGEMENT_TOKENS = 1_000  # of instructions and of the judgement itself: what a judge reads beside the pair, and says

log = logging.getLogger(__name__)


class Evaluator:
    """Draws requests and hands over their halves. One per process."""

    def __init__(self, hand_over: Callable[[Half], None]) -> None:
        """`hand_over` returns at once."""
        self._hand_over = hand_over

    def draws(self, request_id: str, considered: Considered) -> bool:
        """Whether this request's answer is to be kept for comparison."""
        evaluate = considered.route.evaluate
        return considered.step is not None and evaluate is not None and drawn(request_id, evaluate.share)

    def finished(self, run: Run, planner: Planner) -> None:
        """Hand over a request that was drawn, if its answer is whole; never raises: the answer has gone out.

        Args:
            planner: the one that made its plan.
        """
        try:
            half = half_of(run, planner)
            if half is not None:
                self._hand_over(half)
        except Exception:  # nobody waits for a comparison
            log.exception("request %s was drawn for evaluation and cannot be handed over", run.request.id)


def half_of(run: Run, planner: Planner) -> Half | None:
    """What there is to compare of this run; None: nothing."""
    considered, endpoint = run.considered, run.endpoint
    if considered is None or endpoint is None or run.outcome is not Outcome.OK or len(run.answer) >= KEPT_BYTES:
        return None
    evaluate, step, world = considered.route.evaluate, considered.step, planner.world
    score = None if step is None else score_of(run, considered, world, step)
    if evaluate is None or step is None or score is None:
        return None
    lower = considered.certificate is not None
    others = [one.endpoint for one in planner.beside(run.request, considered, step + 1 if lower else step)]
    if not others:
        return None
    pair = {endpoint, others[0].id}
    chat = run.request.ask.chat
    headers = headers_of(() if chat is None else chat.native_headers)
    if headers is None:
        return None
    return Half(
        decision=run.request.id,
        time_s=run.request.moment.epoch_s,
        route=considered.route.name,
        task=considered.task,
        step=step,
        score=score,
        model=world.fingerprint(),
        probability=evaluate.share,
        lower=lower,
        certificate=considered.certificate,
        surface=run.request.ask.surface.value,
        request=dict(run.request.ask.body),
        answer=run.answer.decode("utf-8", "replace"),
        endpoint=endpoint,
        cost_usd=run.rows[-1].cost_usd,
        others=tuple(one.id for one in others[:OTHERS]),
        judges=tuple(one.id for one in judges_of(run, considered, planner, pair)[:JUDGES]),
        budget_usd_per_day=evaluate.budget_usd_per_day,
        keep_s=evaluate.keep_s,
        labels=tuple(label.name for label in considered.labels),
        require=of_rules(run.request.extras.provider),
        headers=headers,
    )


def score_of(run: Run, considered: Considered, world: World, step: int) -> float | None:
    """How much the prompt needs the upper tier, as certificates see it; None where nothing was learned of the step."""
    if world.judge is None:
        return considered.difficulty
    opinion = world.judge.judge(run.request.ask.survey.prompt, step)
    return None if opinion is None else opinion.score


def judges_of(run: Run, considered: Considered, planner: Planner, pair: set[str]) -> list[Endpoint]:
    """Who may judge, the cheapest first; how they feel then nobody knows yet. None: only people.

    Whoever answered is no judge where somebody else is, nor is the same model elsewhere.
    """
    evaluate = considered.route.evaluate
    if evaluate is None or evaluate.judge == "people":
        return []
    world = planner.world
    try:
        eligible = _allowed(run, considered, evaluate, planner)
    except UnknownModel:  # its provider has no key here
        return []
    weights = {world.policy.catalog.endpoints[name].base_model for name in pair}
    apart = (
        [one for one in eligible if one.base_model not in weights]
        or [one for one in eligible if one.id not in pair]
        or eligible
    )
    written = considered.estimated_output if run.usage is None else run.usage.output
    sizes = Sizes(considered.estimated_input + 2 * written + JUDGEMENT_TOKENS, JUDGEMENT_TOKENS, None)
    wishes = Wishes(Objective.COST, session="", at_s=run.request.moment.epoch_s)
    return [step.endpoint for step in order(apart, world.prices, sizes, Health(), wishes).steps]


def _allowed(run: Run, considered: Considered, evaluate: Evaluate, planner: Planner) -> Sequence[Endpoint]:
    """Endpoints of the judge's model, or of the upper tier where none is named, that may see the request."""
    world, named = planner.world, evaluate.judge_model
    among = None if named is None else resolve(named, world.policy, world.names).endpoints
    demand = screen.Demand(
        operation=Operation.CHAT,
        among=among,
        named=named is not None,
        require=merged(considered.labels),
        needs=NOTHING,
        signed_by=NOTHING,
        tier=None if named is not None else evaluate.against,
        rules=run.request.extras.provider,
        inexpressible=(),
        keyless=planner.keyless(),
        today=datetime.fromtimestamp(run.request.moment.epoch_s, UTC).date(),
    )
    eligible = planner.screening.demanded(demand).eligible
    return eligible if named is not None else [one for one in eligible if one.tier == evaluate.against]
