"""Programs for the terminal with one prompt each, an empty environment and no way out but loopback."""

from pathlib import Path

import pytest

from tests.clients.support.matrix import Cell, Ended, failed, keep_cells, run
from tests.support.running_gateway import RunningGateway

BACKENDS = {"openai": "sim-pro/pro-1", "anthropic": "sim-claude/claude-sim-mid"}
CODEX = """
model = "{model}"
model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "GATEWAY_KEY"
[analytics]
enabled = false
[otel]
exporter = "none"
"""
LLM = """
- model_id: {backend}
  model_name: {model}
  api_base: {url}/v1
"""
each_backend = pytest.mark.parametrize("backend", BACKENDS)


def judged(client: str, backend: str, ended: Ended, running: RunningGateway) -> list[Cell]:
    """One cell: it said what the provider said, and every request it made was answered."""
    outcomes = {row["outcome"] for row in running.rows.kept}
    vendor, _, name = BACKENDS[backend].partition("/")
    signed = f"\n— {name} at {vendor}" in ended.out  # what is asked is hidden among what these programs add to it
    ok = ended.status == 0 and signed and outcomes == {"ok"}
    cells = [Cell(client, "stream", backend, ok, "" if ok else f"{outcomes} {(ended.out + ended.err)[-600:]}")]
    keep_cells(f"{client}, {backend}", cells)
    return cells


@each_backend
async def test_claude_code_answers_one_prompt(
    backend: str, node_folder: Path, running: RunningGateway, tmp_path: Path
) -> None:
    ended = await run(
        [node_folder / "node_modules" / ".bin" / "claude", "--print", "--model", BACKENDS[backend], "What is 12 * 12?"],
        tmp_path, ANTHROPIC_BASE_URL=running.url, ANTHROPIC_AUTH_TOKEN="any", DISABLE_AUTOUPDATER="1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1", DISABLE_TELEMETRY="1", DISABLE_ERROR_REPORTING="1",
        ANTHROPIC_SMALL_FAST_MODEL=BACKENDS[backend],
    )  # fmt: skip
    await running.idle()
    assert failed(judged("Claude Code", backend, ended, running)) == []
    assert {row["surface"] for row in running.rows.kept} <= {"messages", "count_tokens"}


@each_backend
async def test_codex_answers_one_prompt(
    backend: str, node_folder: Path, running: RunningGateway, tmp_path: Path
) -> None:
    home = tmp_path / ".codex"
    home.mkdir()
    (home / "config.toml").write_text(CODEX.format(model=BACKENDS[backend], url=running.url))
    codex = node_folder / "node_modules" / ".bin" / "codex"
    ended = await run(
        [codex, "exec", "--skip-git-repo-check", "--sandbox", "read-only", "What is 12 * 12?"], tmp_path,
        GATEWAY_KEY="any", CODEX_HOME=str(home),
    )  # fmt: skip
    await running.idle()
    assert failed(judged("Codex", backend, ended, running)) == []
    assert {row["surface"] for row in running.rows.kept} == {"responses"}


@each_backend
async def test_llm_answers_one_prompt(
    backend: str, clients_python: Path, running: RunningGateway, tmp_path: Path
) -> None:
    text = LLM.format(backend=backend, model=BACKENDS[backend], url=running.url)
    (tmp_path / "extra-openai-models.yaml").write_text(text)
    ended = await run(
        [clients_python.parent / "llm", "-m", backend, "--key", "any", "What is 12 * 12?"], tmp_path,
        LLM_USER_PATH=str(tmp_path),
    )  # fmt: skip
    await running.idle()
    assert failed(judged("llm", backend, ended, running)) == []
