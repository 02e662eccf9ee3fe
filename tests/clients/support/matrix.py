"""The matrix: a client's script is run against a gateway, and each line it prints is one cell.

A script is told where the gateway is and what it offers (one JSON argument), and prints one JSON object a cell:
`{"feature", "backend", "ok", "detail"}`. It owns what its client can do; a feature it does not have is no cell.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from loadtest.faults import Fault, Match
from tests.clients.support.environments import INSIDE
from tests.support.llama import Llama
from tests.support.running_gateway import RunningGateway, config_of, running_gateway, vendors_of

FEATURES = ("plain", "stream", "tools", "parallel tools", "structured output", "image", "embeddings", "error", "cancel")
VENDORS = ("sim-fast", "sim-pro", "sim-claude", "sim-private")
STALLS, REFUSES = "sim-fast/open-8b", "sim-private/open-400b"
REFUSAL = "The engine does not like this."
RUN_S = 120.0
Json = Any  # a parsed JSON value


@dataclass(frozen=True)
class Cell:
    client: str
    feature: str
    backend: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class Ended:
    """A process that ran to its end."""

    status: int
    out: str
    err: str


@asynccontextmanager
async def backends(chat: Llama, embed: Llama) -> AsyncIterator[RunningGateway]:
    """A gateway before two real servers and the simulated providers, of which one stalls and one refuses."""
    async with vendors_of(VENDORS) as vendors:
        ways = {"llama": {**chat.provider(), "also_speaks": ["responses", "anthropic"]}}
        ways["llama-embed"] = embed.provider(operation="embeddings", dimensions=64)
        async with running_gateway(config_of(vendors, providers=ways)) as running:
            running.vendors = {one.vendor.id: one for one in vendors}
            await running.vendors["sim-fast"].fault(Fault(stall_after_events=3), Match(model="open-8b"))
            refusal = Fault(status=400, message=REFUSAL, code="invalid_value")
            await running.vendors["sim-private"].fault(refusal, Match(model="open-400b"))
            yield running


def told(running: RunningGateway) -> Json:
    """What a script is told."""
    return {
        "url": running.url,
        "backends": {"openai": "sim-pro/pro-1", "anthropic": "sim-claude/claude-sim-mid", "llama": "llama/tiny"},
        "embeddings": {"openai": "sim-fast/sim-embed-1", "llama": "llama-embed/tiny"},
        "stalls": STALLS, "refuses": REFUSES, "refusal": REFUSAL,
    }  # fmt: skip


def bare(home: Path, **values: str) -> dict[str, str]:
    """An environment that holds no key, no setting and no home of anybody, and lets nothing out but to loopback."""
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), nowhere)
    away = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", **proxies, **away, **values}


async def run(command: Sequence[str | Path], home: Path, cwd: Path | None = None, **values: str) -> Ended:
    """Run a command in a bare environment; it is killed where it does not end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd or home, env=bare(home, **values),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(RUN_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def cells_of(client: str, command: Sequence[str | Path], running: RunningGateway, home: Path) -> list[Cell]:
    """Run a client's script; its words on standard error count where it broke off."""
    ended = await run([*command, json.dumps(told(running))], home)
    lines = [line for line in ended.out.splitlines() if line.startswith('{"feature"')]
    cells = [Cell(client, **json.loads(line)) for line in lines]
    if ended.status != 0 or not cells:
        cells.append(Cell(client, "script", "", False, ended.err[-2_000:]))
    await running.idle()
    cancelled = [row for row in running.rows.kept if row["outcome"] == "cancelled"]
    return [_checked(cell, cancelled) for cell in cells]


def _checked(cell: Cell, cancelled: Sequence[Mapping[str, Json]]) -> Cell:
    if cell.feature != "cancel" or cancelled or not cell.ok:
        return cell
    return Cell(cell.client, cell.feature, cell.backend, False, "the gateway did not see the client leave")


def keep(name: str, values: Json) -> None:
    """Keep results for the page."""
    (Path(os.environ[INSIDE]) / f"{name}.json").write_text(json.dumps(values, indent=1))


def keep_cells(client: str, cells: Sequence[Cell]) -> None:
    keep(f"cells-{client.replace('/', '_').replace(' ', '_')}", [asdict(cell) for cell in cells])


def failed(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if not cell.ok]
