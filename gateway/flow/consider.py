"""From a parsed request to its plan: route, sensitivity, task, tier, candidates, order.

Each stage is a pure function of `core`; this file calls them in the order of CONTRACT §5 and remembers what equal
requests have in common (the screening of endpoints). It sends nothing, so `/v1/explain` is exactly this.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_

from msgspec.structs import replace

from gateway.core import estimate, routes
from gateway.core.ask import Ask, Surface
from gateway.core.classify import Classification
from gateway.core.decision import Considered, session_hash
from gateway.core.escalation import Escalation, corrected
from gateway.core.extras import Extras
from gateway.core.named import Named, Naming, UnknownModel, resolve
from gateway.core.opinion import refined
from gateway.core.plan import Health, Ordered, Sizes, Step, Wishes, order
from gateway.core.policy import NamedModel, Objective, Route
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.core.routes import Taken
from gateway.core.sensitivity import labels_of
from gateway.flow.baseline import baseline_of
from gateway.flow.comparable import step_of
from gateway.flow.detect import LARGE_BYTES, detected, detected_with_pauses
from gateway.flow.exclusions import Exclusions
from gateway.flow.refuse import Empty, Unroutable, nothing_left
from gateway.flow.run import Request
from gateway.flow.screening import Screening, name_a_model
from gateway.flow.stage import Client, Moment, Stage
from gateway.flow.turns import in_turn, tries_in_all
from gateway.flow.world import World

# A member of an enum costs ten times a name (Python 3.11), and every request asks for these.
_AUTO, _TIER, _MODEL = Naming.AUTO, Naming.TIER, Naming.MODEL
_COUNT_TOKENS = Surface.COUNT_TOKENS


class Planner:
    """Makes plans in one `World`. Holds the memo of screenings and the accounts of escalating routes."""

    def __init__(
        self,
        world: World,
        health: Callable[[float], Health],
        keyless: Callable[[], frozenset[str]],
        accounts: Mapping[str, Escalation] | None = None,
    ) -> None:
        """`accounts`: those of the planner before, so that a reload does not forget who was escalated."""
        self.world = world
        self._health = health
        self.keyless = keyless
        self.screening = Screening(world, keyless, self._resolved)
        self._exclusions = Exclusions()
        self.accounts = _accounts(world, accounts or {})

    async def considered(self, ask: Ask, extras: Extras, client: Client, moment: Moment) -> Considered:
        """As `consider`, and others run while a large request is scanned."""
        found = None
        if ask.bytes > LARGE_BYTES:
            found = await detected_with_pauses(self.world.scanner, ask)
        return self.consider(ask, extras, client, moment, found)

    def consider(
        self, ask: Ask, extras: Extras, client: Client, moment: Moment, found: bool | None = None
    ) -> Considered:
        """Make the plan of a request.

        Args:
            ask, extras: the parsed request and its own wishes.
            client, moment: who asks, and when the request came in.
            found: whether it holds personal data, where that is known already.

        Raises:
            Unroutable: no endpoint may or can serve it; the refusal says why and what would help.
            Refused: it names what there is not.
        """
        stage = self._staged(ask, extras, client, moment, found)
        sizes, wishes = self._sizes(stage), self._wishes(stage)
        health = self._health(moment.now_s)
        ordered, excluded = self._ordered(stage, sizes, wishes, health)
        attempts = _most_attempts(stage, ordered)
        steps, others, panic = in_turn(ordered, health, attempts, stage.extras.tries)
        if len(ordered) > 1 and not panic:
            excluded = _without(excluded, steps + others)
        considered = Considered(
            route=stage.route,
            variant=stage.variant,
            labels=stage.labels,
            task=stage.found.task,
            task_confidence=stage.found.confidence,
            task_reasons=stage.found.reasons,
            difficulty=stage.found.difficulty,
            tier_required=stage.tier,
            escalated=stage.escalated,
            session=session_hash(ask, extras),
            steps=steps,
            others=others,
            excluded=excluded,
            estimated_input=sizes.input,
            input_bound=sizes.input_bound,
            estimated_output=sizes.output,
            budget_usd=wishes.budget_usd,
            baseline=baseline_of(stage.route, stage.named, steps + others, self.world.prices),
            panic=panic,
            attempts=attempts,
            opinion=stage.found.opinion,
            step=stage.step,
            certificate=stage.certificate,
        )
        if not steps:
            raise _unroutable(stage, ordered, health, considered)
        return considered

    def beside(self, request: Request, considered: Considered, tier: int) -> tuple[Step, ...]:
        """Who would be asked, the best first, if this request whose plan is made needed just `tier`.

        All that was demanded of the plan is demanded here too. The scanner is not asked again, nor who is escalated.
        """
        ask, extras, moment = request.ask, request.extras, request.moment
        _, named = self._taken(ask, extras, request.client)
        task, reasons = considered.task, considered.task_reasons
        opening_task = self._opening_task(ask, extras, task)
        found = Classification(task, considered.task_confidence, considered.difficulty, reasons)
        stage = Stage(
            ask, extras, named, considered.route, considered.variant, considered.labels, found,
            tier=tier, home_tier=min(tier, self.world.policy.task_tiers.get(opening_task, 0)),
            opening_task=opening_task, escalated=considered.escalated, moment=moment,
        )  # fmt: skip
        health = self._health(moment.now_s)
        ordered, _ = self._ordered(stage, self._sizes(stage), self._wishes(stage), health)
        steps, others, _ = in_turn(ordered, health, len(self.world.policy.catalog.endpoints))
        return steps + others

    def aside(self) -> "Planner":
        """A planner for questions: it has the same knowledge, and its escalations do not count."""
        accounts = {name: account.copy() for name, account in self.accounts.items()}
        return Planner(self.world, self._health, self.keyless, accounts)

    # -- route, sensitivity, task, tier ---------------------------------------------------------------------------

    def _staged(self, ask: Ask, extras: Extras, client: Client, moment: Moment, personal: bool | None) -> Stage:
        policy = self.world.policy
        taken, named = self._taken(ask, extras, client)
        route = taken.route
        if personal is None:
            personal = detected(self.world.scanner, ask)
        labels = labels_of(policy, taken.floors, extras.sensitivity, found=personal)
        found = self._classified(ask, extras)
        naming = named.naming
        asked = ask.surface is not _COUNT_TOKENS  # a count is no answer, so it takes none of the share
        escalated = asked and naming is _AUTO and self._escalated(route, _difficulty(route, found))
        floor = _higher(extras.tier, _higher(route.tier_min, named.tier))
        if escalated and route.escalate is not None:
            floor = _higher(floor, route.escalate.to)
        opening_task = self._opening_task(ask, extras, found.task)
        tier = home_tier = floor
        certificate = step = None
        if naming is _AUTO or (naming is _TIER and named.name != NamedModel.TIER):
            tier = _higher(floor, policy.task_tiers.get(found.task))
            home_tier = tier if opening_task == found.task else _higher(floor, policy.task_tiers.get(opening_task))
            if route.evaluate is not None and tier is not None:
                step = step_of(route, ask, labels, tier, floor or 0)
                if step is not None and self.world.grounds:
                    found, certificate = self._granted(route, found, ask.survey.prompt, step, moment)
                    if certificate is not None:
                        tier, home_tier = step, home_tier and home_tier - 1
        if route.tier_max is not None:
            tier, home_tier = _capped(tier, route.tier_max), _capped(home_tier, route.tier_max)
        variant = routes.variant_of(route, extras.session or ask.survey.prefix_hash) if route.split else None
        return Stage(
            ask, extras, named, route, variant, labels, found,
            tier=tier, home_tier=home_tier or 0, opening_task=opening_task, escalated=escalated, moment=moment,
            step=step, certificate=certificate,
        )  # fmt: skip

    def _taken(self, ask: Ask, extras: Extras, client: Client) -> tuple[Taken, Named]:
        """The route, and what the model's name means on it; where it means nothing, any name will do."""
        policy, unknown = self.world.policy, None
        try:
            named = self._resolved(ask.model)
        except Refused as refused:
            named, unknown = Named(_AUTO, ask.model), refused
        taken = routes.take(policy, client.headers, client.key_id, ask.model, extras.route or named.route)
        if unknown is not None and taken.route.named_model is not NamedModel.ANY:
            raise unknown
        return taken, self._on_route(named, taken.route, ask)

    def _resolved(self, name: str, param: str = "model") -> Named:
        try:
            return resolve(name, self.world.policy, self.world.names)
        except UnknownModel as error:
            raise Refused(Refusal(RefusalKind.MODEL_NOT_FOUND, str(error), param=param)) from None

    def _on_route(self, named: Named, route: Route, ask: Ask) -> Named:
        """What the name means on this route."""
        if ask.chat is None:
            if named.naming not in (_AUTO, _TIER):
                return named
            pinned = self._pinned(route, ask)
            if pinned is None:
                raise Refused(Refusal(RefusalKind.INVALID_REQUEST, name_a_model(ask), param="model"))
            return pinned
        if named.naming is _AUTO and route.models:
            return self._pinned(route, ask) or named
        if named.naming is not _MODEL:
            return named
        match route.named_model:
            case NamedModel.EXACT:
                return named
            case NamedModel.ANY:
                return self._pinned(route, ask) or Named(_AUTO, named.name)
            case NamedModel.TIER:
                endpoints = self.world.policy.catalog.endpoints
                tier = reduce(_higher, (endpoints[name].tier for name in named.endpoints))
                if tier is None:  # what is unknown cannot be compared, so nothing else is known to be as good
                    return named
                return Named(_TIER, NamedModel.TIER.value, tier=tier, endpoints=named.endpoints)

    def _pinned(self, route: Route, ask: Ask) -> Named | None:
        """The models that `auto` means on this route, as far as they can be asked for this.

        Only conversations may go to any of several: vectors, scores and voices of two models cannot be compared.
        """
        endpoints, operation = self.world.policy.catalog.endpoints, ask.surface.operation
        found: dict[str, None] = {}
        for name in route.models:
            able = [one for one in self._resolved(name).endpoints if endpoints[one].operation is operation]
            found.update(dict.fromkeys(able))
            if able and ask.chat is None:
                break
        return Named(_MODEL, ", ".join(route.models), endpoints=tuple(found)) if found else None

    def _classified(self, ask: Ask, extras: Extras) -> Classification:
        if ask.chat is None:
            return Classification(ask.surface.operation.value, 1.0, 0.0, ())
        found = self.world.classifier.classify(ask.survey.prompt)
        if extras.task is not None:
            found = replace(found, task=extras.task, confidence=1.0, reasons=("x-pointsman-task",), decided=True)
        return self._refined(found, ask.survey.prompt)

    def _refined(self, found: Classification, prompt: str) -> Classification:
        """With the word of the learned model, where there is one."""
        policy, judge = self.world.policy, self.world.judge
        if judge is None:
            return found
        return refined(found, prompt, judge, policy.classify_by, policy.task_tiers, len(policy.tiers) - 1)

    def _granted(
        self, route: Route, found: Classification, prompt: str, step: int, moment: Moment
    ) -> tuple[Classification, str | None]:
        """The id of the certificate that lets this prompt go to tier `step`, one lower than the rules ask."""
        grounds, evaluate = self.world.grounds, route.evaluate
        if grounds is None or evaluate is None or not evaluate.auto:
            return found, None
        certificate = grounds.of(route.name, found.task, step, moment.epoch_s)
        if certificate is None:
            return found, None
        judge, score = self.world.judge, found.difficulty
        if judge is not None:
            opinion = judge.judge(prompt, step)
            if opinion is None:
                return found, None
            found, score = replace(found, opinion=opinion), opinion.score
        return found, certificate.id if score < certificate.threshold else None

    def _escalated(self, route: Route, difficulty: float) -> bool:
        account = self.accounts.get(route.name)
        return account is not None and account.decide(difficulty)

    def _opening_task(self, ask: Ask, extras: Extras, task: str) -> str:
        """What the conversation's first request was, judged as it was then."""
        if not ask.survey.turns or ask.survey.opening == ask.survey.prompt or extras.task is not None:
            return task
        opening = ask.survey.opening
        return self._refined(self.world.classifier.classify(opening), opening).task

    # -- candidates, order -------------------------------------------------------------------------------------------

    def _sizes(self, stage: Stage) -> Sizes:
        ask = stage.ask
        tokens = estimate.input_tokens(ask)
        later = ask.survey.turns > 0
        return Sizes(
            input=tokens,
            output=estimate.output_tokens(ask, stage.found.task),
            input_bound=estimate.input_bound(ask),
            cached_if_home=max(0, tokens - estimate.text_tokens(ask.survey.prompt)) if later else 0,
            opening_input=estimate.opening_tokens(ask) if later else 0,
            opening_output=estimate.output_tokens(ask, stage.opening_task) if later else 0,
            choices=1 if ask.chat is None else ask.chat.n,
            fees=1 if ask.passed is None else ask.passed.units,
            passed=ask.passed is not None,
        )

    def _wishes(self, stage: Stage) -> Wishes:
        rules, route, extras = stage.extras.provider, stage.route, stage.extras
        objective = route.objective
        if rules.sort is not None:
            objective = Objective.COST if rules.sort == "price" else Objective.LATENCY
        budget_usd = route.limits.cost_per_request_usd
        if extras.max_cost_usd is not None and (budget_usd is None or extras.max_cost_usd < budget_usd):
            budget_usd = extras.max_cost_usd
        return Wishes(
            objective=objective,
            session=extras.session or stage.ask.survey.prefix_hash,
            at_s=stage.moment.epoch_s,
            first_token_p95_ms=route.first_token_p95_ms,
            budget_usd=budget_usd,
            max_price=rules.max_price,
            max_tokens=stage.ask.survey.max_tokens,
            by_throughput=rules.sort == "throughput",
            prefer=rules.order or (stage.variant.prefer if stage.variant else ()),
            home_tier=stage.home_tier,
        )

    def _ordered(
        self, stage: Stage, sizes: Sizes, wishes: Wishes, health: Health
    ) -> tuple[list[Ordered], Mapping[str, tuple[str, ...]]]:
        """Every group, judged, and who fell out."""
        screenings = self.screening.of(stage)
        ordered = [order(one.eligible, self.world.prices, sizes, health, wishes) for one in screenings]
        fallen = [
            self._exclusions.of(screened, judged.excluded)
            for screened, judged in zip(screenings, ordered, strict=True)
        ]
        return ordered, fallen[0] if len(fallen) == 1 else reduce(or_, map(dict, fallen))


