"""Clients in Python: every cell of the matrix that a client has."""

from pathlib import Path

import pytest

from tests.clients.support.environments import SCRIPTS
from tests.clients.support.matrix import cells_of, failed, keep_cells
from tests.support.running_gateway import RunningGateway

CLIENTS = {
    "openai-python, chat": "openai_chat",
    "openai-python, responses": "openai_responses",
    "anthropic-python": "anthropic_messages",
    "langchain-openai, chat": "langchain_openai_chat",
    "langchain-openai, responses": "langchain_openai_responses",
    "langchain-anthropic": "langchain_anthropic_messages",
    "pydantic-ai, chat": "pydantic_ai_chat",
    "pydantic-ai, responses": "pydantic_ai_responses",
    "pydantic-ai, anthropic": "pydantic_ai_anthropic",
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_does_what_it_does_directly(
    client: str, clients_python: Path, running: RunningGateway, tmp_path: Path
) -> None:
    cells = await cells_of(client, [clients_python, SCRIPTS / f"{CLIENTS[client]}.py"], running, tmp_path)
    keep_cells(client, cells)
    assert failed(cells) == []
