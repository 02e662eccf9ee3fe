"""The store in SQLite or PostgreSQL: one set of statements for both.

Who takes something to work on locks its row; on PostgreSQL others pass over locked rows (SKIP LOCKED), SQLite has one
writer at a time and leaves that clause out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, not_, or_, select, update

from gateway.core.evaluation import Half
from monitor.evaluation.database import Database
from monitor.evaluation.exchange import exported, imported
from monitor.evaluation.letting_go import let_go
from monitor.evaluation.pairs import Answer, By, Drawn, Judged, Judgement, Pair, Terms, Unjudged, Verdict
from monitor.evaluation.progress import Progress
from monitor.evaluation.rows import (
    Row,
    completed,
    half_of,
    judgement_row,
    pair_of,
    pair_row,
    terms_of,
    text_row,
    unjudged_of,
)
from monitor.evaluation.summary import drawn_pairs, judged_pairs, progress_of
from monitor.evaluation.tables import COMPLETE, GIVEN_UP, WAITING, judgements, pairs, spending, states, texts

NOBODY = ""  # the scorer of a pair that nobody had to judge


class SqlStore:
    """`monitor.evaluation.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> "SqlStore":
        return cls(Database.open(url))

    def close(self) -> None:
        self._database.close()

    # From the gateways, and second answers.

    def add(self, halves: Sequence[Half], now_s: float) -> int:
        # In one order everywhere, so that two who bring the same ones never wait for each other crosswise.
        ordered = sorted({half.decision: half for half in reversed(halves)}.values(), key=lambda half: half.decision)
        with self._database.writing() as connection:
            new = self._database.added(connection, pairs, [pair_row(half, now_s) for half in ordered])
            if new:
                connection.execute(texts.insert(), [text_row(half) for half in ordered if half.decision in new])
        return len(new)

    def claim_half(self, name: str, now_s: float, lease_s: float, without: Collection[str] = ()) -> Half | None:
        waits = and_(pairs.c.state == WAITING, _idle(now_s), pairs.c.route.not_in(without))
        with self._database.writing() as connection:
            row = _oldest(connection, waits)
            if row is None:
                return None
            _worked_on(connection, row["decision"], name, now_s + lease_s)
        return half_of(row)

    def complete(self, decision: str, prompt: str, first: str, second: Answer | None, now_s: float) -> None:
        with self._database.writing() as connection:
            if not _ended(connection, decision, completed(second, now_s)):
                return
            read = {"prompt": prompt, "first": first, "second": None if second is None else second.text}
            raw = {"request": None, "headers": None, "answer": None}
            connection.execute(update(texts).where(_in(texts, decision)).values(**raw, **read))
            if second is None:
                same = Judgement(decision, NOBODY, By.SAME, Verdict.TIE, now_s)
                connection.execute(judgements.insert().values(judgement_row(same)))

    def give_up(self, decision: str, why: str, now_s: float) -> None:
        with self._database.writing() as connection:
            if not _ended(connection, decision, {"state": GIVEN_UP, "state_s": now_s, "why": why}):
                return
            connection.execute(delete(texts).where(_in(texts, decision)))

    # Judgements.

    def next_for(self, scorer: str, now_s: float, lease_s: float) -> Pair | None:
        mine = and_(pairs.c.scorer == scorer, pairs.c.scorer_until_s > now_s)
        free = or_(pairs.c.scorer.is_(None), pairs.c.scorer == scorer, pairs.c.scorer_until_s <= now_s)
        open_ = and_(pairs.c.state == COMPLETE, not_(pairs.c.scored), not_(_said(scorer)))
        with self._database.writing() as connection:
            row = _oldest(connection, and_(open_, mine)) or _oldest(connection, and_(open_, free))
            if row is None:
                return None
            held = {"scorer": scorer, "scorer_until_s": now_s + lease_s}
            connection.execute(update(pairs).where(_in(pairs, row["decision"])).values(held))
        return pair_of(row)

    def next_for_model(
        self, name: str, now_s: float, lease_s: float, without: Collection[str] = ()
    ) -> Unjudged | None:
        unsettled = and_(pairs.c.state == COMPLETE, not_(pairs.c.settled), _idle(now_s))
        with self._database.writing() as connection:
            row = _oldest(connection, and_(unsettled, pairs.c.route.not_in(without)))
            if row is None:
                return None
            _worked_on(connection, row["decision"], name, now_s + lease_s)
        return unjudged_of(row)

    def release(self, name: str, decision: str) -> None:
        free: dict[str, dict[str, None]] = {
            "worker": {"worker": None, "worker_until_s": None},
            "scorer": {"scorer": None, "scorer_until_s": None},
        }
        with self._database.writing() as connection:
            for column, values in free.items():
                held = and_(_in(pairs, decision), pairs.c[column] == name)
                connection.execute(update(pairs).where(held).values(values))

    def judge(self, judgement: Judgement) -> bool:
        with self._database.writing() as connection:
            complete = and_(_in(pairs, judgement.decision), pairs.c.state == COMPLETE)
            if connection.execute(select(pairs.c.decision).where(complete).with_for_update()).first() is None:
                return False
            row = judgement_row(judgement)
            said = self._database.insert(judgements).values(row)
            again = {"verdict": row["verdict"], "time_s": row["time_s"]}
            connection.execute(said.on_conflict_do_update(index_elements=list(judgements.primary_key), set_=again))
            _counted(connection, judgement)
        return True

    def judged(self, since_s: float = 0.0) -> list[Judged]:
        with self._database.reading() as connection:
            return list(judged_pairs(connection, since_s))

    def drawn(self, since_s: float, at_most: int) -> list[Drawn]:
        with self._database.reading() as connection:
            return list(drawn_pairs(connection, since_s, at_most))

    def progress(self) -> list[Progress]:
        with self._database.reading() as connection:
            return progress_of(connection)

    # Money, and what the certifier remembers.

    def spent_usd(self, route: str, day: date) -> float:
        that = and_(spending.c.route == route, spending.c.day == day.isoformat())
        with self._database.reading() as connection:
            return connection.execute(select(spending.c.usd).where(that)).scalar() or 0.0

    def charge(self, route: str, day: date, usd: float) -> None:
        new = self._database.insert(spending).values(route=route, day=day.isoformat(), usd=usd)
        more = new.on_conflict_do_update(
            index_elements=list(spending.primary_key), set_={"usd": spending.c.usd + new.excluded.usd}
        )
        with self._database.writing() as connection:
            connection.execute(more)

    def load(self, key: str) -> bytes | None:
        with self._database.reading() as connection:
            return connection.execute(select(states.c.value).where(states.c.key == key)).scalar()

    def save(self, key: str, value: bytes) -> None:
        new = self._database.insert(states).values(key=key, value=value)
        with self._database.writing() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=[states.c.key], set_={"value": value}))

    # Keeping, and letting go.

    def export(self) -> Iterator[dict[str, Any]]:
        with self._database.reading() as connection:
            yield from exported(connection)

    def import_(self, rows: Iterable[Mapping[str, Any]]) -> int:
        with self._database.writing() as connection:
            return imported(connection, self._database, rows)

    def expire(self, now_s: float, barred: Callable[[Terms], bool] | None = None) -> int:
        its_texts = texts.c.decision == pairs.c.decision
        unjudged = not_(exists().where(judgements.c.decision == pairs.c.decision))

        def which(connection: Connection) -> ColumnElement[bool]:
            old = pairs.c.time_s + pairs.c.keep_s <= now_s
            if barred is not None:
                old = or_(old, *_of_kinds(connection, barred))
            return and_(old, or_(exists().where(its_texts), unjudged))

        def deletes(connection: Connection, old: ColumnElement[bool]) -> int:
            # Pairs are locked before their texts everywhere, so that two never wait for each other crosswise.
            connection.execute(select(pairs.c.decision).where(old, exists().where(its_texts)).with_for_update())
            gone = connection.execute(delete(texts).where(exists().where(its_texts, old))).rowcount
            connection.execute(delete(pairs).where(old, not_(exists().where(its_texts)), unjudged))
            return gone

        return let_go(self._database, which, deletes)

    def purge(self, before_s: float, route: str | None = None) -> int:
        old = pairs.c.time_s < before_s
        those = old if route is None else and_(old, pairs.c.route == route)

        def deletes(connection: Connection, some: ColumnElement[bool]) -> int:
            return connection.execute(delete(pairs).where(some)).rowcount

        return let_go(self._database, lambda _: those, deletes)


def _in(table: Any, decision: str) -> ColumnElement[bool]:
    of: ColumnElement[bool] = table.c.decision == decision
    return of


def _idle(now_s: float) -> ColumnElement[bool]:
    return or_(pairs.c.worker.is_(None), pairs.c.worker_until_s <= now_s)


def _of_kinds(connection: Connection, barred: Callable[[Terms], bool]) -> Iterator[ColumnElement[bool]]:
    """Conditions for pairs with texts whose routes and labels are barred: there are few kinds of those."""
    with_texts = exists().where(texts.c.decision == pairs.c.decision)
    found = connection.execute(select(pairs.c.route, pairs.c.labels, pairs.c.require).where(with_texts).distinct())
    for row in found.mappings().all():
        if barred(terms_of(row)):
            yield and_(pairs.c.route == row["route"], pairs.c.labels.is_not_distinct_from(row["labels"]))


def _said(scorer: str) -> ColumnElement[bool]:
    of = judgements.c.decision == pairs.c.decision
    return exists().where(and_(of, judgements.c.by == By.PEOPLE.value, judgements.c.scorer == scorer))


def _oldest(connection: Connection, wanted: ColumnElement[bool]) -> Row | None:
    """With its texts: a pair without them is no work for anybody."""
    found = (
        select(pairs, *(column for column in texts.c if column.name != "decision"))
        .join(texts, texts.c.decision == pairs.c.decision)
        .where(wanted)
        .order_by(pairs.c.time_s, pairs.c.decision)
        .limit(1)
        .with_for_update(of=pairs, skip_locked=True)
    )
    return connection.execute(found).mappings().first()


def _worked_on(connection: Connection, decision: str, name: str, until_s: float) -> None:
    connection.execute(update(pairs).where(_in(pairs, decision)).values(worker=name, worker_until_s=until_s))


def _ended(connection: Connection, decision: str, values: Mapping[str, Any]) -> bool:
    """The waiting is over, and whoever worked on it is done."""
    waits = and_(_in(pairs, decision), pairs.c.state == WAITING)
    done = update(pairs).where(waits).values(**values, worker=None, worker_until_s=None)
    return bool(connection.execute(done).rowcount)


def _counted(connection: Connection, judgement: Judgement) -> None:
    """Whether people and models are done with it; and whoever just judged lets go of it."""
    of = judgements.c.decision == judgement.decision
    scored = and_(of, judgements.c.by == By.PEOPLE.value, judgements.c.verdict != Verdict.SKIP.value)
    people = select(func.count()).select_from(judgements).where(scored).scalar_subquery()
    mine = _in(pairs, judgement.decision)
    if judgement.by is By.PEOPLE:
        connection.execute(update(pairs).where(mine).values(scored=people >= pairs.c.wanted))
        held = and_(mine, pairs.c.scorer == judgement.scorer)
        connection.execute(update(pairs).where(held).values(scorer=None, scorer_until_s=None))
    else:
        connection.execute(update(pairs).where(mine).values(settled=True, worker=None, worker_until_s=None))
