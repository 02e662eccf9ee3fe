"""A decision record as one line for people, as `pointsman decisions tail` prints it.

Reads the JSON of CONTRACT §7, whole or as the admin port lists it; a field that is not there is not shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.cli.ink import Ink, Tone, ljust, plain, rjust
from gateway.cli.words import milliseconds, percent, usd

OUTCOME_TONES = {
    "ok": Tone.GOOD, "partial": Tone.BAD, "failed": Tone.BAD, "rejected": Tone.WARN, "cancelled": Tone.FAINT,
}  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions; None is any."""

    route: str | None = None
    outcome: str | None = None
    endpoint: str | None = None  # that was tried, or answered

    def fits(self, row: Row) -> bool:
        """Feedback belongs to no route, so that any filter keeps it out."""
        if row.get("type") == "feedback":
            return self == Wanted()
        tried = {attempt.get("endpoint") for attempt in row.get("attempts") or ()} | {row.get("endpoint")}
        return (
            self.route in (None, row.get("route"))
            and self.outcome in (None, row.get("outcome"))
            and (self.endpoint is None or self.endpoint in tried)
        )


def line(row: Row, ink: Ink) -> str:
    """Time (UTC), id, outcome, status, duration, cost, saved, route, task and tier, who was tried."""
    if row.get("type") == "feedback":
        return ink.line(_feedback(row, ink))
    outcome = plain(row.get("outcome"))
    words = [
        ink(_clock(row), Tone.FAINT),
        plain(row.get("id")),
        ink(ljust(outcome, 9), OUTCOME_TONES.get(outcome)),
        rjust(plain(row.get("status") or ""), 3),
        rjust(milliseconds(row.get("latency_ms")), 8),
        rjust(usd(row.get("cost_usd")), 11),
        ljust(_saved(row), 12),
        ljust(plain(row.get("route") or "-"), 8),
        ljust(_task(row), 19),
        _path(row, ink),
    ]
    return ink.line("  ".join(words).rstrip())


def _feedback(row: Row, ink: Ink) -> str:
    words = [ink(_clock(row), Tone.FAINT), plain(row.get("decision")), ljust("feedback", 9)]
    score = row.get("score")
    words.append(f"{score:+g}" if isinstance(score, int | float) else "")
    return "  ".join([*words, plain(row.get("comment") or "")]).rstrip()


def _clock(row: Row) -> str:
    return plain(row.get("time") or "").partition("T")[2].rstrip("Z").ljust(12)


def _saved(row: Row) -> str:
    share = saved_share(row)
    if share is None:
        return ""
    return f"saved {percent(share)}" if share >= 0 else f"dearer {percent(-share)}"


def saved_share(row: Row) -> float | None:
    """What was saved as a share of the baseline; None where there is nothing to compare."""
    saved, baseline = row.get("saved_usd"), row.get("baseline_cost_usd")
    return None if saved is None or not baseline else saved / baseline


def _task(row: Row) -> str:
    task, tier = row.get("task"), row.get("tier_required")
    return plain(task or "-") + (f"/{plain(tier)}" if tier else "")


def _path(row: Row, ink: Ink) -> str:
    """Who was tried in turn, and what went wrong with each; the error where nobody answered."""
    answered = row.get("endpoint")
    tried = []
    for attempt in row.get("attempts") or ():
        name, outcome = plain(attempt.get("endpoint")), plain(attempt.get("outcome"))
        tried.append(ink(name, Tone.NAME) if outcome == "ok" else f"{name} ({ink(outcome, Tone.BAD)})")
    path = " → ".join(tried) or (ink(plain(answered), Tone.NAME) if answered else "")
    if row.get("error") and row.get("outcome") != "ok":
        path = f"{path}: {plain(row['error'])}" if path else plain(row["error"])
    return path
