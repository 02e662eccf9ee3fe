"""What the store's judgements amount to: pairs with their gains, and counts for each route and task."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from msgspec import Struct
from sqlalchemy import Connection, func, select

from monitor.evaluation.pairs import By, Drawn, Facts, Judged, Judgement, Verdict, weighed
from monitor.evaluation.progress import Agreement, Progress, agreements
from monitor.evaluation.rows import FACTS
from monitor.evaluation.tables import COMPLETE, GIVEN_UP, WAITING, judgements, pairs

AT_ONCE = 1000  # rows that are fetched together

Kind = tuple[str, str]  # route and task


class _Sum(Struct):
    """Of one route and task, while it is counted."""

    by: dict[By, int] = {}
    gain: float = 0.0
    people_agree: Agreement = Agreement()
    model_agrees: Agreement = Agreement()


def judged_pairs(connection: Connection, since_s: float) -> Iterator[Judged]:
    """By the requests' time."""
    for facts, said in _said(connection, since_s):
        if (one := weighed(facts, said)) is not None:
            yield one


def drawn_pairs(connection: Connection, since_s: float, at_most: int) -> Iterator[Drawn]:
    """The latest ones."""
    costs = (pairs.c.lower, pairs.c.state, pairs.c.cost_usd, pairs.c.second_endpoint, pairs.c.second_cost_usd)
    found = select(*(pairs.c[name] for name in FACTS), *costs).where(pairs.c.time_s >= since_s)
    latest = found.order_by(pairs.c.time_s.desc(), pairs.c.decision).limit(at_most)
    for *facts, lower, state, first_usd, second, second_usd in connection.execute(latest):
        other_usd = first_usd if second is None else second_usd  # one endpoint would have given both answers
        known = state == COMPLETE and first_usd is not None and other_usd is not None
        both = (first_usd, other_usd) if lower else (other_usd, first_usd)
        yield Drawn(Facts(*facts), lower, both if known else None)


def progress_of(connection: Connection) -> list[Progress]:
    counts: dict[Kind, dict[str, int]] = defaultdict(dict)
    counted = select(pairs.c.route, pairs.c.task, pairs.c.state, func.count())
    for route, task, state, number in connection.execute(counted.group_by(pairs.c.route, pairs.c.task, pairs.c.state)):
        counts[route, task][state] = number
    sums: dict[Kind, _Sum] = defaultdict(_Sum)
    for facts, said in _said(connection, None):
        _count(sums[facts.route, facts.task], facts, said)
    return [_progress(kind, states, sums[kind]) for kind, states in sorted(counts.items())]


def _count(total: _Sum, facts: Facts, said: list[Judgement]) -> None:
    one = weighed(facts, said)
    if one is None:
        return
    total.by[one.by] = total.by.get(one.by, 0) + 1
    total.gain += one.gain
    people, model = agreements(said)
    total.people_agree += people
    total.model_agrees += model


def _progress(kind: Kind, states: dict[str, int], total: _Sum) -> Progress:
    judged = sum(total.by.values())
    return Progress(
        route=kind[0],
        task=kind[1],
        waiting=states.get(WAITING, 0),
        given_up=states.get(GIVEN_UP, 0),
        complete=states.get(COMPLETE, 0),
        by_people=total.by.get(By.PEOPLE, 0),
        by_model=total.by.get(By.MODEL, 0),
        same=total.by.get(By.SAME, 0),
        mean_gain=total.gain / judged if judged else None,
        people_agree=total.people_agree,
        model_agrees=total.model_agrees,
    )


def _said(connection: Connection, since_s: float | None) -> Iterator[tuple[Facts, list[Judgement]]]:
    """Pairs with their judgements, by the requests' time."""
    of = judgements.c.decision == pairs.c.decision
    columns = (*(pairs.c[name] for name in FACTS), judgements.c.scorer, judgements.c.by, judgements.c.verdict)
    found = select(*columns, judgements.c.time_s.label("judged_s")).join(judgements, of)
    if since_s is not None:
        found = found.where(pairs.c.time_s >= since_s)
    ordered = found.order_by(pairs.c.time_s, pairs.c.decision, judgements.c.by, judgements.c.scorer)
    result = connection.execute(ordered, execution_options={"yield_per": AT_ONCE})
    for decision, group in groupby(result, key=itemgetter(0)):
        rows = list(group)
        said = [Judgement(decision, scorer, By(by), Verdict(verdict), at_s) for *_, scorer, by, verdict, at_s in rows]
        yield Facts(*rows[0][: len(FACTS)]), said
