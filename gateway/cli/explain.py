"""`pointsman explain`: where would this request go, and why? Asked of a gateway, told as a tree."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.cli.ink import Ink, Tone, columns, ljust, plain, rjust, stdout_ink
from gateway.cli.local_http import Reply, post
from gateway.cli.output import print_json
from gateway.cli.words import certified, counted, milliseconds, percent, usd

BREAKER_TONES = {"closed": Tone.GOOD, "half_open": Tone.WARN, "open": Tone.BAD}
_LABEL_WIDTH = 11  # of "sensitivity"

Row = Mapping[str, Any]


def ask(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """The gateway's decision on the chat completion in `body`. Raises `Unreachable`."""
    given = {"content-type": "application/json", **headers}
    return post(f"{url.rstrip('/')}/v1/explain", given, body)


def show(reply: Reply, *, as_json: bool) -> int:
    """Print it; 0 if there is a plan, else 1."""
    decision = reply.json()
    if not isinstance(decision, dict):
        print(f"the answer (status {reply.status}) is not a decision; is this a gateway's URL?")
        return 1
    if as_json:
        print_json(decision)
    else:
        for line in tree(decision, stdout_ink()):
            print(line)
    return 0 if decision.get("plan") else 1


def tree(decision: Row, ink: Ink) -> list[str]:
    """The decision in lines for people, none wider than the ink's width."""
    error = decision.get("error")
    lines = []
    if isinstance(error, dict):
        lines.append(f"{ink('refused', Tone.BAD)} {_refusal(error)}")
    if "route" in decision:
        lines += _told(decision, ink)
    elif isinstance(error, dict) and isinstance(error.get("excluded"), dict):
        lines += [f"   {plain(reason)}: {count}" for reason, count in error["excluded"].items()]
    return [ink.line(line) for line in lines]


def _refusal(error: Row) -> str:
    return f"({plain(error.get('code') or error.get('type'))}): {plain(error.get('message'))}"


def _told(decision: Row, ink: Ink) -> Iterator[str]:
    variant = decision.get("variant")
    arm = f", arm {ink(plain(variant), Tone.NAME)}" if variant else ""
    yield f"{ink(plain(decision.get('model')), Tone.STRONG)} on route {ink(plain(decision['route']), Tone.NAME)}{arm}"
    for label, text in _facts(decision, ink):
        yield f"├─ {ljust(label, _LABEL_WIDTH)}  {text}"
    rows = {row["endpoint"]: row for row in decision.get("endpoints", [])}
    plan = decision.get("plan", [])
    planned = [rows.get(name, {"endpoint": name}) for name in plan]
    others = [row for row in rows.values() if row.get("eligible") and row["endpoint"] not in plan]
    excluded = [row for row in rows.values() if not row.get("eligible") and row["endpoint"] not in plan]
    yield f"├─ {ljust('plan', _LABEL_WIDTH)}  {_plan_words(decision, plan)}"
    yield from _candidates(planned, ink, "│  ")
    if others:
        yield f"├─ {ljust('also', _LABEL_WIDTH)}  {len(others)} eligible, behind the plan"
        yield from _candidates(others, ink, "│  ")
    yield f"└─ {ljust('excluded', _LABEL_WIDTH)}  {len(excluded) or 'nothing'}"
    yield from _excluded(excluded, ink)


def _facts(decision: Row, ink: Ink) -> Iterator[tuple[str, str]]:
    labels = decision.get("sensitivity") or ()
    why = decision.get("sensitivity_by") or {}
    sources = (f"{ink(plain(name), Tone.WARN)}{_by(why.get(name))}" for name in labels)
    yield "sensitivity", ", ".join(sources) or "none"
    reasons = ", ".join(map(plain, decision.get("task_reasons") or ()))
    confidence, difficulty = percent(decision.get("task_confidence")), plain(decision.get("difficulty"))
    task = ink(plain(decision.get("task")), Tone.NAME)
    yield "task", f"{task}, {confidence} sure{f': {reasons}' if reasons else ''}; difficulty {difficulty}"
    escalated = " (escalated: among the most difficult)" if decision.get("escalated") else ""
    yield "tier", f"{ink(plain(decision.get('tier_required') or 'any'), Tone.NAME)}{escalated}{certified(decision)}"
    limit = decision.get("cost_limit_usd")
    most = "" if limit is None else f"; may cost {usd(limit)} at most"
    tokens_in, tokens_out = decision.get("estimated_input_tokens"), decision.get("estimated_output_tokens")
    yield "size", f"about {plain(tokens_in)} tokens in, {plain(tokens_out)} out{most}"
    if decision.get("baseline"):
        yield "baseline", f"{plain(decision['baseline'])}, which savings are counted against"


