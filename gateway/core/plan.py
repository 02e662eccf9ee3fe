"""From eligible endpoints to the order in which they are tried.

Owns everything that depends on the single request: does it fit the context, what would it cost here, is the endpoint
well, which of nearly equal ones keeps this conversation's prompt cache warm. Pure: health, prices and the time come
in as values.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from gateway.core import screen
from gateway.core.catalog import Endpoint
from gateway.core.extras import MaxPrice
from gateway.core.policy import Objective
from gateway.core.pricing import PER_MILLION, Price, estimate_usd, output_cap, rates_at, upper_bound_usd
from gateway.core.value import Value

_COST = Objective.COST  # a member of an enum costs ten times a name (Python 3.11)
NEAR = 1.05  # endpoints within 5 % of the cheapest count as equal: less than what a warm prompt cache saves
ROUNDING = 1e-9  # far above a double's, far below a cent
USEFUL_OUTPUT = 256  # tokens; a smaller cap buys a useless answer (CONTRACT §5)
USEFUL_REASONING_OUTPUT = 2_048
NEUTRAL_TTFT_MS = 800.0  # of an endpoint without samples: neither preferred nor shunned


@dataclass(frozen=True, slots=True)
class Ill:
    """Why an endpoint is not well. `until_s` is epoch time, where known; `badness` orders the least bad."""

    reason: str  # screen.BREAKER_OPEN | screen.RATE_LIMITED
    until_s: float | None = None
    badness: float = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of endpoints now. Who is well is absent from `ill`; who has no samples, from the rest."""

    ill: Mapping[str, Ill] = field(default_factory=dict)
    ttft_p95_ms: Mapping[str, float] = field(default_factory=dict)
    total_p50_ms: Mapping[str, float] = field(default_factory=dict)


class Sizes(Value):
    """Tokens of the request: estimates, and the bound that promises rest on (None: no bound is known)."""

    input: int
    output: int
    input_bound: int | None
    cached_if_home: int = 0  # input tokens that the conversation's home has in its prompt cache
    opening_input: int = 0  # input tokens of the conversation's first request; 0: this is the first
    opening_output: int = 0  # output tokens of that request
    choices: int = 1  # answers asked for (`n`): each may use the whole output limit
    fees: float | None = 1  # fees per request that will be charged at most; None: unknown
    passed: bool = False  # no limit can be set on the output


class Wishes(Value):
    """What orders the eligible ones."""

    objective: Objective
    session: str
    at_s: float  # epoch; prices hold as of the request's start
    first_token_p95_ms: float | None = None
    budget_usd: float | None = None  # the promise for this request
    max_price: MaxPrice | None = None
    max_tokens: int | None = None  # the client's own limit
    by_throughput: bool = False
    prefer: tuple[str, ...] = ()  # provider or endpoint ids, best first
    home_tier: int = 0  # tier the conversation's first request asked for


class Step(Value):
    endpoint: Endpoint
    estimate_usd: float | None  # None: the price is unknown


class Ordered(Value):
    """One group, judged: the steps in order, the ill ones (least bad first), and who fell out and why."""

    steps: tuple[Step, ...]
    ill: tuple[Step, ...]
    excluded: Mapping[str, str]
    lowest_usd: float | None = None  # lowest limit that lets in one of those a cost limit alone excluded


def order(
    eligible: Sequence[Endpoint], prices: Mapping[str, Price | None], sizes: Sizes, health: Health, wishes: Wishes
) -> Ordered:
    """Judge and order the eligible endpoints of one group."""
    well: list[Step] = []
    ill: list[Step] = []
    excluded: dict[str, str] = {}
    too_dear: list[float] = []
    limited = wishes.max_price is not None or wishes.budget_usd is not None
    tokens_in, tokens_out = sizes.input, sizes.output
    for endpoint in eligible:
        name = endpoint.id
        price = prices.get(name)
        if price is None:
            step = Step(endpoint, None)
        elif price.overrides:
            step = Step(endpoint, estimate_usd(price, tokens_in, 0, tokens_out, wishes.at_s))
        else:  # most prices: what `estimate_usd` comes to, without the call
            base = price.base
            usd = (tokens_in * base.input + tokens_out * base.output) * PER_MILLION + base.per_request
            step = Step(endpoint, usd)
        if sizes.fees != 1 and price is not None and price.base.per_request:
            step = _with_fees(step, price, sizes.fees)
        reason = None
        if endpoint.context is not None and tokens_in >= endpoint.context:
            reason = screen.CONTEXT
        elif limited:
            reason = _too_dear(endpoint, price, sizes, wishes)
        if reason is None and name in health.ill:
            reason = health.ill[name].reason
            ill.append(step)
        if reason is None:
            well.append(step)
        else:
            excluded[name] = reason
            if reason == screen.COST_LIMIT and step.estimate_usd is not None:
                too_dear.append(max(step.estimate_usd, _lowest_budget_usd(endpoint, price, sizes, wishes)))
    return Ordered(
        steps=tuple(_in_order(well, prices, sizes, health, wishes)),
        ill=tuple(sorted(ill, key=lambda step: health.ill[step.endpoint.id].badness)) if ill else (),
        excluded=excluded,
        lowest_usd=min((usd for usd in too_dear if usd < math.inf), default=None) if too_dear else None,
    )


