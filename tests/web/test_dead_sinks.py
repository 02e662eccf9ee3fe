"""A dead collector, a silent Langfuse and a full disk, all at once: requests notice nothing, metrics tell."""

import asyncio
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.support.running_gateway import WAIT_S, GatewayChild, config_of, gateway_child, until, vendors_of

FULL = "/dev/full"
REQUESTS = 60
AT_ONCE = 12

pytestmark = pytest.mark.skipif(not os.path.exists(FULL), reason="needs /dev/full, which is Linux's")


class Silent:
    """Accepts connections, reads, and never says a word."""

    def __init__(self) -> None:
        self.heard_bytes = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                self.heard_bytes += len(data)
        finally:
            writer.close()


async def ask(http: aiohttp.ClientSession, child: GatewayChild, *, stream: bool) -> str:
    body = {"model": "auto", "stream": stream, "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}
    async with http.post(f"{child.url}/v1/chat/completions", json=body) as response:
        text = await response.text()
        return "ok" if response.status == 200 and ("[DONE]" in text or not stream) else f"{response.status}: {text}"


async def ask_many(http: aiohttp.ClientSession, child: GatewayChild) -> list[str]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> str:
        async with turns:
            return await ask(http, child, stream=number % 2 == 0)

    return await asyncio.gather(*map(one, range(REQUESTS)))


async def sinks(http: aiohttp.ClientSession, child: GatewayChild, what: str) -> dict[str, float]:
    """One of the families `pointsman_sink_*`, by sink."""
    async with http.get(f"{child.admin_url}/metrics") as response:
        text = await response.text()
    return {name: float(value) for name, value in re.findall(rf'pointsman_sink_{what}{{sink="(\w+)"}} (\S+)', text)}


async def until_sinks(http: aiohttp.ClientSession, child: GatewayChild, what: str, **at_least: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while not _all(await sinks(http, child, what), at_least):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.02)


def _all(found: Mapping[str, float], at_least: Mapping[str, int]) -> bool:
    return all(found.get(name, 0) >= least for name, least in at_least.items())


async def test_answers_everybody_and_tells_what_was_lost(tmp_path: Path) -> None:
    silent = Silent()
    langfuse = await asyncio.start_server(silent, "127.0.0.1", 0)
    gone = await asyncio.start_server(silent, "127.0.0.1", 0)
    collector = gone.sockets[0].getsockname()[1]
    gone.close()
    environ = {
        "POINTSMAN_DECISIONS": FULL,
        "POINTSMAN_SINKS": "langfuse",
        "LANGFUSE_HOST": f"http://127.0.0.1:{langfuse.sockets[0].getsockname()[1]}",
        "LANGFUSE_PUBLIC_KEY": "pk",
        "LANGFUSE_SECRET_KEY": "sk",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{collector}/v1/traces",
        "OTEL_TRACES_SAMPLER": "always_on",
    }
    async with (
        langfuse,
        vendors_of(["sim-cheap", "sim-fast"], no_wait) as vendors,
        gateway_child(tmp_path, config_of(vendors), environ) as child,
        aiohttp.ClientSession() as http,
    ):
        assert set(await ask_many(http, child)) == {"ok"}
        await until_sinks(http, child, "dropped_total", journal=REQUESTS)  # the disk is full, and it is said at once
        await until_sinks(http, child, "retries_total", traces=1)  # nobody is there: it is tried again
        assert (await sinks(http, child, "waiting"))["langfuse"] == REQUESTS  # it may still answer
        await until(lambda: silent.heard_bytes > 0, "a batch for Langfuse")
        assert set(await ask_many(http, child)) == {"ok"}
        await until_sinks(http, child, "dropped_total", journal=2 * REQUESTS)
        assert "decision records cannot be written: No space left on device" in child.log_text
        assert set((await sinks(http, child, "delivered_total")).values()) == {0.0}
        child.process.send_signal(signal.SIGTERM)
        assert await child.exit_status() == 0


async def no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)
