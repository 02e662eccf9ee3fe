"""How the store is opened, what it refuses, and that it tells no secrets."""

import builtins
import re
import stat
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from monitor.evaluation import database
from monitor.evaluation.database import Database
from monitor.evaluation.store import Store, StoreError
from monitor.evaluation.tables import MIGRATIONS, metadata, schema
from tests.support.halves import a_half
from tests.support.postgres import PASSWORD, Postgres


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as refused:
        Store.open(url)
    told = "".join(traceback.format_exception(refused.value))
    assert PASSWORD not in told
    assert "geheim" not in told
    return str(refused.value)


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """What the store's own methods do not show."""
    of = Database.open(url)
    try:
        with of.writing() as connection:
            yield connection
    finally:
        of.close()


def test_keeps_what_it_has_when_it_is_opened_again(url: str) -> None:
    for new in (1, 0):
        store = Store.open(url)
        assert store.add([a_half("01")], 2000.0) == new
        store.close()


def test_refuses_tables_of_a_newer_version(url: str) -> None:
    with opened(url) as connection:
        connection.execute(schema.update().values(version=99))
    told = refusal(url)
    assert told.endswith("its tables are of version 99, and this Pointsman knows 2: use that one, or a newer")
    assert told.startswith("postgresql+psycopg://pointsman:***@/postgres" if "postgresql" in url else "/")


def test_brings_tables_of_an_earlier_version_up_to_this_one(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(url).close()

    def third(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE pointsman_pairs ADD COLUMN more INTEGER"))

    def fourth(connection: Connection) -> None:
        connection.execute(text("UPDATE pointsman_pairs SET more = 1"))

    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, third, fourth))
    monkeypatch.setattr(database, "VERSION", 4)
    for _ in range(2):  # once
        with opened(url) as connection:
            assert connection.execute(schema.select()).scalar_one() == 4
            connection.execute(text("SELECT more FROM pointsman_pairs"))


def test_goes_on_with_what_the_first_version_kept(url: str) -> None:
    store = Store.open(url)
    store.add([a_half("01")], 2000.0)
    store.close()
    with opened(url) as connection:
        connection.execute(text("ALTER TABLE pointsman_texts DROP COLUMN headers"))
        connection.execute(schema.update().values(version=1))
    store = Store.open(url)
    assert store.claim_half("w", 2001.0, 60.0) == a_half("01", headers=())
    assert store.add([a_half("02")], 2000.0) == 1
    assert store.claim_half("w", 2001.0, 60.0) == a_half("02")
    store.close()


def test_a_migration_that_fails_leaves_all_as_it_was(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(url).close()

    def broken(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE pointsman_pairs ADD COLUMN more INTEGER"))
        connection.execute(text("SELECT missing FROM nowhere"))

    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, broken))
    monkeypatch.setattr(database, "VERSION", 3)
    assert "nowhere" in refusal(url)
    monkeypatch.undo()
    Store.open(url).close()
    with opened(url) as connection:
        assert "more" not in {column["name"] for column in inspect(connection).get_columns("pointsman_pairs")}


def test_an_export_sees_one_moment_and_keeps_nobody_from_writing(url: str) -> None:
    store = Store.open(url)
    store.add([a_half("01")], 2000.0)
    rows = store.export()
    assert [next(rows)["kind"], next(rows)["kind"]] == ["evaluations", "pair"]
    store.add([a_half("02")], 2000.0)
    store.charge("support", date(2026, 11, 25), 1.0)
    assert list(rows) == []
    store.close()


# SQLite


def test_a_path_is_enough_and_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "evaluations.sqlite"
    store = Store.open(str(file))
    store.add([a_half("01")], 2000.0)
    assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}
    store.close()


def test_says_where_no_file_can_be_made(tmp_path: Path) -> None:
    assert (
        refusal(f"sqlite:///{tmp_path}/none/x.sqlite")
        == f"{tmp_path}/none/x.sqlite cannot be opened: there is no directory {tmp_path}/none"
    )
    assert refusal(str(tmp_path)) == f"{tmp_path} cannot be opened: it is a directory"


