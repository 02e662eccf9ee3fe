"""Prometheus metrics of the gateway.

A finished request adds its numbers to three rows, one look-up each: of requests that ended so, of attempts that ended
so, of the endpoint that answered. What Prometheus calls a family is summed from the rows at scrape time. Labels come
only from configured names, never from a request.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from msgspec import Struct
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from gateway.core.breaker import State
from gateway.core.decision import AttemptRow, Decision, Outcome
from gateway.edge.kube.metrics import of_tally
from gateway.edge.kube.reflector import Tally

DURATION_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
TTFT_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)
STATE_VALUES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}

Labels = tuple[str, ...]


class Cells:
    """One counter with labels, for what happens seldom."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, help_text: str, labels: Labels) -> None:
        self.name = name
        self.help = help_text
        self.labels = labels
        self.values: dict[Labels, float] = {}

    def add(self, labels: Labels, amount: float = 1.0) -> None:
        self.values[labels] = self.values.get(labels, 0.0) + amount

    def family(self) -> Metric:
        return _counter(self.name, self.help, self.labels, list(self.values.items()))


class Ended(Struct, gc=False):
    """Requests of one route, surface, outcome and status."""

    seconds: list[float]  # how many lasted up to each bound, and longer; then the sum
    count: int = 0
    escalated: int = 0
    compared: int = 0  # with what the baseline would have cost
    saved_usd: float = 0.0
    overspent_usd: float = 0.0


class Tried(Struct, gc=False):
    """Attempts for one route at one endpoint with one outcome."""

    count: int = 0
    passed_on: int = 0  # to the next candidate
    cost_usd: float = 0.0
    unpriced: int = 0


class Answered(Struct, gc=False):
    """Answers of one endpoint."""

    first_token_s: list[float]  # as `Ended.seconds`
    streams: int = 0  # with content
    counted: int = 0  # with usage
    input: int = 0
    output: int = 0
    cached_input: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is read only when someone asks."""

    states: Callable[[], dict[str, State]]
    snapshot_age_s: Callable[[], float | None]
    retry_budget_left: Callable[[], int]
    records_dropped: Callable[[], int]
    generation: Callable[[], str]
    inflight: Callable[[], int]
    kube: Callable[[], Tally | None]  # None: outside a cluster


class Metrics:
    """All cells of one gateway. Register with `registry()`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.gauges: Gauges | None = None
        self._ended: dict[tuple[str, str, Outcome, int], Ended] = {}
        self._tried: dict[tuple[str, str, str], Tried] = {}
        self._answered: dict[str, Answered] = {}
        self.unauthorized = Cells("pointsman_unauthorized_requests", "Requests with a missing or wrong key.", ())
        self.reload_failures = Cells("pointsman_config_reload_failures", "Refused versions of the configuration.", ())
        self.reloads = Cells("pointsman_config_reloads", "Accepted versions of the configuration.", ())
        self.snapshot_errors = Cells("pointsman_snapshot_errors", "Snapshot files that were refused.", ("file",))
        self.reload_failures.add((), 0.0)
        self.reloads.add((), 0.0)
        self.unauthorized.add((), 0.0)

    def observe(self, decision: Decision) -> None:
        """Count one finished request."""
        considered = decision.considered
        route = "" if considered is None else considered.route.name
        key = (route, decision.surface, decision.outcome, decision.status)
        ended = self._ended.get(key)
        if ended is None:
            ended = self._ended[key] = Ended([0.0] * (len(DURATION_BUCKETS_S) + 2))
        ended.count += 1
        _observe(ended.seconds, DURATION_BUCKETS_S, decision.latency_ms / 1000.0)
        if considered is not None and considered.escalated:
            ended.escalated += 1
        saved_usd = decision.saved_usd
        if saved_usd is not None:
            ended.compared += 1
            if saved_usd >= 0:
                ended.saved_usd += saved_usd
            else:
                ended.overspent_usd -= saved_usd
        self._try(route, decision.attempts)
        if decision.endpoint is not None:
            self._answer(decision, decision.endpoint)

    def _try(self, route: str, attempts: tuple[AttemptRow, ...]) -> None:
        tried = None
        for row in attempts:
            if tried is not None:
                tried.passed_on += 1
            key = (route, row.endpoint, row.outcome)
            tried = self._tried.get(key)
            if tried is None:
                tried = self._tried[key] = Tried()
            tried.count += 1
            if row.cost_usd is None:
                tried.unpriced += 1
            else:
                tried.cost_usd += row.cost_usd

    def _answer(self, decision: Decision, endpoint: str) -> None:
        answered = self._answered.get(endpoint)
        if answered is None:
            answered = self._answered[endpoint] = Answered([0.0] * (len(TTFT_BUCKETS_S) + 2))
        if decision.ttft_ms is not None:
            answered.streams += 1
            _observe(answered.first_token_s, TTFT_BUCKETS_S, decision.ttft_ms / 1000.0)
        usage = decision.usage
        if usage is not None:
            answered.counted += 1
            answered.input += usage.input
            answered.output += usage.output
            answered.cached_input += usage.cached_input
            answered.reasoning += usage.reasoning

    def totals(self) -> dict[str, float]:
        """Sums since start, for the page."""
        ended, tried = self._ended.values(), self._tried.values()
        return {
            "requests": sum(row.count for row in ended),
            "attempts": sum(row.count for row in tried),
            "cost USD": sum(row.cost_usd for row in tried),
            "saved USD": sum(row.saved_usd - row.overspent_usd for row in ended),
        }

    def collect(self) -> Iterator[Metric]:
        """prometheus-client's collector protocol."""
        yield from _of_requests(list(self._ended.items()))
        yield from _of_attempts(list(self._tried.items()))
        yield from _of_answers(list(self._answered.items()))
        for cells in (self.unauthorized, self.reload_failures, self.reloads, self.snapshot_errors):
            yield cells.family()
        yield _info("pointsman_build_info", "version", self._version)
        if self.gauges is not None:
            yield from _gauges(self.gauges)


