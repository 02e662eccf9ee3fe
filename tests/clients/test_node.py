"""Clients in Node: every cell of the matrix that a client has."""

import shutil
from pathlib import Path

import pytest

from tests.clients.support.environments import PACKAGES
from tests.clients.support.matrix import cells_of, failed, keep_cells
from tests.support.running_gateway import RunningGateway

CLIENTS = {
    "openai-node, chat": "openai_chat",
    "openai-node, responses": "openai_responses",
    "anthropic-typescript": "anthropic_messages",
    "AI SDK, openai": "ai_sdk_responses",
    "AI SDK, openai.chat": "ai_sdk_chat",
    "AI SDK, anthropic": "ai_sdk_anthropic",
}


@pytest.mark.parametrize("client", CLIENTS)
async def test_does_what_it_does_directly(
    client: str, node_folder: Path, running: RunningGateway, tmp_path: Path
) -> None:
    for script in PACKAGES.glob("*.mjs"):  # modules are looked for from where the importing file lies
        shutil.copy(script, tmp_path)
    (tmp_path / "node_modules").symlink_to(node_folder / "node_modules")
    cells = await cells_of(client, ["node", tmp_path / f"{CLIENTS[client]}.mjs"], running, tmp_path)
    keep_cells(client, cells)
    assert failed(cells) == []
