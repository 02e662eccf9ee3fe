"""The store's tables, and how those of an earlier version become these.

Texts have a table of their own: what is asked often never touches them, and deleting a row there deletes what people
wrote. Names begin with `pointsman_`, since a PostgreSQL database may be shared with others.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


def _with_headers(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE pointsman_texts ADD COLUMN headers TEXT")


VERSION = 2
MIGRATIONS: Sequence[Callable[[Connection], None]] = (_with_headers,)
"""The first leads from version 1 to 2, and so on; each runs in the transaction that writes the new version."""

WAITING = "waiting"  # for its second answer
COMPLETE = "complete"
GIVEN_UP = "given_up"


class Plain(TypeDecorator[str]):
    """Text that every database takes: PostgreSQL has no place for U+0000, and UTF-8 none for half a surrogate pair."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)


def plain(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


metadata = MetaData()

schema = Table("pointsman_schema", metadata, Column("version", Integer, nullable=False))

pairs = Table(
    "pointsman_pairs",
    metadata,
    Column("decision", Plain, primary_key=True),
    Column("time_s", Double, nullable=False),
    Column("route", Plain, nullable=False),
    Column("task", Plain, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("score", Double, nullable=False),
    Column("model", Plain, nullable=False),
    Column("probability", Double, nullable=False),
    Column("lower", Boolean, nullable=False),  # the first answer is the lower tier's
    Column("certificate", Plain),
    Column("surface", Plain, nullable=False),
    Column("endpoint", Plain, nullable=False),  # of the first answer
    Column("cost_usd", Double),
    Column("others", Plain, nullable=False),  # JSON
    Column("judges", Plain, nullable=False),  # JSON
    Column("labels", Plain),  # JSON; NULL: nobody knows which the request carries
    Column("require", Plain, nullable=False),  # JSON
    Column("budget_usd_per_day", Double, nullable=False),
    Column("keep_s", Double, nullable=False),
    Column("added_s", Double, nullable=False),
    Column("state", Plain, nullable=False),
    Column("state_s", Double, nullable=False),  # since when
    Column("why", Plain),  # it was given up
    Column("second_endpoint", Plain),
    Column("second_cost_usd", Double),
    Column("wanted", Integer, nullable=False),  # people to judge it
    # What `judgements` amount to, so that looking for work reads one index.
    Column("scored", Boolean, nullable=False, default=False),  # by as many people as are wanted; a skip is no score
    Column("settled", Boolean, nullable=False, default=False),  # for models: one judged or skipped it, or none may
    # Who is at work on it, and until when: a worker (second answer, then a model's judgement), and a person.
    Column("worker", Plain),
    Column("worker_until_s", Double),
    Column("scorer", Plain),
    Column("scorer_until_s", Double),
    Index("pointsman_pairs_waiting", "state", "time_s", "decision"),
    Index("pointsman_pairs_people", "state", "scored", "time_s", "decision"),
    Index("pointsman_pairs_models", "state", "settled", "time_s", "decision"),
    Index("pointsman_pairs_time", "time_s"),
)

texts = Table(
    "pointsman_texts",
    metadata,
    Column("decision", Plain, ForeignKey(pairs.c.decision, ondelete="CASCADE"), primary_key=True),
    # What the gateway handed over; gone once the pair is complete.
    Column("request", Plain),  # JSON
    Column("headers", Plain),  # JSON; NULL: an earlier version kept none
    Column("answer", Plain),
    # What people read, of a complete pair.
    Column("prompt", Plain),
    Column("first", Plain),
    Column("second", Plain),
)

judgements = Table(
    "pointsman_judgements",
    metadata,
    Column("decision", Plain, ForeignKey(pairs.c.decision, ondelete="CASCADE"), primary_key=True),
    Column("by", Plain, primary_key=True),
    Column("scorer", Plain, primary_key=True),
    Column("verdict", Plain, nullable=False),
    Column("time_s", Double, nullable=False),
)

spending = Table(
    "pointsman_spending",
    metadata,
    Column("route", Plain, primary_key=True),
    Column("day", Plain, primary_key=True),  # UTC, 2026-11-25
    Column("usd", Double, nullable=False),
)

states = Table(
    "pointsman_states",
    metadata,
    Column("key", Plain, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
