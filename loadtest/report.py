"""The report of a run: numbers first as one JSON value, then as text made from that value."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from loadtest.flight import OK, Flight

Json = Any  # a parsed JSON value

_PERCENTILES = (50, 90, 95, 99)
_EXAMPLES = 5


def percentiles_ms(values_s: Iterable[float | None]) -> dict[str, float]:
    """Nearest-rank percentiles in milliseconds; empty where there are no values."""
    ordered = sorted(value for value in values_s if value is not None)
    if not ordered:
        return {}
    return {f"p{p}": round(ordered[math.ceil(p / 100 * len(ordered)) - 1] * 1000, 1) for p in _PERCENTILES}


def summary(flights: Sequence[Flight], *, elapsed_s: float, expected_errors: frozenset[str]) -> dict[str, Json]:
    """Everything about the requests themselves."""
    served = [flight for flight in flights if flight.outcome == OK]
    errors = Counter(flight.outcome for flight in flights if flight.outcome != OK)
    return {
        "requests": len(flights),
        "ok": len(served),
        "errors": dict(errors),
        "unexpected_errors": sum(count for kind, count in errors.items() if kind not in expected_errors),
        "examples": _examples(flights),
        "failovers": sum(1 for flight in flights if flight.attempts > 1),
        "elapsed_s": round(elapsed_s, 2),
        "per_s": round(len(flights) / elapsed_s, 1) if elapsed_s else 0.0,
        "total_ms": percentiles_ms(flight.total_s for flight in served),
        "first_token_ms": percentiles_ms(flight.first_token_s for flight in served),
        "by_endpoint": _grouped(served, lambda flight: flight.endpoint or "(no endpoint header)"),
        "by_task": _grouped(served, lambda flight: flight.job.task),
        "cost_usd": math.fsum(flight.cost_usd or 0.0 for flight in flights),
    }


def _examples(flights: Iterable[Flight]) -> list[str]:
    """A few different ones, oldest first."""
    failed = (f"{flight.outcome}: {flight.detail}" for flight in flights if flight.outcome != OK)
    return list(dict.fromkeys(failed))[:_EXAMPLES]


def _grouped(flights: Iterable[Flight], key: Callable[[Flight], str]) -> dict[str, Json]:
    groups: defaultdict[str, list[Flight]] = defaultdict(list)
    for flight in flights:
        groups[key(flight)].append(flight)
    return {
        name: {
            "requests": len(group),
            "total_ms": percentiles_ms(flight.total_s for flight in group),
            "first_token_ms": percentiles_ms(flight.first_token_s for flight in group),
            "cost_usd": math.fsum(flight.cost_usd or 0.0 for flight in group),
        }
        for name, group in sorted(groups.items())
    }


def as_text(report: Mapping[str, Json]) -> str:
    lines = [
        f"requests      {report['requests']}  ok {report['ok']}  in {report['elapsed_s']} s  ({report['per_s']}/s)",
        f"errors        {_counts(report['errors'])}   unexpected: {report['unexpected_errors']}",
        *(f"              {example}" for example in report["examples"]),
        f"failovers     {report['failovers']}",
        f"total         {_percentile_text(report['total_ms'])}",
        f"first token   {_percentile_text(report['first_token_ms'])}",
        f"cost          ${report['cost_usd']:.6f}{_saved_text(report.get('saved_usd'))}",
    ]
    for title, key in (("endpoint", "by_endpoint"), ("task", "by_task")):
        lines += ["", f"{title:24} {'requests':>8} {'p50 ms':>9} {'p99 ms':>9} {'first p50':>10} {'cost':>12}"]
        lines += [_group_text(name, group) for name, group in report[key].items()]
    if report.get("bills"):
        lines += ["", f"{'provider':24} {'billed':>14} {'ours':>14} {'difference':>14}"]
        lines += [
            f"{row['provider']:24} {row['billed_usd']:14.8f} {row['ours_usd']:14.8f} {row['difference_usd']:14.8f}"
            for row in report["bills"]
        ]
    if report.get("kill"):
        lines += ["", *(f"{name.replace('_', ' '):40} {value}" for name, value in report["kill"].items())]
    return "\n".join(lines)


def _counts(errors: Mapping[str, int]) -> str:
    return "  ".join(f"{kind} {count}" for kind, count in errors.items()) or "none"


def _percentile_text(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.1f} ms" for name, value in values.items()) or "-"


def _saved_text(saved_usd: float | None) -> str:
    return "" if saved_usd is None else f"   saved ${saved_usd:.6f}"


def _group_text(name: str, group: Mapping[str, Json]) -> str:
    total, first = group["total_ms"], group["first_token_ms"].get("p50")
    first_text = "-" if first is None else f"{first:.1f}"
    return (
        f"{name:24} {group['requests']:>8} {total['p50']:>9.1f} {total['p99']:>9.1f} {first_text:>10} "
        f"{group['cost_usd']:>12.6f}"
    )