def _by(sources: Sequence[str] | None) -> str:
    return f" (by {' and '.join(map(plain, sources))})" if sources else ""


def _plan_words(decision: Row, plan: Sequence[str]) -> str:
    if not plan:
        return "nobody is left"
    return "every endpoint is open: the least bad are tried" if decision.get("panic") else "tried in this order"


def _candidates(rows: Sequence[Row], ink: Ink, edge: str) -> Iterator[str]:
    """A line each, in columns: place, endpoint, tier, estimated cost, health."""
    cells = [
        (plain(row["endpoint"]), plain(row.get("tier") or "no tier"), _cost(row.get("estimated_cost_usd")))
        for row in rows
    ]
    name, tier, cost = (max((columns(cell[at]) for cell in cells), default=0) for at in range(3))
    for number, (row, cell) in enumerate(zip(rows, cells, strict=True), 1):
        branch = "└─" if number == len(rows) else "├─"
        words = [ink(ljust(cell[0], name), Tone.NAME), ljust(cell[1], tier), rjust(cell[2], cost), *_health(row, ink)]
        yield f"{edge}{branch} {number}  {'  '.join(words)}".rstrip()


def _cost(usd_estimated: float | None) -> str:
    return "price unknown" if usd_estimated is None else usd(usd_estimated)


def _health(row: Row, ink: Ink) -> Iterator[str]:
    health = row.get("health") or {}
    breaker = health.get("breaker")
    if breaker:
        yield ink(plain(breaker).replace("_", "-"), BREAKER_TONES.get(breaker))
    if health.get("rate_limited_for_s"):
        yield ink(f"rate-limited for {health['rate_limited_for_s']:g} s", Tone.WARN)
    if health.get("ttft_p95_ms"):
        yield f"first token p95 {milliseconds(health['ttft_p95_ms'])}"
    if row.get("reasons"):  # in a panic: why it would not have been tried
        yield ink(", ".join(map(plain, row["reasons"])), Tone.WARN)


def _excluded(rows: Sequence[Row], ink: Ink) -> Iterator[str]:
    """By reason, the most frequent first; an endpoint stands under each of its own."""
    names: dict[str, list[str]] = {}
    for row in rows:
        for reason in row.get("reasons", ()):
            names.setdefault(plain(reason), []).append(plain(row["endpoint"]))
    ordered = sorted(names.items(), key=lambda entry: -len(entry[1]))
    reason_width = max(map(columns, names), default=0)
    count_width = len(str(max(map(len, names.values()), default=0)))
    for number, (reason, endpoints) in enumerate(ordered, 1):
        branch = "└─" if number == len(ordered) else "├─"
        lead = f"   {branch} {ink(ljust(reason, reason_width), Tone.WARN)}  {len(endpoints):>{count_width}}  "
        room = ink.width - (len(f"   {branch}   ") + reason_width + count_width + 2)
        yield lead + _as_many(endpoints, room)


def _as_many(names: Sequence[str], room: int) -> str:
    """The names that fit into `room` columns, and how many more there are."""
    for shown in range(len(names), 0, -1):
        left = len(names) - shown
        text = ", ".join(names[:shown]) + (f", and {counted(left, 'other')}" if left else "")
        if columns(text) <= room:
            return text
    return f"{counted(len(names), 'endpoint')}" if room >= 12 else "…"
