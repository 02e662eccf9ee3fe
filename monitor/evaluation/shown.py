"""Certificates and how far they are, for people: the part `evaluation` of the monitor's `/api/overview`. Plain JSON."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from gateway.core.certificate import Certificate
from gateway.edge.shown import iso
from monitor.evaluation.certify import Alarm, Series
from monitor.evaluation.keeper import Keeper
from monitor.evaluation.progress import Progress
from monitor.evaluation.proposals import Proposed


def evaluation(keeper: Keeper, tiers: Sequence[str]) -> dict[str, Any]:
    """What the keeper knows; empty on a replica that does not keep certificates. `tiers`: the lowest first."""
    kept = keeper.kept
    published = frozenset(keeper.in_force())
    return {
        "looked_at": iso(kept.looked_s) if kept.looked_s else None,
        "certificates": [_series(one, published, tiers) for one in sorted(keeper.series(), key=_place)],
        "alarms": [_alarm(one, tiers) for one in reversed(kept.state.alarms)],
        "pairs": list(_pairs(kept.progress)),
        "spent_today_usd": dict(kept.spent_usd),
        "proposals": [_proposed(one) for one in kept.proposals],
    }


def _proposed(one: Proposed) -> dict[str, Any]:
    proposal, saving = one.proposal, one.proposal.saving
    return {
        "title": proposal.title,
        "evidence": proposal.evidence,
        "cautions": proposal.cautions,
        "saving": None  # too little is known
        if saving is None
        else {"usd_per_day": saving.usd_per_day, "share": saving.share, "pairs": saving.pairs},
        "diff": one.diff,  # of pointsman.yaml; empty: only words tell it
        "by_hand": one.by_hand,
    }


def promise(alpha: float, delta: float) -> str:
    """In words."""
    return f"at most {100 * alpha:g} % worse, with {100 * (1 - delta):g} % confidence"


def _place(one: Series) -> tuple[int, str, bool, str, int]:
    """Certified ones first, then those that were; by name, the rest of a route after its tasks."""
    rank = 0 if one.certificate is not None else 1 if one.alarms else 2
    return rank, one.route, one.task is None, one.task or "", one.step


def _kind(route: str, task: str | None, step: int, tiers: Sequence[str]) -> dict[str, Any]:
    low, high = (tiers[place] if place < len(tiers) else str(place) for place in (step, step + 1))
    return {"route": route, "task": task, "from": high, "to": low}


def _series(one: Series, published: Collection[Certificate], tiers: Sequence[str]) -> dict[str, Any]:
    found = one.certificate
    return {
        **_kind(one.route, one.task, one.step, tiers),
        "without": one.without,
        "promise": promise(one.alpha, one.delta),
        "max_loss": one.alpha,
        "confidence": round(1 - one.delta, 12),
        "judged": one.judged,
        "due": one.due,  # judged pairs at which the next look is taken
        "looks": one.looks,
        "alarms": one.alarms,
        "watched": one.watched,
        "watched_loss": one.watched_loss,
        "certificate": None if found is None else _certificate(found, published),
    }


def _certificate(one: Certificate, published: Collection[Certificate]) -> dict[str, Any]:
    return {
        "id": one.id,
        "in_force": one in published,
        "pairs": one.judged,
        "threshold": one.threshold,
        "share": one.share,
        "loss": one.loss,
        "model": one.model,
        "since": iso(one.since_s),
        "until": iso(one.until_s),
    }


def _alarm(one: Alarm, tiers: Sequence[str]) -> dict[str, Any]:
    found = one.certificate
    return {
        **_kind(found.route, found.task, found.step, tiers),
        "id": found.id,
        "at": iso(one.time_s),
        "watched": one.watched,
        "loss": one.loss,
        "max_loss": found.alpha,
    }


def _pairs(progress: Sequence[Progress]) -> Iterator[dict[str, Any]]:
    for one in progress:
        yield {
            "route": one.route,
            "task": one.task,
            "waiting": one.waiting,
            "given_up": one.given_up,
            "complete": one.complete,
            "judged": one.by_people + one.by_model + one.same,
        }
