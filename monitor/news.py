"""What is worth telling people in the cluster: breakers that opened and closed, a configuration that was refused.

Decides what is said; the edge decides where (`kubectl get events`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot

NAMED = 5  # endpoints named in one sentence; the rest is a number


@dataclass(frozen=True, slots=True)
class News:
    """One Event: `reason` is one word for machines, `message` a sentence for people."""

    reason: str
    message: str
    warning: bool


def breaker_news(before: Mapping[str, EndpointSnapshot], now: Mapping[str, EndpointSnapshot]) -> tuple[News, ...]:
    """What changed between two looks, one sentence per provider.

    Endpoints seen for the first time say nothing: their shard came from another replica, which has told already.
    """
    opened: dict[str, list[str]] = {}
    closed: dict[str, list[str]] = {}
    for id_, entry in now.items():
        if (last := before.get(id_)) is None:
            continue
        was_open, is_open = last.breaker is not State.CLOSED, entry.breaker is State.OPEN
        if is_open and not was_open:
            opened.setdefault(_provider(id_), []).append(id_)
        elif was_open and entry.breaker is State.CLOSED:
            closed.setdefault(_provider(id_), []).append(id_)
    return (
        *(News("BreakerOpened", f"open: {_list(ids)}{_why(now, ids)}", True) for ids in opened.values()),
        *(News("BreakerClosed", f"closed again: {_list(ids)}", False) for ids in closed.values()),
    )


def refusal_news(problem: str) -> News:
    """A new configuration was refused. `problem` may have several lines."""
    text = "; ".join(line.strip() for line in problem.splitlines() if line.strip())
    return News("ConfigRefused", f"new configuration refused, the old one stays: {text}"[:1024], True)


def _provider(endpoint_id: str) -> str:
    return endpoint_id.partition("/")[0]


def _list(ids: list[str]) -> str:
    more = len(ids) - NAMED
    return ", ".join(sorted(ids)[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _why(now: Mapping[str, EndpointSnapshot], ids: list[str]) -> str:
    errors = [error for id_ in sorted(ids) if (error := now[id_].last_error)]
    return f" ({errors[0][:200]})" if errors else ""
