"""The monitor as a process of its own, and a way to read from its port."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_S = 20.0
TOKEN = "t-gateways"


def environ(path: Path, **more: str) -> dict[str, str]:
    """Of a monitor whose configuration and state are below `path`, and that reads no prices."""
    sources = ("OPENROUTER", "MODELSDEV", "LITELLM", "HUGGINGFACE")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")},
        **{f"POINTSMAN_PRICES_{source}_URL": "" for source in sources},
        "POINTSMAN_CONFIG": str(path / "pointsman.yaml"),
        "POINTSMAN_STATE_DIR": str(path / "state"),
        "POINTSMAN_MONITOR_PORT": "0",
        "POINTSMAN_EVALUATIONS_TOKEN": TOKEN,
        "CORP_KEY": "sk-canary",
        **more,
    }


async def started(env: dict[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def on_its_port(env: dict[str, str]) -> AsyncIterator[tuple[Process, aiohttp.ClientSession]]:
    """The process, and a session with its address; killed at the end, where it has not ended itself."""
    process = await started(env)
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)).decode()
        found = re.search(r"monitor on (http://\S+)", line)
        assert found, line
        async with aiohttp.ClientSession(found[1]) as session:
            yield process, session
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def running(env: dict[str, str]) -> AsyncIterator[tuple[Process, Callable[[str], Awaitable[str]]]]:
    """The process, and what is at a path of its port."""
    async with on_its_port(env) as (process, session):

        async def get(path: str) -> str:
            async with session.get(path) as response:
                return await response.text()

        yield process, get


async def until(true: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await true()):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.05)
    return found
