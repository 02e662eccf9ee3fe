"""Servers that others wrote to stand in for providers, as processes on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.clients.support.matrix import bare

CHAT = {"context": 200_000, "max_output": 16_384, "tier": "large", "caps": ["tools", "json_schema", "vision"]}
PRICED: dict[str, Any] = {**CHAT, "price": {"input": 1.0, "output": 2.0}}
START_S = 30.0


def row(api: str, base_url: str, *models: str) -> dict[str, Any]:
    """A provider of `pointsman.yaml` that sells these models."""
    return {"api": api, "base_url": base_url, "key": {"none": True}, "probe": {"by": "none"},
            "models": [{"id": model, **PRICED} for model in models]}  # fmt: skip


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def serving(command: Sequence[str | Path], port: int, home: Path) -> AsyncIterator[str]:
    """Run a server until the end; its URL, once it answers anything."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=home, env=bare(home),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as http:
            while not await _answers(http, url):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.kill()
        await process.wait()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url + "/v1/models"):
            return True
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def llmock(binaries: Path, home: Path) -> AsyncIterator[str]:
    """The Python package `llmock`. Its streams take their time, so that it sees whoever leaves one."""
    port = free_port()
    command = [binaries / "llmock", "serve", "--port", str(port), "--host", "127.0.0.1"]
    async with serving([*command, "--stream-chunk-delay-ms", "20"], port, home) as url:
        yield url


@asynccontextmanager
async def aimock(node_folder: Path, home: Path) -> AsyncIterator[str]:
    """The npm package `@copilotkit/aimock`, with the fixtures that it comes with."""
    port, package = free_port(), node_folder / "node_modules" / "@copilotkit" / "aimock"
    command = ["node", package / "dist" / "cli.js", "--port", str(port), "--fixtures", package / "fixtures"]
    async with serving(command, port, home) as url:
        yield url
