"""Real llama.cpp servers, started once; and a gateway over the simulated vendors."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.llama import Llama, llama, write_model
from tests.support.running_gateway import RunningGateway, gateway_with

ALL = ("sim-cheap", "sim-fast", "sim-pro", "sim-claude", "sim-private")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(path)
    return path


@pytest.fixture(scope="session")
def chat_server(tiny_model: Path) -> Iterator[Llama]:
    with llama(tiny_model) as server:
        yield server


@pytest.fixture(scope="session")
def embed_server(tiny_model: Path) -> Iterator[Llama]:
    with llama(tiny_model, "embed") as server:
        yield server


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    """A gateway over every simulated vendor."""
    async with gateway_with(*ALL) as gateway:
        yield gateway
