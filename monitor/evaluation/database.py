"""SQLite and PostgreSQL through one door: how each is opened, what a transaction is, what may be told of a failure.

Knows no table but the schema's version. No password is ever told, neither a URL's nor in a driver's message, and no
parameter of a statement either, since prompts are among them.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from monitor.evaluation.store_errors import FullError, StoreError
from monitor.evaluation.tables import MIGRATIONS, VERSION, metadata, schema

BUSY_MS = 10_000  # how long SQLite waits for another process that writes, and PostgreSQL for another's lock
STATEMENT_MS = 60_000  # how long PostgreSQL works at one statement; a server that is frozen: `answering`
CONNECT_S = 10  # to each of its addresses
UNANSWERED_MS = 30_000  # after which a PostgreSQL server that acknowledges nothing is taken for gone
KEEPALIVES = {"keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3}
"""Seconds, seconds and tries: the same for one that nothing was sent to."""
POOL = 4  # connections of one process that stay open
POOL_MORE = 8  # and that come and go
MAKING = 7_208_213_611  # PostgreSQL's advisory lock while tables are made: any number that nobody else takes
PRIVATE = 0o600

WAL = "PRAGMA journal_mode=WAL"  # readers and the writer do not wait for each other
WAL_TRIES = 100  # while others open the same new file: for this one step SQLite does not wait by itself
WAL_PAUSE_S = 0.05
PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # deleted texts are overwritten
)


class Database:
    """Its transactions may be used from any thread. They raise StoreError, and then nothing was changed."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = _engine(url)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        self._writer = self._engine.execution_options(writes=True)
        self._reader = (
            self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self._file = Path(url.database or "") if self.is_sqlite else None
        self._made = False
        self._seen: tuple[int, int] | None = None  # the file that is open
        self._following = Lock()

    @classmethod
    def open(cls, given: str) -> "Database":
        """Raises StoreError."""
        database = cls(_url(given))
        try:
            database._follow()
        except StoreError as error:
            database.close()
            raise StoreError(f"{database.name}: {error}") from None
        return database

    @property
    def name(self) -> str:
        """Where it is, for people."""
        if self.is_sqlite:
            return self._url.database or ""
        hidden = [name for name in self._url.query if "password" in name]
        return self._url.difference_update_query(hidden).render_as_string(hide_password=True)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Sees one state of everything, however long it takes."""
        self._follow()
        with self._told(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self._follow()
        with self._told(), self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT, in this database's words."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def added(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> set[Any]:
        """The first parts of the keys of those that were not there; a row that was stays as it is."""
        if not rows:
            return set()
        new = self.insert(table).on_conflict_do_nothing().returning(next(iter(table.primary_key)))
        return set(connection.execute(new, rows).scalars())

    def forget(self) -> None:
        """After texts were deleted: SQLite's log may still have them."""
        if not self.is_sqlite:
            return
        with self._told():
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def _follow(self) -> None:
        """Begin anew where the file was deleted: what goes into the old one is seen by nobody any more.

        One in its place is not taken: SQLite would lay the old one's log over it.
        """
        if self._made and self._seen == _identity(self._file):
            return
        with self._following:
            found = _identity(self._file)
            if self._made and self._seen == found:
                return
            if self._made and found is not None:
                raise StoreError("its file was replaced while it was in use: start this process anew")
            self._engine.dispose()
            self._make()
            self._made, self._seen = True, _identity(self._file)

    def _make(self) -> None:
        with self._told(), self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:making)"), {"making": MAKING})
            if not inspect(connection).has_table(schema.name):
                metadata.create_all(connection)
                connection.execute(schema.insert().values(version=VERSION))
                return
            _migrate(connection)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OverflowError, OSError) as error:
            if _is_full(error):
                raise FullError(f"{self._scrubbed(error)}: make room on the disk of {self.name}") from None
            raise StoreError(self._scrubbed(error)) from None

    def _scrubbed(self, error: Exception) -> str:
        """What the driver says, in one line."""
        said = str(error.orig if isinstance(error, DBAPIError) else error)
        for secret in _secrets(self._url):
            said = said.replace(secret, "***")
        return " ".join(said.split()) or type(error).__name__