def _with_fees(step: Step, price: Price, fees: float | None) -> Step:
    """With as many fees as will be charged, not one."""
    if fees is None or step.estimate_usd is None:
        return Step(step.endpoint, None)
    return Step(step.endpoint, step.estimate_usd + (fees - 1) * price.base.per_request)


def further_fees_usd(price: Price, sizes: Sizes) -> float:
    """What may be charged at most beyond one fee; infinite where that is unknown."""
    if sizes.passed and price.base.output:
        return math.inf
    if sizes.fees == 1 or not price.base.per_request:
        return 0.0
    return math.inf if sizes.fees is None else max(0.0, sizes.fees - 1) * price.base.per_request


def _too_dear(endpoint: Endpoint, price: Price | None, sizes: Sizes, wishes: Wishes) -> str | None:
    if wishes.max_price is not None and not _within(wishes.max_price, price, sizes, wishes):
        return screen.PRICE
    if wishes.budget_usd is not None and affordable(endpoint, price, sizes, wishes, wishes.budget_usd) is None:
        return screen.COST_LIMIT
    return None


def _within(limit: MaxPrice, price: Price | None, sizes: Sizes, wishes: Wishes) -> bool:
    if price is None:
        return False
    rates = rates_at(price, sizes.input, wishes.at_s)
    pairs = ((limit.input, rates.input), (limit.output, rates.output), (limit.request, rates.per_request))
    return all(most is None or (listed or 0.0) <= most for most, listed in pairs)


def useful_output(endpoint: Endpoint) -> int:
    """Fewest output tokens worth paying for at this endpoint."""
    return USEFUL_REASONING_OUTPUT if "reasoning" in endpoint.caps else USEFUL_OUTPUT


def affordable(endpoint: Endpoint, price: Price | None, sizes: Sizes, wishes: Wishes, budget_usd: float) -> int | None:
    """Most output tokens that `budget_usd` surely pays for, or None if it pays for no useful answer.

    What the client itself asks for is always useful: a limit of ten tokens needs no more than ten.
    """
    if price is None or sizes.input_bound is None:
        return None
    if sizes.output == 0:  # embeddings, and what is passed on
        left_usd = budget_usd - further_fees_usd(price, sizes)
        return 0 if output_cap(price, sizes.input_bound, left_usd, wishes.at_s) >= 0 else None
    cap = output_cap(price, sizes.input_bound, budget_usd, wishes.at_s) // sizes.choices
    return cap if cap >= _least_output(endpoint, wishes) else None


def _least_output(endpoint: Endpoint, wishes: Wishes) -> int:
    useful = useful_output(endpoint)
    return useful if wishes.max_tokens is None else min(useful, wishes.max_tokens)


def _lowest_budget_usd(endpoint: Endpoint, price: Price | None, sizes: Sizes, wishes: Wishes) -> float:
    """The smallest budget that is affordable; infinite where none is."""
    if price is None or sizes.input_bound is None:
        return math.inf
    tokens = 0 if sizes.output == 0 else _least_output(endpoint, wishes) * sizes.choices
    usd = upper_bound_usd(price, sizes.input_bound, tokens, wishes.at_s) + further_fees_usd(price, sizes)
    return usd * (1 + ROUNDING)


def _in_order(
    steps: list[Step], prices: Mapping[str, Price | None], sizes: Sizes, health: Health, wishes: Wishes
) -> Iterable[Step]:
    if len(steps) > 1:
        if wishes.objective is _COST and not wishes.by_throughput and not sizes.opening_input:
            steps = sorted(steps, key=_cost)
            if _cost(steps[1]) > _cost(steps[0]) * NEAR:  # no near equal: the cheapest is the home
                return _preferred(steps, health, wishes)
        home = _home(steps, prices, sizes, wishes)
        if sizes.cached_if_home:
            steps = [_discounted(step, prices, sizes, wishes) if step.endpoint.id == home else step for step in steps]
        steps = _by_objective(steps, health, wishes)
        steps = _preferred(_home_first(steps, home, wishes), health, wishes)
    return steps


