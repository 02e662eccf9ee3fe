"""Deleting pairs, or their texts: all that are meant at once, or a few at a time where the disk has no room for more.

SQLite writes what it overwrites to its log first, so that to delete takes about as much room as what is deleted, and
what is on a full disk could never be deleted.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, and_, select

from monitor.evaluation.database import Database
from monitor.evaluation.store_errors import FullError
from monitor.evaluation.tables import pairs

FEW = 256  # pairs, and then a quarter of that, and so on, down to one

Which = Callable[[Connection], ColumnElement[bool]]
Deletes = Callable[[Connection, ColumnElement[bool]], int]


def let_go(database: Database, which: Which, deletes: Deletes) -> int:
    """Run `deletes` for the pairs that `which` means, and forget what was deleted; how many it says there were.

    Raises:
        StoreError: nothing was deleted.
        FullError: not even one pair could be; its words tell how many were before.
    """
    try:
        with database.writing() as connection:
            gone = deletes(connection, which(connection))
    except FullError:
        return _few_by_few(database, which, deletes)
    database.forget()
    return gone


def _few_by_few(database: Database, which: Which, deletes: Deletes) -> int:
    gone, at_once = 0, FEW
    while True:
        try:
            database.forget()  # the log's room is needed
            with database.writing() as connection:
                wanted = which(connection)
                some = connection.execute(select(pairs.c.decision).where(wanted).limit(at_once)).scalars().all()
                if not some:
                    return gone
                now = deletes(connection, and_(wanted, pairs.c.decision.in_(some)))
            gone += now
        except FullError as error:
            if at_once == 1 and gone:
                raise FullError(f"{error}; {gone:,} pairs were deleted before") from None
            if at_once == 1:
                raise
            at_once = max(at_once // 4, 1)
