"""The processes of the day: simulated providers, and gateway and monitor as `pointsman run` starts them.

Owns their start, what is asked of them while they run, and their end. Everything listens on loopback, on free ports.
"""

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from loadtest.day.config import day_yaml
from loadtest.quality import Rule, as_json

Json = Any  # a parsed JSON value

_START_S = 60.0  # generous: a dozen imports on a busy machine
_STOP_S = 15.0
_AGAIN_S = 0.2
_PRICES = ("OPENROUTER", "MODELSDEV", "LITELLM", "HUGGINGFACE")
CERTIFICATES = "certificates.json"


class StageError(Exception):
    """A process did not start or did not do what it was told; the message says which."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs."""

    session: aiohttp.ClientSession
    url: str
    admin: str
    monitor: str
    state_dir: Path
    control: str

    async def set_quality(self, rules: Sequence[Rule]) -> None:
        async with self.session.post(f"{self.control}/_control/quality", json={"rules": as_json(rules)}) as answer:
            if answer.status != 200:
                raise StageError(f"the providers refuse the quality: {await answer.text()}")

    def certificates(self) -> list[dict[str, Json]]:
        """As the monitor has published them; none before it has."""
        try:
            found: list[dict[str, Json]] = orjson.loads((self.state_dir / CERTIFICATES).read_bytes())["certificates"]
        except FileNotFoundError:
            return []
        return found

    async def evaluation(self) -> dict[str, Json]:
        """What the monitor tells people of pairs, certificates and alarms."""
        found: dict[str, Json] = orjson.loads(await self._text(f"{self.monitor}/api/overview"))["evaluation"]
        return found

    async def exported(self) -> bytes:
        """Every pair, as `pointsman evaluations export` writes it. Raises `StageError` where that fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli.main", "evaluations", "export", "--state-dir", str(self.state_dir)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environ(),
        )
        out, errors = await process.communicate()
        if process.returncode:
            raise StageError(f"the pairs cannot be exported: {errors.decode(errors='replace')}")
        return out

    async def gateway_metrics(self) -> str:
        return await self._text(f"{self.admin}/metrics")

    async def _text(self, url: str) -> str:
        """Waits a while for a monitor that is not up yet: `pointsman run` is ready when the gateway is."""
        until_s = time.monotonic() + _START_S
        while True:
            try:
                async with self.session.get(url) as answer:
                    if answer.status != 200:
                        raise StageError(f"{url} answers {answer.status}")
                    return await answer.text()
            except aiohttp.ClientConnectionError as error:
                if time.monotonic() > until_s:
                    raise StageError(f"{url} does not answer: {error}") from None
                await asyncio.sleep(_AGAIN_S)


@asynccontextmanager
async def stage(folder: Path, by: str) -> AsyncIterator[Stage]:
    """Everything running, in `folder`, until the block ends.

    Raises:
        StageError: a process did not start.
    """
    async with contextlib.AsyncExitStack() as stack:
        fleet = ["-m", "loadtest.providers", "--json", "--speed", "max"]
        providers = await stack.enter_async_context(child("providers", fleet, folder))
        config = folder / "pointsman.yaml"
        config.write_text(day_yaml(providers["providers"], by))
        state = folder / "state"
        ports = [word for name in ("", "admin-", "monitor-") for word in (f"--{name}port", "0")]
        run = ["-m", "gateway.cli.main", "run", "--json", "--config", str(config), "--state-dir", str(state), *ports]
        ready = await stack.enter_async_context(child("pointsman run", run, folder))
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
        # Last, so that it is closed first: a gateway that ends waits for its clients.
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        yield Stage(session, ready["url"], ready["admin"], ready["monitor"], state, providers["control"])


@asynccontextmanager
async def child(name: str, arguments: Sequence[str], folder: Path) -> AsyncIterator[dict[str, Json]]:
    """A process of ours, and the JSON of its first line. It is told to end when the block does."""
    log = folder / f"{name.replace(' ', '-')}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,  # held open and never written: its end tells the providers to leave
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=_environ(),
        )
    try:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _START_S)
            said: dict[str, Json] = orjson.loads(line)
        except (TimeoutError, orjson.JSONDecodeError):
            raise StageError(f"{name} did not start:\n{log.read_text(errors='replace')[-1500:]}") from None
        yield said
    finally:
        await _end(process)


def _environ() -> dict[str, str]:
    """Ours without settings; no price list of the world knows the simulated models."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("POINTSMAN_", "OTEL_"))}
    return kept | {f"POINTSMAN_PRICES_{source}_URL": "" for source in _PRICES}


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
