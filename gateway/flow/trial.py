"""The bookkeeping of one attempt: its place in the breaker, its limits and price, its row in the record.

`attempt` moves the bytes, `answer` decides what follows; this is what both would otherwise have to know about each
other.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import FinishReason
from gateway.core.decision import AttemptRow, Considered
from gateway.core.estimate import CHARS_PER_TOKEN
from gateway.core.failover import maybe_billed
from gateway.core.failure import Failure, FailureKind
from gateway.core.guards import Ticket
from gateway.core.outcomes import Sample
from gateway.core.plan import Sizes, Step, Wishes, further_fees_usd
from gateway.core.pricing import Price, known_cost_usd, upper_bound_usd
from gateway.core.trace import context_headers, passed_on
from gateway.core.usage import Usage
from gateway.core.value import Note
from gateway.flow.attempt import Line
from gateway.flow.caps import Unaffordable, cost_cap, max_output
from gateway.flow.ending import CUT_OFF
from gateway.flow.health import HealthBook
from gateway.flow.run import Run
from gateway.formats.form import in_form, place_for_text
from gateway.formats.registry import is_native, spoken
from gateway.formats.wire import Outgoing, RelayContext, Rendered, StreamRelay
from gateway.upstream.answer import Answer

# Headers of an upstream that a client may see; everything else stays here (no cookies, no accounts, no infrastructure).
PASSED_HEADERS = ("x-request-id", "request-id", "openai-processing-ms", "openai-version")
STREAM_HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache, no-transform"),
    ("x-accel-buffering", "no"),
)
_TO_BE_STREAMED = {True: STREAM_HEADERS[1:], False: ()}
OCTETS = "application/octet-stream"
UNCOUNTED_TOKENS = frozenset({"tokens"})
UNCOUNTED = UNCOUNTED_TOKENS | {"requests"}
JSON_HEADERS = (("content-type", "application/json"),)
USD_DIGITS = 12  # a token of the cheapest model costs 1e-8 USD; what is behind this is noise of the arithmetic
_NOT_ENTERED = Ticket(0, 0)
LEFT = Failure(FailureKind.CANCELLED, "the client left")


class Trials:
    """Lets candidates through to their attempt, or not. Made anew with each configuration."""

    def __init__(self, lines: Mapping[str, Line], prices: Mapping[str, Price | None], book: HealthBook) -> None:
        self._lines = lines
        self._prices = prices
        self._book = book

    def enter(self, run: Run, considered: Considered, step: Step, candidates_left: int, now_s: float) -> "Trial | None":
        """Begin an attempt at `step`, or None where it cannot be now; the reason is noted in the run.

        A breaker lets one request try an ailing endpoint; who has nothing better left goes through anyway.
        """
        name = step.endpoint.id
        line = self._lines[step.endpoint.provider]
        if line.load.attempts >= line.provider.max_in_flight:
            run.skipped[name] = f"{line.provider.max_in_flight} requests are in flight at {line.provider.id}"
            return None
        price = self._prices.get(name)
        try:
            cap = _cap(run, considered, step.endpoint, price, candidates_left)
        except Unaffordable:
            run.skipped[name] = "what is left of the cost limit buys no useful answer"
            return None
        trial = Trial(run, considered, step, line, price, cap, self._book)  # may fail, so it comes before the breaker
        ticket = self._book.enter(name, now_s)
        if ticket is None:
            if not considered.panic and (candidates_left or run.rows):
                run.skipped[name] = "another request is trying it"
                return None
            ticket = self._book.enter_anyway(name, now_s)
        trial.ticket = ticket
        line.load.attempts += 1
        return trial


def _cap(
    run: Run, considered: Considered, endpoint: Endpoint, price: Price | None, candidates_left: int
) -> int | None:
    budget_usd = considered.budget_usd
    if budget_usd is None:
        return None
    sizes = _sizes(run, considered)
    wishes = Wishes(
        objective=considered.route.objective,
        session="",
        at_s=run.request.moment.epoch_s,
        max_tokens=run.request.ask.survey.max_tokens,
    )
    return cost_cap(endpoint, price, sizes, wishes, budget_usd - run.promised_usd, candidates_left)


def _sizes(run: Run, considered: Considered) -> Sizes:
    passed = run.request.ask.passed
    return Sizes(
        considered.estimated_input,
        considered.estimated_output,
        considered.input_bound,
        choices=_choices(run),
        fees=1 if passed is None else passed.units,
        passed=passed is not None,
    )


def _choices(run: Run) -> int:
    return 1 if run.request.ask.chat is None else run.request.ask.chat.n


class Trial:
    """One attempt under way. It ends with exactly one of `succeeded_*`, `failed` and `cancelled`, then `leave`."""

    def __init__(  # noqa: PLR0913 - made in one place only, from what that place has just decided
        self, run: Run, considered: Considered, step: Step, line: Line, price: Price | None, cap: int | None,
        book: HealthBook,
    ) -> None:  # fmt: skip
        self.step = step
        self.line = line
        self._run = run
        self._considered = considered
        self._price = price
        self.ticket = _NOT_ENTERED  # given by the breakers once they let it through
        self._book = book
        ask, endpoint = run.request.ask, step.endpoint
        self.format = spoken(ask.surface, endpoint)
        required = self.format.requires_max_tokens
        limit = None if ask.chat is None else max_output(ask, endpoint, required, considered.estimated_input, cap)
        self.outgoing: Outgoing = self.format.build(ask, endpoint, limit)
        self._most_output = limit or endpoint.max_output or 0
        if ask.chat is not None and ask.chat.offered and not is_native(ask.surface, endpoint):
            dropped = tuple(sorted({*self.outgoing.dropped, *ask.chat.offered}))
            self.outgoing = replace(self.outgoing, dropped=dropped)
        if line.provider.trace_context:
            self.outgoing = replace(self.outgoing, tracing=_tracing(run))
        self._promise_usd = 0.0 if considered.budget_usd is None else self._bound_usd(limit)
        epoch_s = run.request.moment.epoch_s
        till, texts = _Till(price, epoch_s), place_for_text(ask)
        self.context = RelayContext(run.request.id, int(epoch_s), endpoint.model, till, texts)
        self._begun_s = 0.0
        self._cut_short = False
        self._relay: StreamRelay | None = None
        self._ttft_ms: float | None = None
        self._answer: Answer | None = None

    def _bound_usd(self, limit: int | None) -> float:
        """The most this attempt can cost, where a promise stands."""
        bound = self._considered.input_bound
        if self._price is None or bound is None:
            return 0.0
        tokens = (limit or 0) * _choices(self._run)
        fees_usd = further_fees_usd(self._price, _sizes(self._run, self._considered))
        return upper_bound_usd(self._price, bound, tokens, self._run.request.moment.epoch_s) + fees_usd

    def timeout_s(self, ask: Ask) -> float:
        """The endpoint's own limit: until the first content of a stream, or until the head of a whole answer."""
        timeouts = self.line.provider.timeouts
        if not ask.stream or ask.chat is None:  # speech and images are begun to be sent late
            return timeouts.answer_s
        if ask.survey.reasoning or REASONING in self.step.endpoint.caps:
            return max(timeouts.first_token_s, timeouts.first_token_reasoning_s)
        return timeouts.first_token_s

    # -- what happened ---------------------------------------------------------------------------------------------

    def begin(self, now_s: float, *, cut_short: bool) -> None:
        """Note the start; `cut_short`: the request's deadline, not the endpoint's own limit, bounds the wait."""
        self._begun_s = now_s
        self._cut_short = cut_short

    def answered(self, answer: Answer) -> None:
        self._answer = answer
        self._run.endpoint, self._run.provider = self.step.endpoint.id, self.line.provider.id
        self._run.dropped = self.outgoing.dropped

    def started(self, relay: StreamRelay, now_s: float) -> None:
        """The stream is at its commit point; without content there is no time to a first token."""
        self._relay = relay
        if relay.content_seen:
            self._ttft_ms = (now_s - self._begun_s) * 1000.0
            self._run.ttft_ms = self._run.ms_since_start(now_s)

    def succeeded_whole(self, rendered: Rendered, now_s: float) -> float | None:
        usage = rendered.usage or self._estimated(rendered.output_chars)
        self._run.text_digest = rendered.text_digest
        self._judge_form(rendered.finish)
        return self._succeeded(usage, now_s)

    def succeeded_stream(self, now_s: float) -> None:
        relay = self._streamed()
        self._run.text_digest = relay.text_digest
        self._judge_form(relay.finish)
        self._succeeded(relay.usage or self._estimated(relay.output_chars), now_s)

    def failed(self, failure: Failure, now_s: float) -> None:
        """The attempt broke, before or after the commit point."""
        usage, partial_ = None, self._relay is not None
        if self._relay is not None:
            self._run.text_digest = self._relay.text_digest
            usage = self._relay.usage or self._estimated(self._relay.output_chars)
        elif maybe_billed(failure.kind):
            usage = self._estimated(0)
        self._row("partial" if partial_ else failure.kind.value, failure.status, failure.message, usage, now_s)
        if self._cut_short and failure.kind in (FailureKind.FIRST_TOKEN_TIMEOUT, FailureKind.ANSWER_TIMEOUT):
            # The client's haste is not the provider's fault.
            failure = Failure(FailureKind.TOTAL_TIMEOUT, failure.message)
        self._book.failed(self.step.endpoint.id, self.ticket, failure, now_s)

    def cancelled(self, now_s: float) -> None:
        """The client left; blames nobody."""
        self._abandoned(LEFT.kind.value, LEFT, now_s)

    def cut_off(self, now_s: float) -> None:
        """The process ends; blames nobody."""
        self._abandoned(CUT_OFF.kind.value if self._relay is None else "partial", CUT_OFF, now_s)

    def _abandoned(self, outcome: str, why: Failure, now_s: float) -> None:
        chars = 0
        if self._relay is not None:
            self._run.text_digest = self._relay.text_digest
            chars = self._relay.output_chars
        told = self._relay.usage if self._relay is not None else None
        usage = told or self._estimated(chars)
        if usage.estimated and usage.requests and not self.line.provider.cancellable:
            usage = replace(usage, output=max(usage.output, self._most_output))  # the upstream goes on without us
        self._row(outcome, None, why.message, usage, now_s)
        self._book.failed(self.step.endpoint.id, self.ticket, why, now_s)

    def _judge_form(self, finish: FinishReason | None) -> None:
        texts = self.context.texts
        if texts is not None:
            self._run.format_ok = in_form(self._run.request.ask, texts, finish)

    def leave(self) -> None:
        self.line.load.attempts -= 1

    def _succeeded(self, usage: Usage, now_s: float) -> float | None:
        name = self.step.endpoint.id
        usd = self._row("ok", 200, None, usage, now_s)
        self._book.succeeded(name, self.ticket, Sample((now_s - self._begun_s) * 1000.0, self._ttft_ms), now_s)
        assert self._answer is not None, "only an answer can succeed"
        wait_s = self.format.horizon_s(self._answer.head.headers, self._run.request.moment.epoch_s)
        if wait_s is not None:
            self._book.limited(name, wait_s, now_s)
        return usd

    def _row(
        self, outcome: str, status: int | None, error: str | None, usage: Usage | None, now_s: float
    ) -> float | None:
        run = self._run
        usd: float | None = 0.0
        if usage is not None:
            usd = self.context.price(usage)
            run.promised_usd += self._promise_usd
            run.usage = usage
        run.add(
            AttemptRow(
                endpoint=self.step.endpoint.id,
                started_ms=run.ms_since_start(self._begun_s),
                ttft_ms=self._ttft_ms,
                duration_ms=(now_s - self._begun_s) * 1000.0,
                outcome=outcome,
                status=status if status is not None or self._answer is None else self._answer.head.status,
                error=error,
                cost_usd=usd,
                usage=usage,
            )
        )
        return usd

    def _estimated(self, output_chars: int) -> Usage:
        """Usage of an answer that gave none: the estimate of the input, and what was seen of the output.

        Counting tokens is free of charge everywhere, and consumes none.
        """
        if self._run.request.ask.surface is Surface.COUNT_TOKENS:
            return Usage(requests=0, estimated=True)
        passed = self._run.request.ask.passed
        if passed is not None:
            uncounted = UNCOUNTED if passed.units is None else UNCOUNTED_TOKENS
            asked = self._considered.estimated_input
            return Usage(input=asked, requests=passed.units or 1, estimated=True, uncounted=uncounted)
        tokens = -(-output_chars // CHARS_PER_TOKEN)
        return Usage(input=self._considered.estimated_input, output=tokens, estimated=True)

    def finished(self) -> bool:
        """Whether the stream has come to its end, so that nothing but the client can be waited for."""
        return self._streamed().finished

    def next_number(self) -> int:
        """Of the next event for the client, where its surface numbers them."""
        return self._streamed().next_number

    def _streamed(self) -> StreamRelay:
        assert self._relay is not None, "only a started stream can succeed as one"
        return self._relay

    # -- what the client sees --------------------------------------------------------------------------------------

    def headers(self, answer: Answer) -> list[tuple[str, str]]:
        """Headers of the answer: ours, and the few of the upstream that pass."""
        run = self._run
        headers = [
            *self._content_headers(answer),
            ("x-pointsman-decision", run.request.id),
            ("x-pointsman-endpoint", self.step.endpoint.id),
            ("x-pointsman-route", self._considered.route.name),
            ("x-pointsman-attempts", str(len(run.rows) + (1 if run.request.ask.stream else 0))),
        ]
        if self.outgoing.dropped:
            headers.append(("x-pointsman-dropped", ",".join(self.outgoing.dropped)))
        given = answer.head.headers
        headers += [(name, given[name]) for name in PASSED_HEADERS if name in given]
        return headers


    def _content_headers(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        ask = self._run.request.ask
        if ask.passed is not None:  # audio, text or subtitles: only the upstream knows
            return (("content-type", answer.head.headers.get("content-type", OCTETS)), *_TO_BE_STREAMED[ask.stream])
        return STREAM_HEADERS if ask.stream else JSON_HEADERS


def _tracing(run: Run) -> tuple[tuple[str, str], ...]:
    """What the provider of the next attempt is told of the trace; of the client's own, where nothing is traced here."""
    request = run.request
    if request.trace is None:
        return passed_on(request.client.headers)
    return context_headers(request.trace, len(run.rows) + 1)


class _Till(Note):
    """Says what an answer costs, and remembers it: its translator and the record ask for the same usage."""

    price: Price | None
    at_s: float
    usage: Usage | None = None
    usd: float | None = None

    def __call__(self, usage: Usage) -> float | None:
        if self.price is not None and usage is not self.usage:
            usd = known_cost_usd(self.price, usage, self.at_s)
            self.usage, self.usd = usage, None if usd is None else round(usd, USD_DIGITS)
        return self.usd
