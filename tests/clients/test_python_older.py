"""Clients in Python that want older versions of what the others use: `instructor`, and `aider` with one prompt."""

from pathlib import Path

import pytest

from tests.clients.support.environments import SCRIPTS, Environments
from tests.clients.support.matrix import Cell, cells_of, failed, keep_cells, run
from tests.support.running_gateway import RunningGateway

CLIENTS = {"instructor, openai": "instructor_openai", "instructor, anthropic": "instructor_anthropic"}


@pytest.fixture(scope="session")
def older(installed: Environments) -> Path:
    if installed.aider is None:
        pytest.skip(installed.absent["aider"])
    return installed.aider / "bin"


@pytest.mark.parametrize("client", CLIENTS)
async def test_does_what_it_does_directly(client: str, older: Path, running: RunningGateway, tmp_path: Path) -> None:
    cells = await cells_of(client, [older / "python", SCRIPTS / f"{CLIENTS[client]}.py"], running, tmp_path)
    keep_cells(client, cells)
    assert failed(cells) == []


@pytest.mark.parametrize("model", ["sim-pro/pro-1", "sim-claude/claude-sim-mid"])
async def test_aider_answers_one_prompt(model: str, older: Path, running: RunningGateway, tmp_path: Path) -> None:
    words = ["--model", f"openai/{model}", "--message", "What is 12 * 12?", "--yes-always", "--no-git", "--no-pretty"]
    quiet = ["--no-analytics", "--analytics-disable", "--no-check-update", "--no-show-model-warnings"]
    modest = ["--no-show-release-notes", "--map-tokens", "0", "--chat-mode", "ask", "--no-suggest-shell-commands"]
    ended = await run(
        [older / "aider", *words, *quiet, *modest], tmp_path,
        OPENAI_API_BASE=running.url + "/v1", OPENAI_API_KEY="any", LITELLM_LOCAL_MODEL_COST_MAP="True",
    )  # fmt: skip
    row = await running.row()
    ok = (
        ended.status == 0
        and f"at {model.partition('/')[0]}" in ended.out
        and (row["endpoint"], row["outcome"]) == (model, "ok")
    )
    backend = "openai" if "pro" in model else "anthropic"
    cells = [Cell("aider", "stream", backend, ok, "" if ok else (ended.out + ended.err)[-600:])]
    keep_cells(f"aider, {backend}", cells)
    assert failed(cells) == []
