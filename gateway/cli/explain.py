"""`pointsman explain`: where would this request go, and why? Asked of a running gateway, told as a short story."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gateway.cli.local_http import Reply, post
from gateway.cli.output import print_json

EXAMPLES_PER_REASON = 3  # endpoints named beside each reason; --json has all of them


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
        for line in story(decision):
            print(line)
    return 0 if decision.get("plan") else 1


def story(decision: Mapping[str, Any]) -> list[str]:
    """The decision in lines for people."""
    error = decision.get("error")
    if isinstance(error, dict):
        return _refusal(error)
    lines = [
        f"model {decision.get('model')} on route {_route(decision)}",
        f"├─ task {decision.get('task')} ({_percent(decision.get('task_confidence'))} sure"
        f"{_because(decision.get('task_reasons'))}), difficulty {decision.get('difficulty')}",
        f"├─ tier {decision.get('tier_required') or 'any'}{' (escalated)' if decision.get('escalated') else ''}"
        f", sensitivity {', '.join(decision.get('sensitivity') or ()) or 'none'}",
        f"├─ about {decision.get('estimated_input_tokens')} tokens in, {decision.get('estimated_output_tokens')} out"
        f"{_limit(decision.get('cost_limit_usd'))}",
    ]
    rows = {row["endpoint"]: row for row in decision.get("endpoints", [])}
    plan = decision.get("plan", [])
    lines.append(f"├─ plan{' (every endpoint is open: the least bad are tried)' if decision.get('panic') else ''}")
    lines += [f"│  {number}. {_candidate(rows.get(name, {'endpoint': name}))}" for number, name in enumerate(plan, 1)]
    others = [row for row in rows.values() if row.get("eligible") and row["endpoint"] not in plan]
    if others:
        lines.append(f"├─ also eligible: {len(others)}")
    excluded = [row for row in rows.values() if not row.get("eligible")]
    lines.append(f"└─ excluded: {len(excluded)}")
    return lines + _reasons(excluded)


def _refusal(error: Mapping[str, Any]) -> list[str]:
    lines = [f"refused ({error.get('code') or error.get('type')}): {error.get('message')}"]
    excluded = error.get("excluded")
    if isinstance(excluded, dict):
        lines += [f"   {reason}: {count}" for reason, count in excluded.items()]
    return lines


def _route(decision: Mapping[str, Any]) -> str:
    variant = decision.get("variant")
    return f"{decision.get('route')}, arm {variant}" if variant else str(decision.get("route"))


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"


def _because(reasons: list[str] | None) -> str:
    return f": {', '.join(reasons)}" if reasons else ""


def _limit(usd: float | None) -> str:
    return "" if usd is None else f", at most {usd:g} USD"


def _candidate(row: Mapping[str, Any]) -> str:
    health = row.get("health") or {}
    words = [str(row["endpoint"]), str(row.get("tier") or "no tier"), _cost(row.get("estimated_cost_usd"))]
    words.append(str(health.get("breaker", "")))
    if health.get("ttft_p95_ms"):
        words.append(f"first token p95 {health['ttft_p95_ms']:.0f} ms")
    return "  ".join(word for word in words if word)


def _cost(usd: float | None) -> str:
    return "price unknown" if usd is None else f"{usd:.6f} USD"


def _reasons(excluded: list[Mapping[str, Any]]) -> list[str]:
    counts = Counter(reason for row in excluded for reason in row.get("reasons", ()))
    lines = []
    for reason, count in counts.most_common():
        names = [row["endpoint"] for row in excluded if reason in row.get("reasons", ())]
        more = ", …" if count > EXAMPLES_PER_REASON else ""
        lines.append(f"   {reason}: {count} ({', '.join(names[:EXAMPLES_PER_REASON])}{more})")
    return lines
