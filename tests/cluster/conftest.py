"""Tests of this folder need the cluster of `make test-cluster`; without it they are not even collected."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.support import lab, release, vendors

collect_ignore_glob = [] if os.environ.get(lab.INSIDE) == "1" else ["test_*.py"]


@pytest.fixture(scope="session")
def providers() -> None:
    """The simulated providers, as pods."""
    vendors.start()


@pytest.fixture(scope="session")
def installed(providers: None) -> None:
    """Pointsman in its namespace, in front of the simulated providers; once for all tests."""
    release.install(vendors.config())


@pytest.fixture
def changed(pointsman: None) -> Iterator[Callable[..., None]]:
    """What upgrades the release with other values, until the test ends."""
    yield release.upgrade
    release.upgrade()


@pytest.fixture
def pointsman(installed: None) -> Iterator[None]:
    """All as installed, and all providers well, before a test and after it."""
    for name in vendors.NAMES:
        vendors.well(name)
    yield
    for name in vendors.NAMES:
        vendors.well(name)
