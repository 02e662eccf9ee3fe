"""Prometheus metrics of the gateway.

A finished request adds its numbers to a few rows, one look-up each: of requests that ended so, of attempts that ended
so, of the endpoint that answered, of its task. What Prometheus calls a family is made of the rows at scrape time
(`metrics_families`); what can be read from the gateway's parts is not counted at all (`metrics_gauges`).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import Exemplar, Metric
from prometheus_client.registry import Collector

from gateway.core.decision import AttemptRow, Considered, Decision
from gateway.core.trace import Trace
from gateway.edge import metrics_families as families
from gateway.edge.families import Cells, gauge, no_cells, observe
from gateway.edge.metrics_gauges import Gauges, Unopened, of_gauges
from gateway.edge.metrics_rows import DURATION_BUCKETS_S, TTFT_BUCKETS_S, Answered, Ended, Kept, Tried, Varied

KINDS_KEPT = 128  # sets of exclusions remembered until they are added up


class Metrics(Collector):
    """All cells of one gateway. Register with `registry()`."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.gauges: Gauges | None = None
        self._ended: dict[families.EndedKey, Ended] = {}
        self._tried: dict[families.TriedKey, Tried] = {}
        self._answered: dict[str, Answered] = {}
        self._routed: dict[families.RoutedKey, int] = {}
        self._varied: dict[families.VariedKey, Varied] = {}
        self._labelled: dict[str, int] = {}
        self._kept: dict[int, Kept] = {}  # by identity: requests of one kind share what is excluded
        self._excluded: Counter[str] = Counter()
        self.unauthorized = Cells(
            "pointsman_unauthorized_requests",
            "Requests with a missing or wrong key. Worry about a steady rate: a client is misconfigured, or someone "
            "tries keys.",
            (),
        )
        self.reload_failures = Cells(
            "pointsman_config_reload_failures",
            "Refused versions of the configuration. Worry at each: the one before stays in force, and the log says "
            "what is wrong.",
            (),
        )
        self.reloads = Cells("pointsman_config_reloads", "Accepted versions of the configuration.", ())
        self.snapshot_errors = Cells(
            "pointsman_snapshot_errors",
            "Snapshot files that were refused, since they are damaged or of another version; the last good one stays.",
            ("file",),
        )
        self.drawn = Cells(
            "pointsman_evaluation_drawn",
            "Requests drawn for blind evaluation whose answers were whole: the first halves of pairs, on their way to "
            "the monitor. Worry where a route evaluates and none are drawn: its certificates run out.",
            ("route",),
        )
        self.certified = Cells(
            "pointsman_certified_requests",
            "Requests sent a tier lower than the rules ask, on a certificate. It stands still where one was withdrawn.",
            ("route", "task"),
        )

        self.formed = Cells(
            "pointsman_json_answers",
            "Whole answers to requests that asked for JSON, by whether they are JSON, and an object where that was "
            "asked for. Worry where broken is more than a few per cent of an endpoint's: clients cannot read those, "
            "though they count as ok. Ask for a schema, raise the limit on output, or send them to another model.",
            ("route", "endpoint", "form"),
        )

    def observe(self, decision: Decision) -> None:
        """Count one finished request."""
        considered = decision.considered
        route = "" if considered is None else considered.route.name
        key = (route, decision.surface, decision.outcome, decision.status)
        ended = self._ended.get(key)
        if ended is None:
            ended = self._ended[key] = Ended(no_cells(DURATION_BUCKETS_S))
        ended.count += 1
        place = observe(ended.seconds, DURATION_BUCKETS_S, decision.latency_ms / 1000.0)
        trace = decision.trace
        if trace is not None and trace.recorded:
            ended.traced[place] = _exemplar(trace, decision.latency_ms, decision.time_s)
        if considered is not None:
            self._route(decision, considered, ended)
        saved_usd = decision.saved_usd
        if saved_usd is not None:
            ended.compared += 1
            ended.baseline_usd += decision.baseline_cost_usd or 0.0
            if saved_usd >= 0:
                ended.saved_usd += saved_usd
            else:
                ended.overspent_usd -= saved_usd
        self._try(route, decision.attempts)
        if decision.endpoint is not None:
            self._answer(decision, route, decision.endpoint)

    def _route(self, decision: Decision, considered: Considered, ended: Ended) -> None:
        """Count what the plan was made of; most requests have no variant, no label and no panic."""
        tier = considered.tier_required
        key = (considered.route.name, considered.task, "" if tier is None else decision.tiers[tier])
        self._routed[key] = self._routed.get(key, 0) + 1
        excluded = considered.excluded
        if excluded:
            kept = self._kept.get(id(excluded))
            if kept is None:
                kept = self._keep(excluded)
            kept.count += 1
        if considered.labels:
            for label in considered.labels:
                self._labelled[label.name] = self._labelled.get(label.name, 0) + 1
        if considered.escalated:
            ended.escalated += 1
        if considered.panic:
            ended.panicked += 1
        if considered.certificate is not None:
            self.certified.add((considered.route.name, considered.task))
        if considered.variant is not None:
            self._vary(decision, considered.route.name, considered.variant.name)

    def _keep(self, excluded: Mapping[str, tuple[str, ...]]) -> Kept:
        if len(self._kept) >= KINDS_KEPT:
            self._add_up()
        kept = self._kept[id(excluded)] = Kept(excluded)
        return kept

    def _add_up(self) -> None:
        """Turn remembered exclusions into sums, most of the work by the tuple of reasons: there are few of those."""
        kinds, self._kept = self._kept, {}
        found: Counter[tuple[str, ...]] = Counter()
        for kept in kinds.values():
            if kept.count == 1:
                found.update(kept.excluded.values())
            else:
                found.update({reasons: n * kept.count for reasons, n in Counter(kept.excluded.values()).items()})
        for reasons, n in found.items():
            for reason in reasons:
                self._excluded[families.reason_label(reason)] += n

    def _vary(self, decision: Decision, route: str, variant: str) -> None:
        key = (route, variant, decision.outcome)
        varied = self._varied.get(key)
        if varied is None:
            varied = self._varied[key] = Varied(no_cells(DURATION_BUCKETS_S))
        varied.count += 1
        observe(varied.seconds, DURATION_BUCKETS_S, decision.latency_ms / 1000.0)
        varied.cost_usd += decision.cost_usd or 0.0

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

    def _answer(self, decision: Decision, route: str, endpoint: str) -> None:
        answered = self._answered.get(endpoint)
        if answered is None:
            answered = self._answered[endpoint] = Answered(no_cells(TTFT_BUCKETS_S))
        if decision.ttft_ms is not None:
            answered.streams += 1
            place = observe(answered.first_token_s, TTFT_BUCKETS_S, decision.ttft_ms / 1000.0)
            trace = decision.trace
            if trace is not None and trace.recorded:
                answered.traced[place] = _exemplar(trace, decision.ttft_ms, decision.time_s)
        usage = decision.usage
        if usage is not None:
            answered.counted += 1
            answered.input += usage.input
            answered.output += usage.output
            answered.cached_input += usage.cached_input
            answered.reasoning += usage.reasoning
        if decision.format_ok is not None:  # JSON was asked for
            self.formed.add((route, endpoint, "ok" if decision.format_ok else "broken"))

    def totals(self) -> dict[str, float]:
        """Sums since the start."""
        ended, tried = self._ended.values(), self._tried.values()
        return {
            "requests": sum(row.count for row in ended),
            "attempts": sum(row.count for row in tried),
            "cost_usd": sum(row.cost_usd for row in tried),
            "saved_usd": sum(row.saved_usd - row.overspent_usd for row in ended),
        }

    def collect(self) -> Iterable[Metric]:
        """prometheus-client's collector protocol."""
        self._add_up()
        ended = list(self._ended.items())
        yield from families.of_requests(ended)
        yield from families.of_attempts(list(self._tried.items()))
        yield from families.of_answers(list(self._answered.items()))
        yield from families.of_routing(list(self._routed.items()), self._labelled.items(), self._excluded.items())
        yield from families.of_variants(list(self._varied.items()))
        door = Unopened() if self.gauges is None else self.gauges.door()
        yield families.of_shed(ended, door.turned_away, door.timed_out)
        yield from (self.drawn.family(), self.certified.family(), self.formed.family())
        for cells in (self.unauthorized, self.reload_failures, self.reloads, self.snapshot_errors):
            yield cells.family()
        yield gauge(
            "pointsman_build_info",
            "Always 1; the label is the version that runs. Worry where replicas differ for longer than a rollout.",
            ("version",),
            {(self._version,): 1},
        )
        if self.gauges is not None:
            yield from of_gauges(self.gauges)


def _exemplar(trace: Trace, value_ms: float, time_s: float) -> Exemplar:
    """A request that can be looked up: spans were made of it."""
    return Exemplar({"trace_id": trace.trace_id}, value_ms / 1000.0, time_s)


def registry(metrics: Metrics) -> CollectorRegistry:
    """A registry of its own, so that several gateways fit into one process."""
    found = CollectorRegistry(auto_describe=False)
    found.register(metrics)
    ProcessCollector(registry=found)
    GCCollector(registry=found)
    return found
