"""docs/metrics.md: every family of both processes, as their own registries tell them.

    python -m scripts.metrics_page            # exit status 1 where the page in the repository is out of date
    python -m scripts.metrics_page --write    # write it
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from gateway.compose import Gateway, new_clock
from gateway.config.here import known_here
from gateway.config.load import load_defaults
from gateway.edge import metrics as of_gateway
from gateway.edge.families import Counter, Gauge, Histogram
from gateway.edge.records import Records
from gateway.settings import Settings
from gateway.upstream.client import Upstream
from monitor import metrics as of_monitor
from monitor.http import OutcomesReader
from monitor.ports import Clock
from monitor.serve import Outside, Process

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
PREFIX = "pointsman_"

LABELS = {
    "code": "HTTP status that the client got; 499: the client left first",
    "endpoint": "`provider/model`, as configured",
    "file": "name of the snapshot's file, `shard-NN.json` or `prices.json`",
    "finding": "`ok`, `failed`, `rate_limited`, `refused`, `misconfigured`, `void` (says nothing)",
    "form": "`ok`, `broken`",
    "from": "`closed`, `half_open`, `open`",
    "generation": "short hash of the configuration's bytes",
    "label": "sensitivity, as configured",
    "means": "`models` (the provider's list of models), `tcp` (a connection), `completion` (a few tokens)",
    "model": "as users name it in the configuration",
    "outcome": "requests: `ok`, `partial` (broke after its first content), `failed`, `rejected` (refused by the "
    "gateway or the provider), `cancelled` (the client left)",
    "outcome of pointsman_attempts": "`ok`, `partial`, `cancelled`, or why it failed: `unreachable`, "
    "`connect_timeout`, `first_token_timeout`, `answer_timeout`, `idle_timeout`, `total_timeout`, `disconnected`, "
    "`truncated`, `malformed`, `rate_limited`, `overloaded`, `server_error`, `credential`, `billing`, `not_found`, "
    "`rejected`, `context_length`, `too_large`, `internal`, `shutdown` (the gateway ended first)",
    "provider": "as configured",
    "quantile": "`0.5`, `0.95`, `0.99`",
    "reason of pointsman_exclusions": "`sensitivity`, `capability:<what>` (`capability:field`: a field of the request "
    "that the provider's format cannot express), `context`, `tier`, `not_allowed` (by the request's own `provider` "
    "rules), `price`, `cost_limit`, `breaker_open`, `rate_limited`, `no_key`",
    "reason of pointsman_failovers": "outcome of the attempt before, as of pointsman_attempts_total",
    "reason of pointsman_kube_watch_restarts": "`end` (as usual), `short` (after less than a second), "
    "`expired`, `silent`, `network`, `denied`, `throttled`, `error`",
    "reason of pointsman_probes_skipped": "`proven`, `paused`, `unpriced`, `budget`",
    "reason of pointsman_shed_requests": "`overloaded`, `rate_limited`, `connections`, `slow_head`",
    "result of pointsman_evaluation_halves": "`new`, `known` (handed over before), `refused`, "
    "`unauthorized` (without the token that gateways and monitor share)",
    "result of pointsman_evaluation_work": "`answered`, `same` (nobody had to be asked), `given_up`, `judged`, "
    "`skipped` (the judge's words could not be read), `postponed` (failed, and is tried again), `over_budget` (waits "
    "for money), `expired` (texts were deleted), `failures` (of the store, or of this program)",
    "route": "as configured; empty where a request was refused before it had one",
    "sink": "`journal`, `traces`, `otlp_logs`, `langfuse`, `helicone`, `webhook`, `evaluation`",
    "source": "`openrouter`, `huggingface`, `models.dev`, `litellm`",
    "state": "`idle`, `busy`",
    "state of pointsman_evaluation_pairs": "`waiting` (for the second answer), `given_up` (it never came), `unjudged`, "
    "`people`, `model` (by whom it was judged), `same` (both answers would come from one endpoint)",
    "status": "HTTP status, or `unreachable`",
    "step": "number of the lower of two tiers; the lowest is 0",
    "surface": "client API: `chat`, `responses`, `messages`, `completions`, `embeddings`, and so on",
    "task": "as configured (`code`, `math`, …), or the operation where it is no conversation; of "
    "certificates, empty: every task that has none of its own",
    "tier": "as configured; empty: none",
    "to": "`closed`, `half_open`, `open`",
    "type": "kind of token: `input`, `output`, `cached_input`, `reasoning`",
    "type of pointsman_price_usd_per_million_tokens": "`input`, `output`",
    "variant": "of the route's `split`, as configured",
    "version": "of the program",
}
"""What labels mean; where one means something else in one family, it is told of that family."""

HEAD = """# Metrics

