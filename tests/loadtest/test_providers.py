"""The command as a parent process uses it: one line of JSON, children that can be killed, and none left behind."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from loadtest.providers import parser

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30


async def launched(only: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest.providers", "--json", "--speed", "max", "--only", only),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )


async def handshake_of(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    return orjson.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))


@pytest.fixture
async def process() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await launched("sim-fast,sim-claude")
    yield process
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


async def ended(pid: int) -> None:
    """Returns when the process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def test_prints_one_line_that_a_configuration_can_be_made_of(process: asyncio.subprocess.Process) -> None:
    line = await handshake_of(process)
    assert (sorted(line), sorted(line["pids"])) == (["control", "pids", "providers"], ["sim-claude", "sim-fast"])
    assert {name: row["api"] for name, row in line["providers"].items()} == {
        "sim-fast": "openai",
        "sim-claude": "anthropic",
    }
    process.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert (rest, process.returncode) == (b"", 0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for a stranger's child needs Linux's pidfd")
@pytest.mark.parametrize("how", ["kill", "close_stdin"])
async def test_takes_its_children_along(process: asyncio.subprocess.Process, how: str) -> None:
    line = await handshake_of(process)
    if how == "kill":
        process.kill()
    else:
        assert process.stdin is not None
        process.stdin.close()
    async with asyncio.timeout(PATIENCE_S):
        for pid in (process.pid, *line["pids"].values()):
            await ended(pid)


async def test_survives_the_death_of_one_vendor_and_starts_it_again(
    process: asyncio.subprocess.Process, http: aiohttp.ClientSession
) -> None:
    line = await handshake_of(process)
    control, fast = line["control"], line["providers"]["sim-fast"]["base_url"]
    async with http.post(f"{control}/_control/kill", json={"provider": "sim-fast"}) as answer:
        assert (await answer.json())["pid"] == line["pids"]["sim-fast"]
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(f"{fast}/models")
    async with http.get(f"{control}/_control/bill") as answer:
        assert list((await answer.json())["by_provider"]) == ["sim-claude"]
    async with http.post(f"{control}/_control/fault", json={"fault": {"status": 500}}) as answer:
        assert (await answer.json())["sim-fast"] == {"error": "not running"}
    async with http.post(f"{control}/_control/start", json={"provider": "sim-fast"}) as answer:
        assert (await answer.json())["alive"] is True
    async with http.get(f"{fast}/models") as answer:
        assert answer.status == 200
    async with http.post(f"{control}/_control/start", json={"provider": "nobody"}) as answer:
        assert answer.status == 404


def test_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--only", "nobody"], ["--speed", "quick"]):
        with pytest.raises(SystemExit):
            parser().parse_args(arguments)
    assert "no simulated vendor 'nobody'; there are: sim-cheap" in capsys.readouterr().err