def registry(metrics: Metrics) -> CollectorRegistry:
    """A registry of its own, so that several gateways fit into one process."""
    found = CollectorRegistry(auto_describe=False)
    found.register(metrics)
    return found


def _observe(cells: list[float], bounds: tuple[float, ...], value: float) -> None:
    cells[bisect_left(bounds, value)] += 1
    cells[-1] += value


def _of_requests(rows: list[tuple[tuple[str, str, Outcome, int], Ended]]) -> Iterator[Metric]:
    yield _counter(
        "pointsman_requests", "Requests by how they ended.", ("route", "surface", "outcome", "code"),
        [((route, surface, outcome.value, str(status)), row.count) for (route, surface, outcome, status), row in rows],
    )  # fmt: skip
    yield _histogram(
        "pointsman_request_duration_seconds", "Whole requests.", ("route", "surface"), DURATION_BUCKETS_S,
        [((route, surface), row.seconds) for (route, surface, *_), row in rows],
    )  # fmt: skip
    yield _counter(
        "pointsman_escalated_requests", "Requests sent to a higher tier.", ("route",),
        [((route,), row.escalated) for (route, *_), row in rows if row.escalated],
    )  # fmt: skip
    # Prometheus counters only rise, so answers dearer than their baseline are a counter of their own.
    compared = [((route,), row) for (route, *_), row in rows if row.compared]
    yield _counter(
        "pointsman_saved_usd", "Baseline cost less cost, where positive, USD.", ("route",),
        [(labels, row.saved_usd) for labels, row in compared],
    )  # fmt: skip
    yield _counter(
        "pointsman_overspent_usd", "Cost less baseline cost, where positive, USD.", ("route",),
        [(labels, row.overspent_usd) for labels, row in compared],
    )  # fmt: skip


