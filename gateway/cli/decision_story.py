"""A whole decision record as an account for people, with its attempts on a time axis (`pointsman decisions show`)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.cli.decision_line import OUTCOME_TONES, saved_share
from gateway.cli.ink import Ink, Tone, columns, ljust, plain, rjust
from gateway.cli.words import certified, counted, milliseconds, percent, usd

AXIS_MAX, AXIS_MIN = 40, 8  # columns
_LABEL_WIDTH = 11
_WAITING, _CONTENT = "░", "█"

Row = Mapping[str, Any]


def account(row: Row, ink: Ink) -> list[str]:
    """Lines for people, none wider than the ink's width."""
    when = plain(row.get("time") or "").replace("T", " ").rstrip("Z")
    lines = [f"{ink('decision', Tone.FAINT)} {ink(plain(row.get('id')), Tone.STRONG)}, {when} UTC"]
    lines += [f"{ljust(label, _LABEL_WIDTH)}  {text}" for label, text in _before(row, ink)]
    attempts = row.get("attempts") or ()
    if attempts:
        lines += [f"{ljust('attempts', _LABEL_WIDTH)}  {counted(len(attempts), 'attempt')}", *_axis(row, ink)]
    lines += [f"{ljust(label, _LABEL_WIDTH)}  {text}" for label, text in _after(row, ink)]
    return [ink.line(line) for line in lines]


def _before(row: Row, ink: Ink) -> Iterator[tuple[str, str]]:
    """What was known before anything was sent."""
    how = "stream" if row.get("stream") else "whole reply"
    key = f", key {plain(row['key_id'])}" if row.get("key_id") else ""
    yield "asked", f"{ink(plain(row.get('model')), Tone.STRONG)} ({plain(row.get('surface'))}, {how}{key})"
    if row.get("tags"):
        yield "tags", ", ".join(f"{plain(name)}={plain(value)}" for name, value in row["tags"].items())
    yield "prompt", _prompt(row)
    if row.get("route") is None:
        return
    arm = f", arm {plain(row['variant'])}" if row.get("variant") else ""
    yield "route", f"{ink(plain(row['route']), Tone.NAME)}{arm}"
    yield "sensitivity", ", ".join(ink(plain(name), Tone.WARN) for name in row.get("sensitivity") or ()) or "none"
    confidence = row.get("task_confidence")
    sure = "" if confidence is None else f", {percent(confidence)} sure"
    yield "task", f"{ink(plain(row.get('task')), Tone.NAME)}{sure}, difficulty {plain(row.get('difficulty'))}"
    escalated = " (escalated)" if row.get("escalated") else ""
    yield "tier", f"{plain(row.get('tier_required') or 'any')}{escalated}{certified(row)}"
    yield from _field(row, ink)


def _prompt(row: Row) -> str:
    words = [counted(row.get("prompt_chars") or 0, "character")]
    if row.get("estimated_input_tokens") is not None:
        words.append(f"about {counted(row['estimated_input_tokens'], 'token')}")
    words += [f"{name} {plain(row[f'{name}_hash'])}" for name in ("prompt", "session") if row.get(f"{name}_hash")]
    return ", ".join(words)


def _field(row: Row, ink: Ink) -> Iterator[tuple[str, str]]:
    """Who stood for it, in order, and how many could not."""
    costs = {one.get("endpoint"): one.get("estimated_cost") for one in row.get("candidates") or ()}
    plan = row.get("plan") or ()
    note = " (every endpoint was open: the least bad were tried)" if row.get("panic") else ""
    yield "plan", (f"{counted(len(plan), 'endpoint')}{note}" if plan else "nobody was left")
    width = max(map(columns, map(plain, plan)), default=0)
    for number, name in enumerate(plan, 1):
        estimate = "price unknown" if costs.get(name) is None else f"about {usd(costs[name])}"
        yield "", f"{number}  {ink(ljust(plain(name), width), Tone.NAME)}  {estimate}"
    reasons = [f"{plain(reason)} {count}" for reason, count in (row.get("excluded") or {}).items()]
    yield "excluded", ", ".join(reasons) or "nothing"


