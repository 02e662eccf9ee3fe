"""Both databases for the tests of the store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres, binaries, running


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed (Debian: postgresql)")
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    with running(programs) as postgres:
        yield postgres


@pytest.fixture
def postgres(cluster: Postgres) -> Postgres:
    """With nothing in it."""
    cluster.empty()
    return cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/evaluations.sqlite"
    emptied: Postgres = request.getfixturevalue("postgres")
    return emptied.url()
