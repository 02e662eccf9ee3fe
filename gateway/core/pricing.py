"""What a request costs: rates, the price of an endpoint, and pure arithmetic on them.

Owns the formula and nothing else: where prices come from is the business of `prices` (the book) and of the packaged
catalog; how tokens are counted is `usage`. Rates are USD per million tokens, instants are Unix seconds, results are USD
as float: a double carries 15 digits, so the cost of a request is off by less than 1e-12 USD, and sums are compared to
the cent.

Rules, with their reasons:
- An endpoint without a price has no `Price` at all (`None`): unknown is never zero, and nothing here accepts `None`.
- An unknown `cached_input` is charged as `input`: whoever publishes no discount grants none; a guess would understate.
- An unknown `cache_write` is charged as `input`: providers without a write price bill a written prompt like any other.
  The factors of those who do charge for it (Anthropic: 1.25 and 2) are in their rows, never assumed of others.
- An unknown `cache_write_1h` is charged as `cache_write`; an unknown `reasoning` as `output`, which it is part of.
- An override applies to the whole request, as providers bill it: 200,001 prompt tokens make all of them dearer.
- A fee per request is, where the endpoint's operation is billed otherwise, that of an image, of a second of audio, of a
  character to be spoken or of a search unit: `Usage.requests` counts them. What was not counted has no known cost.
- The price is that of the instant at which the request started, however long it runs (DeepSeek bills so).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.core.usage import Usage

PER_MILLION = 1e-6
DAY_S = 86_400
UNBOUNDED_TOKENS = 1 << 31  # what a budget buys where output is free; above every model's limit
NOTHING = -1  # what a budget buys that does not even pay for the input
HORIZON_S = 3_600.0  # within this time of the decision its attempts start: the default of `limits.total`


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens, and a fee per request in USD. `None` is unknown and charged by the rules above."""

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    reasoning: float | None = None
    per_request: float = 0.0


