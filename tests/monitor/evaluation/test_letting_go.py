"""Deleting where the disk has little room: SQLite writes to its log what it deletes."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from monitor.evaluation.database import Database
from monitor.evaluation.sql_store import SqlStore
from monitor.evaluation.store_errors import FullError, StoreError
from tests.support.halves import a_half, complete, decisions

FULL = "database or disk is full"
OLD = decisions(1, 30)
NEW = decisions(2, 1)
TEXTS = "SELECT count(*) FROM pointsman_texts"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(str(tmp_path / "evaluations.sqlite"))
    complete(opened, *(a_half(decision, 1000.0, keep_s=60.0) for decision in OLD), a_half(NEW[0], 9000.0))
    yield opened
    opened.close()


def left(store: SqlStore) -> list[str]:
    return [row["decision"] for row in store.export() if row["kind"] == "pair"]


@contextmanager
def room_for(texts: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A disk with room for the log of deleting so many; how many each transaction wanted to delete."""
    wanted: list[int] = []
    writing = Database.writing

    @contextmanager
    def cramped(self: Database) -> Iterator[Connection]:
        with writing(self) as connection:
            before = connection.exec_driver_sql(TEXTS).scalar_one()
            yield connection
            wanted.append(before - connection.exec_driver_sql(TEXTS).scalar_one())
            if wanted[-1] > texts:
                raise FullError(FULL)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "writing", cramped)
        yield wanted


def test_purges_at_once_where_there_is_room(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with room_for(30, monkeypatch) as wanted:
        assert store.purge(2000.0) == 30
    assert (wanted, left(store)) == ([30], NEW)


def test_purges_a_few_at_a_time_where_there_is_little(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with room_for(10, monkeypatch) as wanted:
        assert store.purge(2000.0) == 30
    assert wanted == [30, 30, 30, 16, 4, 4, 4, 4, 4, 4, 4, 2, 0]
    assert left(store) == NEW


def test_lets_texts_go_a_few_at_a_time_as_well(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with room_for(16, monkeypatch) as wanted:
        assert store.expire(2000.0) == 30
    assert wanted == [30, 30, 30, 16, 14, 0]
    assert left(store) == NEW


def test_says_so_where_there_is_no_room_at_all_and_leaves_everything(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with room_for(0, monkeypatch) as wanted, pytest.raises(FullError, match=rf"^{FULL}$"):
        store.purge(2000.0)
    assert wanted == [30, 30, 30, 16, 4, 1]
    assert len(left(store)) == 31


def test_tells_of_a_full_disk_where_to_make_room_also_when_the_log_is_written_back(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        error = sqlite3.OperationalError(FULL)
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(store._database._engine, "raw_connection", full)
    with pytest.raises(StoreError) as told:
        store.purge(2000.0)
    assert str(told.value) == f"{FULL}: make room on the disk of {tmp_path}/evaluations.sqlite"
