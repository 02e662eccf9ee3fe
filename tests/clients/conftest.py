"""Tests of this folder need what `make test-clients` installs; without it they are not even collected."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.clients.support.environments import INSIDE, Environments, environments
from tests.clients.support.matrix import backends
from tests.support.llama import Llama, llama, write_model
from tests.support.running_gateway import RunningGateway

collect_ignore_glob = [] if os.environ.get(INSIDE) else ["test_*.py"]


@pytest.fixture(scope="session")
def installed() -> Environments:
    return environments()


@pytest.fixture(scope="session")
def clients_python(installed: Environments) -> Path:
    """The interpreter of the Python clients."""
    if installed.clients is None:
        pytest.skip(installed.absent["clients"])
    return installed.clients / "bin" / "python"


@pytest.fixture(scope="session")
def node_folder(installed: Environments) -> Path:
    """The folder with `node_modules`."""
    if installed.node is None:
        pytest.skip(installed.absent["node"])
    return installed.node


@pytest.fixture(scope="session")
def llamas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Llama, Llama]]:
    """Two real servers, one to talk to and one that embeds."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(path)
    with llama(path, context=2_048) as chat, llama(path, "embed") as embed:
        yield chat, embed


@pytest.fixture
async def running(llamas: tuple[Llama, Llama]) -> AsyncIterator[RunningGateway]:
    """A gateway before llama.cpp and the simulated providers."""
    async with backends(*llamas) as gateway:
        yield gateway
