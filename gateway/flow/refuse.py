"""Which refusal an empty plan is, and in which words.

The answer to "why was nothing routable?" is part of the product: it names every endpoint with its reasons, and what
would help.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from gateway.core import screen
from gateway.core.ask import Ask
from gateway.core.catalog import Operation
from gateway.core.decision import AttemptRow, Considered
from gateway.core.failure import FailureKind
from gateway.core.plan import Ill, Ordered
from gateway.core.policy import Label
from gateway.core.refusal import Refusal, RefusalKind, Refused

SHOWN = 64  # endpoints listed in a refusal; counts cover the rest


class Unroutable(Refused):
    """No endpoint is left; `considered` is what was judged, with an empty plan."""

    def __init__(self, refusal: Refusal, considered: Considered) -> None:
        super().__init__(refusal)
        self.considered = considered


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty plan: what was judged, and how it fell out."""

    ask: Ask
    labels: Sequence[Label]
    ordered: Sequence[Ordered]
    excluded: Mapping[str, tuple[str, ...]]
    limited: Sequence[Ill]  # health of the endpoints that their rate limit alone excludes


DOWN = frozenset({FailureKind.UNREACHABLE.value, FailureKind.CONNECT_TIMEOUT.value, FailureKind.DISCONNECTED.value})


def guarantors_down(considered: Considered, attempts: Sequence[AttemptRow]) -> Refusal | None:
    """The refusal of a request whose sensitivity leaves only providers that are down, or None where that is not so.

    Others may be well, and yet nobody who may serve it is there: what the client learns is that its label stands in the
    way, not that everything is down.
    """
    barred = [name for name, reasons in considered.excluded.items() if reasons == (screen.SENSITIVITY,)]
    if not barred or not attempts or not all(row.outcome in DOWN for row in attempts):
        return None
    labels = ", ".join(label.name for label in considered.labels)
    tried = "; ".join(f"{row.endpoint}: {row.error or row.outcome}" for row in attempts)
    others = "one other endpoint does" if len(barred) == 1 else f"{len(barred)} other endpoints do"
    return Refusal(
        RefusalKind.NO_ELIGIBLE_ENDPOINT,
        f"no endpoint may serve this request: it is {labels}, those that guarantee what that label requires are down "
        f"({tried}), and {others} not guarantee it",
        details={
            "excluded": first_reasons(considered.excluded),
            "endpoints": {name: list(reasons) for name, reasons in list(considered.excluded.items())[:SHOWN]},
            "attempts": [{"endpoint": row.endpoint, "outcome": row.outcome, "error": row.error} for row in attempts],
        },
    )


def nothing_left(empty: Empty, now_s: float) -> Refusal:
    """Say why no endpoint is left; `now_s` is on the clock of `Ill.until_s`."""
    excluded = empty.excluded
    details: dict[str, object] = {
        "excluded": dict(Counter(why for reasons in excluded.values() for why in reasons)),
        "endpoints": {name: list(reasons) for name, reasons in list(excluded.items())[:SHOWN]},
    }
    if empty.limited:
        until = min((one.until_s for one in empty.limited if one.until_s is not None), default=None)
        return Refusal(
            RefusalKind.RATE_LIMITED,
            "every endpoint that may serve this request is rate-limited by its provider; retry after the time given",
            retry_after_s=None if until is None else max(0.0, until - now_s),
            details=details,
        )
    lowest = [group.lowest_usd for group in empty.ordered if group.lowest_usd is not None]
    if any(reasons == (screen.COST_LIMIT,) for reasons in excluded.values()):
        estimate = f"; the lowest estimate is {ceil(min(lowest) * 1e6) / 1e6:.6f} USD" if lowest else ""
        return Refusal(
            RefusalKind.COST_LIMIT,
            f"no endpoint can promise to stay within the cost limit{estimate}; raise the limit or shorten the request",
            details={**details, "lowest_estimate_usd": min(lowest, default=None)},
        )
    fields = _fields_alone(excluded, empty.ask)
    if fields:
        listed = ", ".join(sorted(fields))
        return Refusal(
            RefusalKind.INVALID_REQUEST,
            f"no eligible endpoint can express {listed}; leave it out or name a model whose provider supports it",
            param=min(fields),
            details=details,
        )
    return Refusal(RefusalKind.NO_ELIGIBLE_ENDPOINT, _summary(empty.labels, excluded), details=details)


def _fields_alone(excluded: Mapping[str, tuple[str, ...]], ask: Ask) -> set[str]:
    """Fields of the request that alone keep some endpoint out."""
    capabilities = {screen.capability(need) for need in (*ask.survey.needs, *Operation)} | {screen.SIGNED_REASONING}
    found: set[str] = set()
    for reasons in excluded.values():
        if all(why.startswith("capability:") and why not in capabilities for why in reasons):
            found.update(why.removeprefix("capability:") for why in reasons)
    return found


def _summary(labels: Sequence[Label], excluded: Mapping[str, tuple[str, ...]]) -> str:
    if not excluded:
        return "no endpoint is configured that could serve this request; configure a provider or its key"
    counts = first_reasons(excluded)
    parts = [f"{count} by {why}" for why, count in counts.items()]
    words = f"no endpoint may serve this request: {', '.join(parts)}"
    if screen.SENSITIVITY in counts:
        named = ", ".join(label.name for label in labels)
        words += f". The request is {named}: its provider must guarantee what that label requires"
    return words


def first_reasons(excluded: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """How many endpoints each reason kept out, each counted by the first of its own; the most frequent first."""
    return dict(Counter(reasons[0] for reasons in excluded.values()).most_common())