def _axis(row: Row, ink: Ink) -> Iterator[str]:
    """A line per attempt, each with its bar on one axis from the request to its end."""
    attempts: Sequence[Row] = row["attempts"]
    end_ms = max(row.get("latency_ms") or 0.0, *(_end_ms(one) for one in attempts), 1e-3)
    names = [plain(one.get("endpoint")) for one in attempts]
    ends = [f"{plain(one.get('outcome'))} {plain(one.get('status') or '')}".rstrip() for one in attempts]
    name_width, end_width = max(map(columns, names)), max(map(columns, ends))
    words = [_span(one) for one in attempts]
    room = ink.width - (2 + 3 + name_width + 2 + end_width + 2 + 2 + 2) - max(map(columns, words))
    width = max(AXIS_MIN, min(AXIS_MAX, room))
    for number, (one, name, end) in enumerate(zip(attempts, names, ends, strict=True), 1):
        tone = OUTCOME_TONES.get(plain(one.get("outcome")), Tone.BAD)
        bar = ink(_bar(one, end_ms, width), tone)
        lead = f"  {number}  {ink(ljust(name, name_width), Tone.NAME)}  {ink(ljust(end, end_width), tone)}"
        yield f"{lead}  │{bar}│  {words[number - 1]}"
        if one.get("error"):
            yield f"     {ink(plain(one['error']), Tone.FAINT)}"
    scale = milliseconds(end_ms)
    margin = " " * (2 + 3 + name_width + 2 + end_width + 2 + 1)
    streamed = any(one.get("ttft_ms") is not None for one in attempts)
    yield f"{margin}0{rjust(scale, width - 1)}{f'  ({_WAITING} until the first content)' if streamed else ''}"


def _end_ms(attempt: Row) -> float:
    return float((attempt.get("started_ms") or 0.0) + (attempt.get("duration_ms") or 0.0))


def _bar(attempt: Row, end_ms: float, width: int) -> str:
    """At least one cell, however short the attempt was. `ttft_ms` counts from the attempt's start."""
    start = min(width - 1, int((attempt.get("started_ms") or 0.0) / end_ms * width))
    end = min(width, max(start + 1, round(_end_ms(attempt) / end_ms * width)))
    first_ms = attempt.get("ttft_ms")
    first = start
    if first_ms is not None:
        first = min(end, max(start, round(((attempt.get("started_ms") or 0.0) + first_ms) / end_ms * width)))
    return (" " * start + _WAITING * (first - start) + _CONTENT * (end - first)).ljust(width)


def _span(attempt: Row) -> str:
    words = milliseconds(attempt.get("duration_ms"))
    if attempt.get("ttft_ms") is not None:
        words += f", first content {milliseconds(attempt['ttft_ms'])}"
    return f"{words}, {'cost unknown' if attempt.get('cost_usd') is None else usd(attempt['cost_usd'])}"


def _after(row: Row, ink: Ink) -> Iterator[tuple[str, str]]:
    """What came of it."""
    outcome = plain(row.get("outcome"))
    who = f" by {ink(plain(row['endpoint']), Tone.NAME)}" if row.get("endpoint") else ""
    first = f", first content after {milliseconds(row['ttft_ms'])}" if row.get("ttft_ms") is not None else ""
    took = milliseconds(row.get("latency_ms"))
    yield "ended", f"{ink(outcome, OUTCOME_TONES.get(outcome))} ({plain(row.get('status'))}){who}, {took}{first}"
    if row.get("error"):
        yield "error", ink(plain(row["error"]), Tone.BAD)
    if row.get("format_ok") is not None:
        yield "form", "JSON, as asked" if row["format_ok"] else ink("no JSON, though asked", Tone.WARN)
    if row.get("dropped"):
        yield "dropped", f"{', '.join(map(plain, row['dropped']))} (parameters that the endpoint does not have)"
    if row.get("usage"):
        yield "usage", _usage(row["usage"])
    yield "cost", _cost(row)
    if row.get("saved_usd") is not None:
        yield "saved", _saved(row)
    if row.get("trace_id"):
        yield "trace", plain(row["trace_id"])


def _usage(usage: Row) -> str:
    parts = {"cached_input": "from the cache", "cache_write": "written to the cache"}
    inner = [f"{usage[name]} {words}" for name, words in parts.items() if usage.get(name)]
    cached = f" ({', '.join(inner)})" if inner else ""
    text = f"{usage.get('input')} tokens in{cached}, {usage.get('output')} out"
    if usage.get("reasoning"):
        text += f" ({usage['reasoning']} of them reasoning)"
    if usage.get("units"):
        text += f", {counted(usage['units'], 'unit')}"
    return f"{text}{', estimated' if usage.get('estimated') else ''}"


def _cost(row: Row) -> str:
    cost = "unknown" if row.get("cost_usd") is None else usd(row["cost_usd"])
    own = row.get("provider_cost_usd")
    return cost if own is None else f"{cost}, by the provider's own account {usd(own)}"


def _saved(row: Row) -> str:
    share = saved_share(row)
    rate = "" if share is None else f" ({percent(share)})"
    would = f"{plain(row.get('baseline'))} would have cost {usd(row.get('baseline_cost_usd'))}"
    return f"{usd(row['saved_usd'])}{rate}: {would}"