def _preferred(steps: list[Step], health: Health, wishes: Wishes) -> list[Step]:
    """Those that meet the first-token target in front, and before them those that are preferred by name."""
    if wishes.first_token_p95_ms is not None:
        limit = wishes.first_token_p95_ms
        steps = sorted(steps, key=lambda step: health.ttft_p95_ms.get(step.endpoint.id, 0.0) > limit)
    if wishes.prefer:
        steps = sorted(steps, key=lambda step: _preference(step.endpoint, wishes.prefer))
    return steps


def _cost(step: Step) -> float:
    return math.inf if step.estimate_usd is None else step.estimate_usd


def _by_objective(steps: list[Step], health: Health, wishes: Wishes) -> list[Step]:
    if wishes.by_throughput:
        return sorted(steps, key=lambda step: (health.total_p50_ms.get(step.endpoint.id, NEUTRAL_TTFT_MS), _cost(step)))
    match wishes.objective:
        case Objective.COST:
            return sorted(steps, key=_cost)
        case Objective.LATENCY:
            return sorted(steps, key=lambda step: (_ttft_ms(step, health), _cost(step)))
        case Objective.BALANCED:
            cheapest = max(min(map(_cost, steps)), 1e-12)
            fastest = max(min(_ttft_ms(step, health) for step in steps), 1.0)
            if cheapest == float("inf"):  # all prices are unknown
                return sorted(steps, key=lambda step: _ttft_ms(step, health))
            return sorted(steps, key=lambda step: _cost(step) / cheapest + _ttft_ms(step, health) / fastest)


def _ttft_ms(step: Step, health: Health) -> float:
    return health.ttft_p95_ms.get(step.endpoint.id, NEUTRAL_TTFT_MS)


def _home(steps: list[Step], prices: Mapping[str, Price | None], sizes: Sizes, wishes: Wishes) -> str:
    """The endpoint that this conversation belongs to: what its first request would choose, on every replica.

    Judged by the size of the opening, which no later turn changes, so that no memory is needed.
    """
    candidates = steps
    if sizes.opening_input:
        fitting = [step for step in steps if (step.endpoint.tier or 0) >= wishes.home_tier] or steps
        candidates = [_at_opening(step, prices, sizes, wishes) for step in fitting]
    costs = [math.inf if step.estimate_usd is None else step.estimate_usd for step in candidates]
    most = min(costs) * NEAR
    near = [step.endpoint.id for step, usd in zip(candidates, costs, strict=True) if usd <= most]
    return near[0] if len(near) == 1 else max(near, key=lambda name: _weight(wishes.session, name))


def _at_opening(step: Step, prices: Mapping[str, Price | None], sizes: Sizes, wishes: Wishes) -> Step:
    price = prices.get(step.endpoint.id)
    if price is None:
        return step
    return Step(step.endpoint, estimate_usd(price, sizes.opening_input, 0, sizes.opening_output, wishes.at_s))


def _weight(session: str, name: str) -> bytes:
    """Rendezvous weight: the highest wins, and who leaves moves only its own sessions."""
    return blake2b(f"{session}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _discounted(step: Step, prices: Mapping[str, Price | None], sizes: Sizes, wishes: Wishes) -> Step:
    price = prices.get(step.endpoint.id)
    if price is None:
        return step
    cached = min(sizes.cached_if_home, sizes.input)
    return Step(step.endpoint, estimate_usd(price, sizes.input, cached, sizes.output, wishes.at_s))


def _home_first(steps: list[Step], home: str, wishes: Wishes) -> list[Step]:
    """Put the home in front of those that are nearly as cheap; other objectives keep their order."""
    if wishes.objective is not Objective.COST or wishes.by_throughput:
        return steps
    at = next(at for at, step in enumerate(steps) if step.endpoint.id == home)
    if _cost(steps[at]) > _cost(steps[0]) * NEAR:
        return steps
    return [steps[at], *steps[:at], *steps[at + 1 :]]


def _preference(endpoint: Endpoint, prefer: tuple[str, ...]) -> int:
    for place, name in enumerate(prefer):
        if name in (endpoint.id, endpoint.provider):
            return place
    return len(prefer)
