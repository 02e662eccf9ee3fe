"""From a parsed request to its plan: route, sensitivity, task, tier, candidates, order.

Each stage is a pure function of `core`; this file calls them in the order of CONTRACT §5 and remembers what equal
requests have in common (the screening of endpoints). It sends nothing, so `/v1/explain` is exactly this.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from gateway.core import estimate, routes, screen
from gateway.core.ask import Ask, Surface, texts_of
from gateway.core.classify import Classification
from gateway.core.decision import Considered, session_hash
from gateway.core.escalation import Escalation
from gateway.core.extras import NO_EXTRAS, Extras
from gateway.core.named import Named, Naming, UnknownModel, resolve
from gateway.core.plan import Health, Ordered, Sizes, Step, Wishes, order
from gateway.core.policy import Label, NamedModel, Objective, Route, Variant
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.core.sensitivity import labels_of, merged
from gateway.flow.baseline import baseline_of
from gateway.flow.refuse import Empty, Unroutable, nothing_left
from gateway.flow.world import World
from gateway.formats.registry import wire_format

MEMO_LIMIT = 1_024  # different kinds of request remembered; one is about 1 KB
DAY_S = 86_400

Inexpressible = tuple[tuple[screen.Kind, frozenset[str]], ...]


class Client(Struct, frozen=True, gc=False):
    """Who asks, and with which headers (lower-cased names)."""

    key_id: str | None
    headers: Mapping[str, str]


class Moment(Struct, frozen=True, gc=False):
    """One instant on both clocks: Unix seconds for prices and dates, monotonic seconds for health and deadlines."""

    epoch_s: float
    now_s: float


class Group(Struct, frozen=True, gc=False):
    """Endpoints meant by one name, tried before those of the next name."""

    among: tuple[str, ...] | None  # None: all
    named: bool


class Stage(Struct, frozen=True, gc=False):
    """What the stages before the candidates have found."""

    ask: Ask
    extras: Extras
    named: Named
    route: Route
    variant: Variant | None
    labels: tuple[Label, ...]
    found: Classification
    tier: int | None
    home_tier: int  # tier that the conversation's first request needed: where its prompt cache is
    opening_task: str  # what that request was
    escalated: bool
    moment: Moment


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
        self._memo: dict[object, tuple[screen.Screened, ...]] = {}
        self.accounts = _accounts(world, accounts or {})

    def consider(self, ask: Ask, extras: Extras, client: Client, moment: Moment) -> Considered:
        """Make the plan of a request.

        Args:
            ask: the parsed request.
            extras: its own wishes.
            client: who asks.
            moment: when the request came in.

        Raises:
            Unroutable: no endpoint may or can serve it; the refusal says why and what would help.
            Refused: it names what there is not.
        """
        stage = self._staged(ask, extras, client, moment)
        sizes = self._sizes(stage)
        wishes = self._wishes(stage)
        health = self._health(moment.now_s)
        ordered, excluded = self._ordered(stage, sizes, wishes, health)
        steps, others, panic = _plan(stage, ordered, health)
        if len(ordered) > 1 and not panic:  # what one group excludes, another may have let in
            for step in (*steps, *others):
                excluded.pop(step.endpoint.id, None)
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
            baseline=baseline_of(stage.route, stage.named, (*steps, *others), self.world.prices),
            panic=panic,
            attempts=_most_attempts(stage),
        )
        if not steps:
            limited = [health.ill[step.endpoint.id] for group in ordered for step in group.ill]
            empty = Empty(ask, stage.labels, ordered, excluded, limited)
            raise Unroutable(nothing_left(empty, moment.now_s), considered)
        return considered

    def aside(self) -> "Planner":
        """A planner for questions: it has the same knowledge, and its escalations do not count."""
        return Planner(self.world, self._health, self.keyless, deepcopy(self.accounts))

    # -- route, sensitivity, task, tier ---------------------------------------------------------------------------

    def _staged(self, ask: Ask, extras: Extras, client: Client, moment: Moment) -> Stage:
        policy = self.world.policy
        named = self._resolved(ask.model)
        taken = routes.take(policy, client.headers, client.key_id, ask.model, extras.route or named.route)
        route = taken.route
        named = self._on_route(named, route, ask)
        labels = labels_of(policy, taken.floors, extras.sensitivity, found=self._detected(ask))
        found = self._classified(ask, extras)
        free = named.naming in (Naming.AUTO, Naming.TIER)
        asked = ask.surface is not Surface.COUNT_TOKENS  # a count is no answer, so it takes none of the share
        escalated = asked and named.naming is Naming.AUTO and self._escalated(route, found.difficulty)
        floor = _highest((extras.tier, route.tier_min, named.tier))
        if escalated and route.escalate is not None:
            floor = _highest((floor, route.escalate.to))
        opening_task = self._opening_task(ask, extras, found.task)
        tier = home_tier = floor
        if free and named.name != NamedModel.TIER:
            tier = _highest((floor, policy.task_tiers.get(found.task)))
            home_tier = tier if opening_task == found.task else _highest((floor, policy.task_tiers.get(opening_task)))
        unit = extras.session or ask.survey.prefix_hash
        return Stage(
            ask=ask,
            extras=extras,
            named=named,
            route=route,
            variant=routes.variant_of(route, unit),
            labels=labels,
            found=found,
            tier=_capped(tier, route.tier_max),
            home_tier=_capped(home_tier, route.tier_max) or 0,
            opening_task=opening_task,
            escalated=escalated,
            moment=moment,
        )

    def _resolved(self, name: str) -> Named:
        try:
            return resolve(name, self.world.policy, self.world.names)
        except UnknownModel as error:
            raise Refused(Refusal(RefusalKind.MODEL_NOT_FOUND, str(error), param="model")) from None

    def _on_route(self, named: Named, route: Route, ask: Ask) -> Named:
        """What the name means on this route."""
        if ask.surface is Surface.EMBEDDINGS and named.naming in (Naming.AUTO, Naming.TIER):
            if route.model is None:
                raise Refused(Refusal(RefusalKind.INVALID_REQUEST, _NAME_A_MODEL, param="model"))
            return self._resolved(route.model)
        if named.naming is not Naming.MODEL or ask.surface is Surface.EMBEDDINGS:
            return named
        match route.named_model:
            case NamedModel.EXACT:
                return named
            case NamedModel.ANY:
                return Named(Naming.AUTO, named.name)
            case NamedModel.TIER:
                endpoints = self.world.policy.catalog.endpoints
                tier = _highest(endpoints[name].tier for name in named.endpoints)
                if tier is None:  # what is unknown cannot be compared, so nothing else is known to be as good
                    return named
                return Named(Naming.TIER, NamedModel.TIER.value, tier=tier, endpoints=named.endpoints)

    def _detected(self, ask: Ask) -> bool:
        """Whether the scanner finds something, or cannot read a part. It reads the whole body: also what the neutral
        form has no place for goes to an endpoint of the client's own format.
        """
        if self.world.scanner is None:
            return False
        unreadable = ask.survey.unreadable or (ask.embed is not None and ask.embed.token_inputs > 0)
        return unreadable or self.world.scanner.find_first(texts_of(ask.body)) is not None

    def _classified(self, ask: Ask, extras: Extras) -> Classification:
        if ask.surface is Surface.EMBEDDINGS:
            return Classification("embeddings", 1.0, 0.0, ())
        found = self.world.classifier.classify(ask.survey.prompt)
        if extras.task is None:
            return found
        return replace(found, task=extras.task, confidence=1.0, reasons=("x-pointsman-task",))

    def _escalated(self, route: Route, difficulty: float) -> bool:
        account = self.accounts.get(route.name)
        return account is not None and account.decide(difficulty)

    def _opening_task(self, ask: Ask, extras: Extras, task: str) -> str:
        """What the conversation's first request was, judged as it was then."""
        if not ask.survey.turns or ask.survey.opening == ask.survey.prompt or extras.task is not None:
            return task
        return self.world.classifier.classify(ask.survey.opening).task

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
        )

    def _wishes(self, stage: Stage) -> Wishes:
        rules, route, extras = stage.extras.provider, stage.route, stage.extras
        objective = route.objective
        if rules.sort is not None:
            objective = Objective.COST if rules.sort == "price" else Objective.LATENCY
        budgets = [usd for usd in (route.limits.cost_per_request_usd, extras.max_cost_usd) if usd is not None]
        return Wishes(
            objective=objective,
            session=extras.session or stage.ask.survey.prefix_hash,
            at_s=stage.moment.epoch_s,
            first_token_p95_ms=route.first_token_p95_ms,
            budget_usd=min(budgets, default=None),
            max_price=rules.max_price,
            max_tokens=stage.ask.survey.max_tokens,
            by_throughput=rules.sort == "throughput",
            prefer=rules.order or (stage.variant.prefer if stage.variant else ()),
            home_tier=stage.home_tier,
        )

    def _ordered(
        self, stage: Stage, sizes: Sizes, wishes: Wishes, health: Health
    ) -> tuple[list[Ordered], dict[str, tuple[str, ...]]]:
        excluded: dict[str, tuple[str, ...]] = {}
        ordered = []
        for screened in self._screened(stage):
            judged = order(screened.eligible, self.world.prices, sizes, health, wishes)
            if screened.excluded:
                excluded.update(screened.excluded)
            if judged.excluded:
                excluded.update({name: (reason,) for name, reason in judged.excluded.items()})
            ordered.append(judged)
        return ordered, excluded

    def _screened(self, stage: Stage) -> tuple[screen.Screened, ...]:
        """Every group of the request, screened; remembered by what the answer depends on."""
        ask, extras = stage.ask, stage.extras
        day = int(stage.moment.epoch_s // DAY_S)
        inexpressible = () if ask.survey.plain else self._inexpressible(ask, extras)
        key = (
            ask.surface, ask.model, stage.route.name, stage.tier, stage.labels, ask.survey.needs, ask.survey.signed_by,
            None if extras is NO_EXTRAS else (extras.models, extras.provider), inexpressible, self.keyless(), day,
            None if ask.embed is None else ask.embed.dimensions,
        )  # fmt: skip
        found = self._memo.get(key)
        if found is None:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            catalog = self.world.policy.catalog
            demands = [self._demand(stage, group, inexpressible) for group in self._groups(stage)]
            found = self._memo[key] = tuple(screen.screen(demand, catalog) for demand in demands)
        return found

    def _inexpressible(self, ask: Ask, extras: Extras) -> Inexpressible:
        """Fields of the request that endpoints of a kind cannot express, where there are any."""
        found = []
        for kind, endpoint in self.world.kinds:
            beyond = wire_format(endpoint.api).inexpressible(ask, endpoint)
            lacking = beyond.fields | beyond.hints if extras.provider.require_parameters else beyond.fields
            if lacking:
                found.append((kind, lacking))
        return tuple(found)

    def _groups(self, stage: Stage) -> list[Group]:
        named, rules = stage.named, stage.extras.provider
        free = named.naming in (Naming.AUTO, Naming.TIER)
        groups = [Group(None, named=False) if free else Group(named.endpoints, named=True)]
        for name in stage.extras.models:
            other = self._resolved(name)
            if stage.ask.surface is Surface.EMBEDDINGS:
                self._check_same_weights(named, other)
            if other.naming in (Naming.AUTO, Naming.TIER):
                groups.append(Group(None, named=False))
            else:
                groups.append(Group(other.endpoints, named=True))
        if named.naming is Naming.ENDPOINT and rules.allow_fallbacks:
            model = self.world.policy.catalog.endpoints[named.endpoints[0]].model
            groups.append(Group(self.world.names.by_model[model], named=True))
        return groups

    def _check_same_weights(self, named: Named, other: Named) -> None:
        """Vectors of two models cannot be compared, so no fallback leads from one to the other."""
        catalog = self.world.policy.catalog.endpoints
        weights = {catalog[name].base_model for name in named.endpoints}
        if not other.endpoints or any(catalog[name].base_model not in weights for name in other.endpoints):
            raise Refused(Refusal(RefusalKind.INVALID_REQUEST, f"{other.name!r}: {_NAME_A_MODEL}", param="models"))

    def _demand(self, stage: Stage, group: Group, inexpressible: Inexpressible) -> screen.Demand:
        ask = stage.ask
        return screen.Demand(
            operation=ask.surface.operation,
            among=group.among,
            named=group.named,
            require=merged(stage.labels),
            needs=ask.survey.needs,
            signed_by=ask.survey.signed_by,
            tier=stage.tier,
            rules=stage.extras.provider,
            inexpressible=inexpressible,
            keyless=self.keyless(),
            today=datetime.fromtimestamp(stage.moment.epoch_s, UTC).date(),
            dimensions=None if ask.embed is None else ask.embed.dimensions,
            native_dimensions=self._native_dimensions(ask, stage.named),
        )

    def _native_dimensions(self, ask: Ask, named: Named) -> int | None:
        """Length of the vectors that a request means which does not say it: that of the first endpoint of the name."""
        if ask.embed is None or ask.embed.dimensions is not None:
            return None
        known = (self.world.policy.catalog.endpoints[name].dimensions for name in named.endpoints)
        return next((length for length in known if length is not None), None)


def _plan(stage: Stage, ordered: list[Ordered], health: Health) -> tuple[tuple[Step, ...], tuple[Step, ...], bool]:
    """The steps to try, the rest of the eligible, and whether it is the least bad that is tried."""
    steps = list(ordered[0].steps) if len(ordered) == 1 else _once(step for group in ordered for step in group.steps)
    panic = False
    if not steps:
        ill = _once(step for group in ordered for step in group.ill)
        steps = [step for step in ill if health.ill[step.endpoint.id].reason == screen.BREAKER_OPEN]
        panic = bool(steps)
    most = _most_attempts(stage)
    return tuple(steps[:most]), tuple(steps[most:]), panic


_NAME_A_MODEL = (
    "embeddings of different models cannot be compared, so name the model (GET /v1/models lists them), "
    "or let the operator pin one with `model:` on the route"
)


def _highest(tiers: Iterable[int | None]) -> int | None:
    """The highest tier of those that are stated."""
    found = None
    for tier in tiers:
        if tier is not None and (found is None or tier > found):
            found = tier
    return found


def _capped(tier: int | None, most: int | None) -> int | None:
    """What may be required at most (`tier.max`)."""
    return most if tier is not None and most is not None and tier > most else tier


def _most_attempts(stage: Stage) -> int:
    """With an `order` and no fallbacks the request's own list is tried (OpenRouter, "Provider selection")."""
    rules = stage.extras.provider
    return 1 if rules.allow_fallbacks is False and not rules.order else stage.route.limits.attempts


def _accounts(world: World, before: Mapping[str, Escalation]) -> dict[str, Escalation]:
    """An account for each escalating route; one whose share has not changed goes on."""
    found = {}
    for route in world.policy.routes:
        if route.escalate is not None:
            account = before.get(route.name)
            kept = account is not None and account.share == route.escalate.share
            found[route.name] = account if account is not None and kept else Escalation(route.escalate.share)
    return found


def _once(steps: Iterable[Step]) -> list[Step]:
    found: dict[str, Step] = {}
    for step in steps:
        found.setdefault(step.endpoint.id, step)
    return list(found.values())
