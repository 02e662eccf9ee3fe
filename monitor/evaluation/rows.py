"""Values as rows of the store's tables, and back. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.core.evaluation import Half
from gateway.core.policy import Requirement
from monitor.evaluation.pairs import Answer, Facts, Judgement, Pair, Terms, Unjudged
from monitor.evaluation.tables import COMPLETE, WAITING

TWICE = 0.1  # share of pairs that two people judge, to tell how far people agree at all

Row = Mapping[Any, Any]

FACTS = Facts.__struct_fields__


def scorers_wanted(decision: str) -> int:
    """By a hash: a decision's id itself decided already who is drawn."""
    digest = hashlib.blake2b(decision.encode("utf-8", "replace"), digest_size=4).digest()
    return 2 if int.from_bytes(digest) < TWICE * (1 << 32) else 1


def pair_row(half: Half, now_s: float) -> dict[str, Any]:
    """Nothing comes from the future: certificates would wait for it, and its texts would be kept too long."""
    same = {name: getattr(half, name) for name in (*FACTS, *HALVES)} | {"time_s": min(half.time_s, now_s)}
    lists = {name: _json(getattr(half, name)) for name in ("others", "judges", "require")}
    labels = None if half.labels is None else _json(half.labels)
    begun = {"added_s": now_s, "state": WAITING, "state_s": now_s, "wanted": scorers_wanted(half.decision)}
    return {**same, **lists, **begun, "labels": labels, "settled": not half.judges}


HALVES = ("lower", "surface", "endpoint", "cost_usd", "budget_usd_per_day", "keep_s")
"""Fields of a half that are columns as they are, besides the facts."""


def text_row(half: Half) -> dict[str, Any]:
    asked = {"request": _json(half.request), "headers": _json(half.headers)}
    return {"decision": half.decision, **asked, "answer": half.answer}


def half_of(row: Row) -> Half:
    fields: dict[str, Any] = {name: row[name] for name in (*FACTS, *HALVES, "answer")}
    fields |= {"others": names_of(row["others"]), "judges": names_of(row["judges"])}
    terms = terms_of(row)
    fields |= {"labels": terms.labels, "require": terms.require}
    return Half(**fields, request=msgspec.json.decode(row["request"]), headers=headers_in(row["headers"]))


def completed(second: Answer | None, now_s: float) -> dict[str, Any]:
    """What changes of a pair."""
    if second is None:  # people and models have nothing to judge
        return {"state": COMPLETE, "state_s": now_s, "wanted": 0, "scored": True, "settled": True}
    answered = {"second_endpoint": second.endpoint, "second_cost_usd": second.cost_usd}
    return {"state": COMPLETE, "state_s": now_s, **answered}


def facts_of(row: Row) -> Facts:
    return Facts(**{name: row[name] for name in FACTS})


def pair_of(row: Row) -> Pair:
    first = Answer(row["endpoint"], row["first"], row["cost_usd"])
    second = Answer(row["second_endpoint"], row["second"], row["second_cost_usd"])
    lower, upper = (first, second) if row["lower"] else (second, first)
    return Pair(facts_of(row), row["prompt"], lower, upper)


def unjudged_of(row: Row) -> Unjudged:
    return Unjudged(pair_of(row), names_of(row["judges"]), terms_of(row))


def terms_of(row: Row) -> Terms:
    labels = None if row["labels"] is None else names_of(row["labels"])
    return Terms(row["route"], labels, msgspec.json.decode(row["require"], type=Requirement))


def headers_in(text: str | None) -> tuple[tuple[str, str], ...]:
    """None: of a half that an earlier version kept."""
    return () if text is None else msgspec.json.decode(text, type=tuple[tuple[str, str], ...])


def names_of(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def judgement_row(judgement: Judgement) -> dict[str, Any]:
    row = msgspec.structs.asdict(judgement)
    return {**row, "by": judgement.by.value, "verdict": judgement.verdict.value}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
