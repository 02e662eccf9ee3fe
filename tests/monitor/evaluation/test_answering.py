"""A PostgreSQL that is frozen: its processes are stopped, and no limit of its own ends anything."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from monitor.evaluation import answering, database
from monitor.evaluation.database import Database
from monitor.evaluation.store import Store, StoreError
from tests.support.postgres import Postgres

OURS = "pointsman"


@pytest.fixture
def store(postgres: Postgres) -> Iterator[Store]:
    opened = Store.open(postgres.url())
    opened.save("key", b"value")
    yield opened
    opened.close()


def test_a_connection_that_says_nothing_is_given_up_for_another(
    postgres: Postgres, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PING_S", 0.05)
    with postgres.frozen(OURS):
        assert store.load("key") == b"value"
    assert store.load("key") == b"value"


def test_a_server_that_takes_connections_and_says_nothing_ends_the_call(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PING_S", 0.05)
    monkeypatch.setattr(database, "CONNECT_S", 2)  # less is not possible
    store = Store.open(postgres.url())
    store.save("key", b"value")
    with postgres.frozen("", OURS), pytest.raises(StoreError, match="connection timeout expired"):
        store.load("key")
    assert store.load("key") == b"value", "it answers again, and is asked again"
    store.close()


@contextmanager
def opened(postgres: Postgres) -> Iterator[Database]:
    of = Database.open(postgres.url())
    try:
        yield of
    finally:
        of.close()


def test_an_answer_that_does_not_come_ends_the_call_and_the_connection(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(postgres) as of:

        def sleep() -> None:
            with of.writing() as connection:
                monkeypatch.setattr(answering, "ANSWER_S", 0.05)
                connection.execute(text("SELECT pg_sleep(600)"))

        with pytest.raises(StoreError, match=r"^no answer within 0.05 s$"):
            sleep()
        monkeypatch.undo()
        with of.writing() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    served = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%'"
    postgres.run(served + " AND pid <> pg_backend_pid()")


def test_the_server_itself_ends_a_statement_that_takes_too_long(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STATEMENT_MS", 50)
    with opened(postgres) as of:
        with (
            pytest.raises(StoreError, match="canceling statement due to statement timeout"),
            of.writing() as connection,
        ):
            connection.execute(text("SELECT pg_sleep(600)"))
        with of.writing() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_client_waits_for_longer_than_the_server_works() -> None:
    assert database.STATEMENT_MS / 1000 < answering.ANSWER_S
