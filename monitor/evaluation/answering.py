"""A connection to PostgreSQL on which nobody waits for an answer without end.

The server's own limits (`statement_timeout`, `lock_timeout`) do not help where it is frozen, or its machine hangs on
its disk: nobody there looks at a clock. TCP's do not either, since the kernel goes on acknowledging. So the client's
clock ends the wait, and with it the connection, whose state nobody knows then.
"""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

ANSWER_S = 75.0  # longer than the server may take for a statement, so that it can say so itself
PING_S = 10.0  # where only that it answers is asked: before a connection of the pool is used
INTERVAL_S = 0.1  # psycopg's own

T = TypeVar("T")


class AnsweringConnection(psycopg.Connection[Any]):
    """Ends with an OperationalError where an answer takes longer than `ANSWER_S`, or a ping than `PING_S`."""

    def wait(self, gen: PQGen[T], interval: float = INTERVAL_S, timeout: float | None = None) -> T:
        """As psycopg's, by which everything is waited for that is sent on a connection."""
        limit_s = timeout
        if limit_s is None:
            limit_s = PING_S if self.autocommit else ANSWER_S  # only SQLAlchemy's pings are outside of transactions
        try:
            return super().wait(gen, interval, limit_s)
        except psycopg.errors._WaitTimeout:
            if timeout is not None:
                raise  # who gave it knows what to do
            self.close()
            raise psycopg.OperationalError(f"no answer within {limit_s:g} s") from None