def _difficulty(route: Route, found: Classification) -> float:
    """By which the most difficult are told; the record has the prompt's own."""
    escalate = route.escalate
    if escalate is None or not escalate.bad:
        return found.difficulty
    return corrected(found.difficulty, escalate.bad.get(found.task, 0.0))


def _higher(one: int | None, other: int | None) -> int | None:
    """The higher of two tiers, where any is stated."""
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)


def _without(excluded: Mapping[str, tuple[str, ...]], steps: Iterable[Step]) -> Mapping[str, tuple[str, ...]]:
    """What one group excludes, another may have let in."""
    let_in = {step.endpoint.id for step in steps}
    return {name: reasons for name, reasons in excluded.items() if name not in let_in}


def _capped(tier: int | None, most: int) -> int | None:
    """What may be required at most (`tier.max`)."""
    return most if tier is not None and tier > most else tier


def _unroutable(stage: Stage, ordered: list[Ordered], health: Health, considered: Considered) -> Unroutable:
    limited = [health.ill[step.endpoint.id] for group in ordered for step in group.ill]
    empty = Empty(stage.ask, stage.labels, ordered, considered.excluded, limited)
    return Unroutable(nothing_left(empty, stage.moment.now_s), considered)


def _most_attempts(stage: Stage, ordered: list[Ordered]) -> int:
    """With an `order` and no fallbacks the request's own list is tried (OpenRouter, "Provider selection")."""
    rules, most = stage.extras.provider, stage.route.limits.attempts
    if rules.allow_fallbacks is False and not rules.order:
        return 1
    return most if stage.extras.tries is None else tries_in_all(ordered, stage.extras.tries, most)


def _accounts(world: World, before: Mapping[str, Escalation]) -> dict[str, Escalation]:
    """An account for each escalating route; one whose share has not changed goes on."""
    found = {}
    for route in world.policy.routes:
        if route.escalate is not None:
            account = before.get(route.name)
            kept = account is not None and account.share == route.escalate.share
            found[route.name] = account if account is not None and kept else Escalation(route.escalate.share)
    return found
