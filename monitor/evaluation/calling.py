"""One call for evaluation: the bound of its cost beforehand, then a whole answer by the code that serves traffic.

Every text of a pair that is sent to anybody passes here, and right before it is sent the configuration is asked whether
it may be (`privacy`).

Knows nothing of budgets, pairs or judges. Whatever goes wrong says what it cost, which is the bound where nobody can
tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.core.ask import Ask
from gateway.core.catalog import Catalog, Endpoint, Operation, Provider
from gateway.core.estimate import input_bound, input_tokens
from gateway.core.failover import maybe_billed
from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.core.policy import Policy
from gateway.core.pricing import Price, known_cost_usd, upper_bound_usd
from gateway.flow.attempt import Line, Times
from gateway.flow.caps import max_output
from gateway.flow.ports import Keys, Upstream
from gateway.formats.registry import spoken
from gateway.formats.wire import Outgoing, RelayContext, Rendered
from monitor.evaluation.pairs import Terms
from monitor.evaluation.privacy import lacking, withheld
from monitor.evaluation.reading import Unreadable, answer_text
from monitor.ports import Clock

TOTAL_S = 300.0  # for a whole answer; nobody waits for it
FIRST_REST_S, LONGEST_REST_S = 30.0, 1_200.0
"""After a failure an endpoint is left alone, then twice as long each time: thousands may wait for its answers, and what
fails may be billed."""
REQUEST_AT_FAULT = frozenset({FailureKind.REJECTED, FailureKind.CONTEXT_LENGTH, FailureKind.TOO_LARGE})


class Unfit(Exception):
    """This endpoint cannot or may not be asked this, ever, as things stand; the message says why."""

    charged_usd = 0.0


class CallFailed(Exception):
    """No answer came of a call. `curable`: it may be different later."""

    def __init__(self, kind: FailureKind, charged_usd: float) -> None:
        super().__init__(kind.value)
        self.charged_usd = charged_usd
        self.curable = kind not in REQUEST_AT_FAULT


@dataclass(frozen=True, slots=True)
class _Rest:
    kind: FailureKind
    failures: int  # in a row
    until_s: float  # by the loop's clock


@dataclass(frozen=True, slots=True)
class Call:
    """A call that can be made. It costs `bound_usd` at most."""

    ask: Ask
    endpoint: Endpoint
    price: Price
    outgoing: Outgoing
    bound_usd: float
    limit: int  # of output tokens
    terms: Terms


@dataclass(frozen=True, slots=True)
class Said:
    """`cost_usd`: None where the endpoint does not say what it consumed; then `charged_usd` is the bound."""

    text: str
    cut: bool  # it ended at the limit for its length
    cost_usd: float | None
    charged_usd: float


class Caller:
    """Calls endpoints of the configuration as it is now."""

    def __init__(self, upstream: Upstream, clock: Clock, prices: Callable[[], Mapping[str, Price | None]]) -> None:
        self._upstream = upstream
        self._clock = clock
        self._prices = prices
        self._policy = Policy((), (), {}, (), {}, (), Catalog())
        self._lines: Mapping[str, Line] = {}
        self._missing: Callable[[], frozenset[str]] = frozenset
        self._resting: dict[str, _Rest] = {}

    def reconfigure(self, policy: Policy, keys: Keys) -> None:
        """Take over a new configuration; calls under way end as they began."""
        self._policy = policy
        self._resting.clear()
        providers = policy.catalog.providers
        self._lines = {id_: Line(provider, self._upstream, keys) for id_, provider in providers.items()}
        self._missing = keys.missing

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        return self._policy.catalog.endpoints.get(endpoint_id)

    def withheld(self, terms: Terms) -> str | None:
        """Why nobody at all may be asked; None: somebody may."""
        return withheld(terms, self._policy)

    def prepare(self, ask: Ask, endpoint_id: str, most_output: int, terms: Terms) -> Call:
        """A call for one whole answer.

        Args:
            ask: without `stream`, for one answer.
            endpoint_id: whom to ask.
            most_output: tokens, where the request has no limit of its own.
            terms: on which its texts may be shown.

        Raises:
            Unfit: it cannot be asked, or may not.
            CallFailed: it failed a moment ago, and is left alone for now.
        """
        endpoint, price = self._admitted(endpoint_id, terms), self._prices().get(endpoint_id)
        rest = self._resting.get(endpoint_id)
        if rest is not None and self._clock.now_s() < rest.until_s:
            raise CallFailed(rest.kind, 0.0)
        if endpoint.provider in self._missing():
            raise Unfit("its provider's key is missing")
        if price is None:
            raise Unfit("its price is unknown")
        bound, tokens = input_bound(ask), input_tokens(ask)
        if bound is None:
            raise Unfit("nobody can say what the request costs at most")
        if endpoint.context is not None and tokens >= endpoint.context:
            raise Unfit("the request is longer than its context")
        form = spoken(ask.surface, endpoint)
        if form.inexpressible(ask, endpoint).fields:
            raise Unfit("the request cannot be said in its wire format")
        cap = most_output if ask.survey.max_tokens is None else None
        limit = max_output(ask, endpoint, form.requires_max_tokens, tokens, cap)
        assert limit is not None, "the request has a limit or gets one"
        bound_usd = upper_bound_usd(price, bound, limit, self._clock.epoch_s())
        return Call(ask, endpoint, price, form.build(ask, endpoint, limit), bound_usd, limit, terms)

    def _admitted(self, endpoint_id: str, terms: Terms) -> Endpoint:
        """The endpoint, if it may see the texts now. Raises Unfit."""
        if (why := self.withheld(terms)) is not None:
            raise Unfit(why)
        endpoint = self.endpoint(endpoint_id)
        if endpoint is None or endpoint.operation is not Operation.CHAT:
            raise Unfit("no such endpoint is configured")
        today = datetime.fromtimestamp(self._clock.epoch_s(), UTC).date()
        if facts := lacking(terms, self._policy, endpoint.provider, today):
            raise Unfit(f"its provider does not guarantee what is demanded of data: {', '.join(facts)}")
        return endpoint

    async def send(self, call: Call) -> Said:
        """Raises CallFailed, and Unfit where it may no longer be asked: money was set aside since it was prepared."""
        self._admitted(call.endpoint.id, call.terms)
        epoch_s = self._clock.epoch_s()
        try:
            rendered = await self._answered(call, epoch_s)
        except AttemptError as error:
            kind = error.failure.kind
            raise self._failed(call, error.failure, call.bound_usd if maybe_billed(kind) else 0.0) from error
        usd = None if rendered.usage is None else known_cost_usd(call.price, rendered.usage, epoch_s)
        charged_usd = call.bound_usd if usd is None else usd
        try:
            read = answer_text(call.ask.surface, rendered.body.decode("utf-8", "replace"))
        except Unreadable as error:
            raise self._failed(call, Failure(FailureKind.MALFORMED, str(error)), charged_usd) from None
        self._resting.pop(call.endpoint.id, None)
        return Said(read.text, read.cut, usd, charged_usd)

    def _failed(self, call: Call, failure: Failure, charged_usd: float) -> CallFailed:
        """Note it; what is wrong with the request says nothing of the endpoint."""
        failed = CallFailed(failure.kind, charged_usd)
        if failed.curable:
            before = self._resting.get(call.endpoint.id)
            failures = 1 if before is None else before.failures + 1
            rest_s = min(FIRST_REST_S * 2.0 ** (failures - 1), LONGEST_REST_S)
            until_s = self._clock.now_s() + max(rest_s, failure.retry_after_s or 0.0)
            self._resting[call.endpoint.id] = _Rest(failure.kind, failures, until_s)
        return failed

    async def _answered(self, call: Call, epoch_s: float) -> Rendered:
        line = self._lines[call.endpoint.provider]
        context = RelayContext("evaluation", int(epoch_s), call.endpoint.model, lambda _: None)
        times = _times(line.provider, self._clock.now_s(), epoch_s)
        rendered, _ = await line.whole(call.ask, call.endpoint, call.outgoing, times, context)
        return rendered


def _times(provider: Provider, now_s: float, epoch_s: float) -> Times:
    timeouts = provider.timeouts
    total_at = now_s + TOTAL_S
    return Times(timeouts.connect_s, min(timeouts.answer_s, TOTAL_S), timeouts.idle_s, total_at, total_at, epoch_s)