def test_refuses_a_file_that_is_something_else(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite"
    file.write_text("something else " * 100)
    assert refusal(str(file)) == f"{file}: file is not a database"


def test_sqlite_overwrites_what_is_deleted(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "x.sqlite"))
    store.add([a_half("01", answer="unforgettable" * 2000)], 2000.0)
    assert any(b"unforgettable" in each.read_bytes() for each in tmp_path.iterdir())
    assert store.purge(1e12) == 1
    assert not any(b"unforgettable" in each.read_bytes() for each in tmp_path.iterdir())
    store.close()


# URLs


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u:geheim@h/d", "mysql:// cannot hold evaluations; write sqlite:///FILE or postgresql://…"),
        ("sqlite://", "the URL of the evaluations names no file: write sqlite:///FILE"),
        ("sqlite:///:memory:", "the URL of the evaluations names no file: write sqlite:///FILE"),
        ("postgresql://u:geheim@h:port/d", "the URL of the evaluations cannot be read; write postgresql://USER:PASSWORD@HOST/DATABASE"),
    ],
)  # fmt: skip
def test_says_which_urls_it_takes(url: str, told: str) -> None:
    assert refusal(url) == told


def test_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def without_driver(name: str, *rest: Any) -> Any:
        if name == "psycopg":
            raise ImportError(name)
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_driver)
    assert refusal("postgresql://u:geheim@h/d") == "PostgreSQL needs its driver: pip install 'pointsman[postgresql]'"


def test_begins_anew_where_its_file_was_deleted(tmp_path: Path) -> None:
    """What was written into the old one would be seen by nobody, and gone with the process."""
    file = tmp_path / "e.sqlite"
    store = Store.open(str(file))
    store.add([a_half("01")], 2000.0)
    for one in tmp_path.iterdir():
        one.unlink()
    assert store.add([a_half("02")], 2000.0) == 1
    again = Store.open(str(file))
    assert [row["decision"] for row in again.export() if row["kind"] == "pair"] == ["02"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store.close()
    again.close()


def test_takes_no_file_that_was_put_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "e.sqlite"
    store = Store.open(str(file))
    Store.open(str(tmp_path / "other.sqlite")).close()
    (tmp_path / "other.sqlite").rename(file)
    for _ in range(2):
        with pytest.raises(StoreError, match="was replaced while it was in use: start this process anew"):
            store.load("key")
    store.close()


# PostgreSQL


def test_tells_no_password_where_postgresql_refuses_it(postgres: Postgres) -> None:
    told = refusal(postgres.url(password="geheim/wrong"))
    assert told.startswith("postgresql+psycopg://pointsman:***@/postgres?host=")
    assert 'password authentication failed for user "pointsman"' in told
    told = refusal(f"postgresql:///postgres?user=pointsman&password=geheim%2Fwrong&host={postgres.sockets}")
    assert told.startswith("postgresql+psycopg:///postgres?")


def test_tells_where_postgresql_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    told = refusal(f"postgres://pointsman:geheim@/evaluations?host={tmp_path}")
    assert re.search(r"pointsman:\*\*\*@/evaluations.*No such file or directory", told)


def test_comes_back_after_postgresql_dropped_its_connections(postgres: Postgres) -> None:
    store = Store.open(postgres.url())
    store.save("key", b"value")
    postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pointsman'")
    assert store.load("key") == b"value"
    store.close()


def test_waits_for_no_lock_without_end(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    store, other = Store.open(postgres.url()), Database.open(postgres.url())
    with other.writing() as connection:
        connection.execute(text("LOCK TABLE pointsman_states IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StoreError, match="lock timeout"):
            store.load("key")
    assert store.load("key") is None
    store.close()
    other.close()


def test_needs_no_right_to_make_tables_that_are_there(postgres: Postgres) -> None:
    Store.open(postgres.url()).close()
    postgres.run("DROP ROLE IF EXISTS guest")
    postgres.run("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    postgres.run("GRANT USAGE ON SCHEMA public TO guest")
    postgres.run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest")
    url = postgres.url().replace("pointsman:", "guest:").replace("geheim%2F%2B%20%25", "guest")
    store = Store.open(url)
    assert store.add([a_half("01")], 2000.0) == 1
    store.close()


def test_prepares_no_statements_since_poolers_lose_them(postgres: Postgres) -> None:
    with opened(postgres.url()) as connection:
        for _ in range(10):
            connection.execute(text("SELECT 1"))
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0


def test_every_table_has_its_place_in_a_shared_database() -> None:
    assert all(table.name.startswith("pointsman_") for table in metadata.sorted_tables)