def _is_full(error: Exception) -> bool:
    """SQLite's; a server has its own ways to keep room for deleting."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(said, sqlite3.Error) and getattr(said, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL


def _migrate(connection: Connection) -> None:
    found = connection.execute(schema.select()).scalar_one()
    if found > VERSION:
        raise StoreError(
            f"its tables are of version {found}, and this Pointsman knows {VERSION}: use that one, or a newer"
        )
    for step in MIGRATIONS[found - 1 :]:
        step(connection)
    if found < VERSION:
        connection.execute(schema.update().values(version=VERSION))


def _url(given: str) -> URL:
    """A path is SQLite's; PostgreSQL's driver is ours to choose."""
    if "://" not in given:
        return URL.create("sqlite", database=given)
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise StoreError(
            "the URL of the evaluations cannot be read; write postgresql://USER:PASSWORD@HOST/DATABASE"
        ) from None
    match url.drivername:
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise StoreError("the URL of the evaluations names no file: write sqlite:///FILE")
            return url
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return url.set(drivername="postgresql+psycopg")
        case other:
            raise StoreError(f"{other}:// cannot hold evaluations; write sqlite:///FILE or postgresql://…")


def _secrets(url: URL) -> list[str]:
    """The password as it may stand in a message, the longest form first."""
    named = [value for name, value in url.query.items() if "password" in name]
    given = [value for value in (url.password, *named) if isinstance(value, str) and value]
    return sorted({form for one in given for form in (one, quote(one, ""), quote_plus(one))}, key=len, reverse=True)


def _engine(url: URL) -> Engine:
    # Parameters are prompts and answers; no message shows them.
    if url.drivername == "sqlite":
        file = Path(url.database or "")
        _check_place(file)
        return _in_order(create_engine(url, hide_parameters=True, pool_size=POOL, max_overflow=POOL_MORE), file)
    # Poolers such as PgBouncer know no prepared statements of ours.
    known: dict[str, Any] = {
        "connect_timeout": CONNECT_S,
        "tcp_user_timeout": UNANSWERED_MS,
        **KEEPALIVES,
        "application_name": "pointsman",
        "prepare_threshold": None,
    }
    options = {name: value for name, value in known.items() if name not in url.query}
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_size=POOL, max_overflow=POOL_MORE, pool_pre_ping=True, connect_args=options
        )
        from monitor.evaluation.answering import AnsweringConnection  # here, since the driver may be missing
    except ImportError:
        raise StoreError("PostgreSQL needs its driver: pip install 'pointsman[postgresql]'") from None
    except (ArgumentError, TypeError, ValueError):
        raise StoreError("the URL of the evaluations has an option that cannot be used") from None
    event.listen(
        engine, "do_connect", lambda _dialect, _record, args, named: AnsweringConnection.connect(*args, **named)
    )
    event.listen(engine, "begin", _patient)
    return engine


def _patient(connection: Connection) -> None:
    """A table that is locked for an hour keeps no thread for an hour. Of each transaction: poolers forget the rest."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}; SET LOCAL statement_timeout = {STATEMENT_MS}")


def _check_place(file: Path) -> None:
    """What SQLite has no words for. The file is never opened here: to close it would undo SQLite's own locks on it."""
    if file.is_dir():
        raise StoreError(f"{file} cannot be opened: it is a directory")
    if not file.parent.is_dir():
        raise StoreError(f"{file} cannot be opened: there is no directory {file.parent}")


def _identity(file: Path | None) -> tuple[int, int] | None:
    """None: it is not there, or a server has the tables."""
    try:
        found = None if file is None else file.stat()
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _in_order(engine: Engine, file: Path) -> Engine:
    """A transaction begins at its first line and knows whether it writes; the driver would wait for the first write."""

    def connected(connection: Any, _: object) -> None:
        if file.stat().st_size == 0:
            file.chmod(PRIVATE)  # before anything is in it: prompts are nobody else's business
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(pragma)
        _write_ahead(connection)

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    for _ in range(WAL_TRIES):
        try:
            connection.execute(WAL)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(WAL_PAUSE_S)
        else:
            return
    connection.execute(WAL)