@dataclass(frozen=True, slots=True)
class Window:
    """When an override applies: half-open spans of the UTC day, on some weekdays, between two instants.

    A workday that excludes public holidays is written as its weekdays: on a few days a year that charges the dearer
    rate, which errs on the safe side of a limit.
    """

    spans_s: tuple[tuple[int, int], ...] = ((0, DAY_S),)  # seconds since midnight UTC, end exclusive
    weekdays: frozenset[int] = frozenset(range(7))  # 0 is Monday
    from_s: float | None = None  # Unix seconds, inclusive
    until_s: float | None = None  # exclusive

    def holds(self, at_s: float) -> bool:
        """Whether the instant lies in the window."""
        if (self.from_s is not None and at_s < self.from_s) or (self.until_s is not None and at_s >= self.until_s):
            return False
        day, second = divmod(at_s, DAY_S)
        if _weekday(int(day)) in self.weekdays:
            for start, end in self.spans_s:  # a loop, since `any` over a generator costs a microsecond more
                if start <= second < end:
                    return True
        return False

    def touches(self, start_s: float, end_s: float) -> bool:
        """Whether any instant from `start_s` to `end_s`, both included, lies in the window."""
        start_s = start_s if self.from_s is None else max(start_s, self.from_s)
        if start_s > end_s or (self.until_s is not None and start_s >= self.until_s):
            return False
        first = int(start_s // DAY_S)
        last = min(int(end_s // DAY_S), first + 7)  # an eighth day repeats the weekday of the first
        return any(
            _weekday(day) in self.weekdays and self._opens(day, start_s, end_s) for day in range(first, last + 1)
        )

    def _opens(self, day: int, start_s: float, end_s: float) -> bool:
        midnight = day * DAY_S
        for span_start, span_end in self.spans_s:
            opens = max(midnight + span_start, start_s)
            if opens < midnight + span_end and opens <= end_s and (self.until_s is None or opens < self.until_s):
                return True
        return False


def _weekday(day: int) -> int:
    return (day + 3) % 7  # day 0 of Unix time was a Thursday


@dataclass(frozen=True, slots=True)
class Override:
    """Rates that replace the base for a whole request: from a prompt length on, within a window, or both."""

    rates: Rates
    min_prompt_tokens: int = 0
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one endpoint. Of the overrides that apply, the last one wins."""

    base: Rates
    overrides: tuple[Override, ...] = ()
    source: str = ""  # who says so, for people


def rates_at(price: Price, prompt_tokens: int, at_s: float) -> Rates:
    """The rates of a request with this many prompt tokens (cached ones included) that starts at `at_s`."""
    for override in reversed(price.overrides):
        if prompt_tokens >= override.min_prompt_tokens and (override.window is None or override.window.holds(at_s)):
            return override.rates
    return price.base


def cost_usd(price: Price, usage: Usage, at_s: float) -> float:
    """What the answer cost.

    Counts that contradict each other are cut to what can be true: cached tokens to the input, written ones to the rest
    of it, reasoning to the output, and nothing below zero.
    """
    rates = rates_at(price, usage.input, at_s) if price.overrides else price.base
    if usage.cached_input > 0 or usage.cache_write > 0:
        total = _input_with_cache(rates, usage)
    else:
        total = max(usage.input, 0) * rates.input
    if usage.reasoning > 0 and rates.reasoning is not None:
        reasoning = max(min(usage.reasoning, usage.output), 0)
        total += reasoning * rates.reasoning + max(usage.output - reasoning, 0) * rates.output
    else:
        total += max(usage.output, 0) * rates.output
    usd = total * PER_MILLION
    return usd if rates.per_request == 0.0 else usd + max(usage.requests, 0) * rates.per_request


def known_cost_usd(price: Price, usage: Usage, at_s: float) -> float | None:
    """As `cost_usd`; None where the price is for something that nobody counted."""
    if usage.uncounted:
        base = price.base
        if "tokens" in usage.uncounted and (base.input or base.output):
            return None
        if "requests" in usage.uncounted and base.per_request:
            return None
    return cost_usd(price, usage, at_s)


def _input_with_cache(rates: Rates, usage: Usage) -> float:
    """Input tokens times their rates, in USD per million."""
    whole = max(usage.input, 0)
    cached = min(max(usage.cached_input, 0), whole)
    written = min(max(usage.cache_write, 0), whole - cached)
    hour = min(max(usage.cache_write_1h, 0), written)
    return (
        (whole - cached - written) * rates.input
        + cached * _cached_input(rates)
        + (written - hour) * _cache_write(rates)
        + hour * _cache_write_1h(rates)
    )


def _cached_input(rates: Rates) -> float:
    return rates.input if rates.cached_input is None else rates.cached_input


def _cache_write(rates: Rates) -> float:
    return rates.input if rates.cache_write is None else rates.cache_write


def _cache_write_1h(rates: Rates) -> float:
    return _cache_write(rates) if rates.cache_write_1h is None else rates.cache_write_1h


def estimate_usd(price: Price, input_tokens: int, cached_tokens: int, output_tokens: int, at_s: float) -> float:
    """What one request with these (expected) counts costs; `cached_tokens` are part of `input_tokens`."""
    rates = rates_at(price, input_tokens, at_s)
    cached = min(cached_tokens, input_tokens)
    tokens = (input_tokens - cached) * rates.input + cached * _cached_input(rates) + output_tokens * rates.output
    return tokens * PER_MILLION + rates.per_request


def upper_bound_usd(
    price: Price, max_input_tokens: int, max_output_tokens: int, at_s: float, horizon_s: float = HORIZON_S
) -> float:
    """The most that one request within these token limits can cost, if it starts between `at_s` and `at_s + horizon_s`.

    Holds for every split of the input into cached, written and plain, for every share of reasoning, for every override
    in reach, and includes one request's fee.
    """
    return max(
        fixed_usd + max_output_tokens * output_usd
        for fixed_usd, output_usd in _worst_cases(price, max_input_tokens, at_s, horizon_s)
    )


def output_cap(
    price: Price, max_input_tokens: int, budget_usd: float, at_s: float, horizon_s: float = HORIZON_S
) -> int:
    """The most output tokens with which `upper_bound_usd` keeps to the budget; `NOTHING` if not even the input fits."""
    cap = UNBOUNDED_TOKENS
    for fixed_usd, output_usd in _worst_cases(price, max_input_tokens, at_s, horizon_s):
        left_usd = budget_usd - fixed_usd
        if left_usd < 0:
            return NOTHING
        if output_usd > 0:
            cap = min(cap, int(min(left_usd / output_usd, UNBOUNDED_TOKENS)))
    while cap > 0 and upper_bound_usd(price, max_input_tokens, cap, at_s, horizon_s) > budget_usd:
        cap -= 1  # the division was rounded up in its last bit
    return cap


def _worst_cases(price: Price, max_input_tokens: int, at_s: float, horizon_s: float) -> Iterator[tuple[float, float]]:
    """For each set of rates in reach, at its dearest: USD for all input and the fee; USD for one output token."""
    for rates in _reachable(price, max_input_tokens, at_s, horizon_s):
        dearest_input = max(rates.input, _cached_input(rates), _cache_write(rates), _cache_write_1h(rates))
        dearest_output = rates.output if rates.reasoning is None else max(rates.output, rates.reasoning)
        yield max_input_tokens * dearest_input * PER_MILLION + rates.per_request, dearest_output * PER_MILLION


def _reachable(price: Price, max_input_tokens: int, at_s: float, horizon_s: float) -> Iterator[Rates]:
    yield price.base
    for override in price.overrides:
        in_time = override.window is None or override.window.touches(at_s, at_s + horizon_s)
        if in_time and override.min_prompt_tokens <= max_input_tokens:
            yield override.rates