<!-- Made by `python -m scripts.metrics_page --write` from the registries of both processes; a test compares. -->

The gateway shows these at `/metrics` of its admin port, the monitor at its own port, in Prometheus' text format, and in
OpenMetrics where it is asked for (with exemplars: the trace id of one request of each bucket). Every name that is not
listed under "process" begins with `pointsman_`. Labels hold configured names and words of this program only, never
anything of a request: no key, no user, no session, no model that a client made up.

Times are seconds, money is USD, `_total` marks a counter (use `rate` or `increase`), a histogram has `_bucket`, `_sum`
and `_count`. What there is not yet is absent, not zero.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One family, with its name as it is queried."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def rows(registry: CollectorRegistry) -> list[Row]:
    """Every family of the registry, ours first, by name."""
    found = [
        Row(
            f"{family.name}_total" if family.type == "counter" else family.name,
            family.type,
            family.labels if isinstance(family, Counter | Gauge | Histogram) else (),
            family.documentation,
        )
        for family in registry.collect()
    ]
    return sorted(found, key=lambda row: (not row.name.startswith(PREFIX), row.name))


async def registries() -> tuple[CollectorRegistry, CollectorRegistry]:
    """Those of a gateway and of a monitor that have not begun to work."""
    compiled = load_defaults(known_here(None, date(2026, 1, 1), {}))
    clock, upstream = new_clock(), Upstream()
    gateway = Gateway(compiled, Records(None), clock, upstream)
    async with aiohttp.ClientSession() as session:
        settings = Settings(state_dir=PAGE.parent, kubernetes="off")
        outside = Outside(Clock(clock.now_s, clock.epoch_s), upstream, session, OutcomesReader(session), None)
        process = Process(settings, compiled, outside)
        return of_gateway.registry(gateway.metrics), of_monitor.registry(process.collector)


def meaning(label: str, row: Row) -> str:
    """What the label means in that family. Raises KeyError for one that nobody has explained."""
    own = f"{label} of {row.name.removesuffix('_total')}"
    return LABELS[own] if own in LABELS else LABELS[label]


def page() -> str:
    gateway, monitor = map(rows, asyncio.run(registries()))
    both = [row.name for row in gateway if row.name.startswith(PREFIX)]
    shared = {row.name for row in monitor} & set(both)
    parts = [HEAD, "## Gateway\n", *_table(gateway), "\n## Monitor\n"]
    parts += [f"Beside families of its own it shows {len(shared)} that the gateway has as well, of what it sees.\n"]
    parts += [*_table(monitor), "\n## Labels\n", "| label | values |", "|---|---|", *_labels([*gateway, *monitor])]
    parts += ["\n## Process\n", "Both processes show these too.\n", "| name | type | help |", "|---|---|---|"]
    parts += [f"| `{row.name}` | {row.kind} | {row.help} |" for row in gateway if not row.name.startswith(PREFIX)]
    return "\n".join(parts) + "\n"


def _table(found: Iterable[Row]) -> Iterator[str]:
    yield "| name | type | labels | what it tells, and when to worry |"
    yield "|---|---|---|---|"
    for row in found:
        if row.name.startswith(PREFIX):
            labels = ", ".join(f"`{label}`" for label in row.labels)
            yield f"| `{row.name}` | {row.kind} | {labels} | {row.help} |"


def _labels(found: Iterable[Row]) -> Iterator[str]:
    """Each meaning once; one that is of a single family names it."""
    told: dict[str, str] = {}
    for row in found:
        for label in row.labels:
            own = f"{label} of {row.name.removesuffix('_total')}"
            name = f"`{label}` of `{row.name}`" if own in LABELS else f"`{label}`"
            told[name] = meaning(label, row)
    yield from (f"| {name} | {told[name]} |" for name in sorted(told))


def main(arguments: list[str]) -> int:
    made = page()
    if "--write" in arguments:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == made:
        return 0
    print("docs/metrics.md is out of date: python -m scripts.metrics_page --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
