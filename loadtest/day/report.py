"""The report of a day: numbers first as one JSON value, then as text made from that value. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.day.script import Log

Json = Any  # a parsed JSON value

_HEAD = ("stretch", "requests", "lower tier", "true loss", "$ per 1,000", "saved per 1,000")


def as_json(log: Log, errors: Sequence[str], failed: str | None) -> dict[str, Json]:
    """`failed`: why the day ended early; None where everything happened."""
    return {
        "passed": failed is None and not errors,
        "failed": failed,
        "errors": list(dict.fromkeys(errors))[:5],
        "failed_requests": len(errors),
        "steps": [{"at_s": step.at_s, "step": step.name, "told": step.told} for step in log.steps],
        "certificates": log.certificates,
        "stretches": [block.as_json() for block in log.blocks],
        "evaluation_usd": log.evaluation_usd,
    }


def as_text(report: Mapping[str, Json]) -> str:
    lines = [f"{step['at_s']:6.1f} s  {step['step']:16}  {step['told']}" for step in report["steps"]]
    lines += ["", *_table(report["stretches"])]
    if report["evaluation_usd"]:
        lines += ["", f"second answers and judgements cost ${report['evaluation_usd']:.4f}"]
    lines += [f"error: {error}" for error in report["errors"]]
    lines += ["", "everything happened" if report["passed"] else f"FAILED: {_why(report)}"]
    return "\n".join(lines)


def _why(report: Mapping[str, Json]) -> str:
    return report["failed"] or f"{report['failed_requests']} requests were not answered"


def _table(stretches: Sequence[Mapping[str, Json]]) -> list[str]:
    rows = [_HEAD]
    for one in stretches:
        money = (f"{one['cost_usd_per_1000']:.4f}", f"{one['saved_usd_per_1000']:.4f}")
        rows.append((one["name"], *_shares(one), *money))
        rows += [(f"  {task}", *_shares(found), "", "") for task, found in one["by_task"].items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [_line(row, widths) for row in rows]


def _shares(one: Mapping[str, Json]) -> tuple[str, str, str]:
    return str(one["requests"]), f"{one['lower']:.0%}", f"{one['loss']:+.1%}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([name, *numbers]).rstrip()