def _of_attempts(rows: list[tuple[tuple[str, str, str], Tried]]) -> Iterator[Metric]:
    yield _counter(
        "pointsman_attempts", "Attempts at endpoints.", ("endpoint", "outcome"),
        [((endpoint, outcome), row.count) for (_, endpoint, outcome), row in rows],
    )  # fmt: skip
    yield _counter(
        "pointsman_failovers", "Moves to the next candidate, by why.", ("reason",),
        [((outcome,), row.passed_on) for (*_, outcome), row in rows if row.passed_on],
    )  # fmt: skip
    yield _counter(
        "pointsman_cost_usd", "What providers charge for answers, USD.", ("route", "endpoint"),
        [((route, endpoint), row.cost_usd) for (route, endpoint, _), row in rows if row.cost_usd],
    )  # fmt: skip
    yield _counter(
        "pointsman_unpriced_requests", "Answers whose cost is unknown.", ("endpoint",),
        [((endpoint,), row.unpriced) for (_, endpoint, _), row in rows if row.unpriced],
    )  # fmt: skip


def _of_answers(rows: list[tuple[str, Answered]]) -> Iterator[Metric]:
    tokens: list[tuple[Labels, float]] = []
    for endpoint, row in rows:
        if row.counted:
            tokens += [((endpoint, "input"), row.input), ((endpoint, "output"), row.output)]
        if row.cached_input:
            tokens.append(((endpoint, "cached_input"), row.cached_input))
        if row.reasoning:
            tokens.append(((endpoint, "reasoning"), row.reasoning))
    yield _counter("pointsman_tokens", "Tokens by type.", ("endpoint", "type"), tokens)
    yield _histogram(
        "pointsman_time_to_first_token_seconds", "Request to first content.", ("endpoint",), TTFT_BUCKETS_S,
        [((endpoint,), row.first_token_s) for endpoint, row in rows if row.streams],
    )  # fmt: skip


def _counter(name: str, help_text: str, labels: Labels, values: Iterable[tuple[Labels, float]]) -> Metric:
    """A family of counters; values of the same labels are summed."""
    sums: dict[Labels, float] = {}
    for of, value in values:
        sums[of] = sums.get(of, 0.0) + value
    family = CounterMetricFamily(name, help_text, labels=labels)
    for of, value in sums.items():
        family.add_metric(of, value)
    return family


def _histogram(
    name: str, help_text: str, labels: Labels, bounds: tuple[float, ...], rows: Iterable[tuple[Labels, list[float]]]
) -> Metric:
    """A family of histograms; rows of the same labels are summed."""
    sums: dict[Labels, list[float]] = {}
    for of, cells in rows:
        sums[of] = [a + b for a, b in zip(sums[of], cells, strict=True)] if of in sums else cells
    family = HistogramMetricFamily(name, help_text, labels=labels)
    for of, cells in sums.items():
        names = (*map(str, bounds), "+Inf")
        family.add_metric(of, list(zip(names, accumulate(cells[:-1]), strict=True)), cells[-1])
    return family


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _info(name: str, label: str, value: str) -> Metric:
    family = GaugeMetricFamily(name, "Always 1; what counts is the label.", labels=(label,))
    family.add_metric((value,), 1)
    return family


def _gauges(gauges: Gauges) -> Iterator[Metric]:
    states = GaugeMetricFamily("pointsman_breaker_state", "0 closed, 1 half-open, 2 open.", labels=("endpoint",))
    for endpoint, state in gauges.states().items():
        states.add_metric((endpoint,), STATE_VALUES[state])
    yield states
    yield _gauge("pointsman_inflight_requests", "Requests being answered now.", gauges.inflight())
    age_s = gauges.snapshot_age_s()
    if age_s is not None:
        yield _gauge("pointsman_snapshot_age_seconds", "Age of the oldest shard of the monitor's snapshot.", age_s)
    yield _gauge("pointsman_retry_budget_left", "Extra tries that may be made now.", gauges.retry_budget_left())
    dropped = CounterMetricFamily("pointsman_records_dropped", "Decision records that could not be kept.")
    dropped.add_metric((), gauges.records_dropped())
    yield dropped
    yield _info("pointsman_config_info", "generation", gauges.generation())
    tally = gauges.kube()
    if tally is not None:
        yield from of_tally(tally)
