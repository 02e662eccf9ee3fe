"""A real gateway, a real monitor and simulated providers with some traffic, a fault and hostile names: what the page
is shown of.

Everything is a process or a socket of loopback; the providers keep the pace of their rows, four times as fast.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import yaml

from loadtest.control import RunningVendor, start_vendor
from loadtest.faults import Fault, Match
from loadtest.prompts import PROMPTS, TASKS
from loadtest.vendors import VENDORS
from tests.page.support.certificates import EVALUATE, seed
from tests.support.running_gateway import ROOT, GatewayChild, config_of, gateway_child, until

SPEED = 4.0
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
TEAMS = ("", "", "dev", "support")
_MONITOR = re.compile(r"monitor on (http://\S+)")

ROUTES: list[dict[str, Any]] = [
    {
        "name": "support-bot", "match": {"header": {"x-team": "support"}, "model": ["auto", "gpt-*"]},
        "sensitivity": "pii", "tier": {"max": "medium"}, "limits": {"cost_per_request": 0.02},
        "baseline": "sim-pro/pro-1",
    },
    {
        "name": "coding", "match": {"header": {"x-team": "dev"}}, "tier": {"min": "medium"}, "objective": "latency",
        "baseline": "sim-claude/claude-sim-large",
        "split": [
            {"name": "control", "weight": 80}, {"name": "thinker", "weight": 20, "prefer": ["sim-pro/pro-thinker"]},
        ],
    },
    {
        "name": "default", "strategy": {"escalate": {"share": 0.2, "to": "large", "by": "score"}},
        "evaluate": EVALUATE,
    },
]  # fmt: skip
SENSITIVITY = {
    "public": {},
    "internal": {"require": {"trains_on_data": False}},
    "pii": {"require": {"trains_on_data": False, "retention_days": 0}, "detect": True},
}


@dataclass
class Stage:
    gateway: GatewayChild
    monitor_url: str
    vendors: dict[str, RunningVendor]
    http: aiohttp.ClientSession

    async def ask(self, number: int, dice: Random) -> None:
        """One request of the traffic, its answer read to the end."""
        task = TASKS[number % len(TASKS)]
        prompt = PROMPTS[task][number % len(PROMPTS[task])]
        body = {
            "model": dice.choice(("auto", "auto", "auto", "open-70b", "tier:medium")),
            "messages": [{"role": "user", "content": prompt}], "stream": dice.random() < 0.85,
        }  # fmt: skip
        headers = {"x-team": dice.choice(TEAMS), "x-pointsman-tags": "app=docs-search"}
        await self.send(body, headers)

    async def send(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        with suppress(aiohttp.ClientError):  # a fault may break an answer off
            async with self.http.post(
                f"{self.gateway.url}/v1/chat/completions", json=body, headers=headers
            ) as response:
                await response.read()

    async def traffic(self, seconds: float, per_s: float) -> None:
        """So many requests a second for so long, then the end of all."""
        dice = Random(7)
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * per_s)):
                group.create_task(self.ask(number, dice))
                await asyncio.sleep(1 / per_s)

    async def experiment(self) -> None:
        """Enough short requests of the split for its intervals to begin."""
        body = {"model": "auto", "messages": [{"role": "user", "content": "Name a colour."}], "max_tokens": 4}
        for number in range(0, 180, 12):
            sessions = range(number, number + 12)
            await asyncio.gather(
                *(self.send({**body, "session_id": f"s{one}"}, {"x-team": "dev"}) for one in sessions)
            )

    async def trouble(self) -> None:
        """One endpoint is down, one asks to wait, one breaks off now and then; and some clients are hostile."""
        await self.vendors["sim-fast"].fault(Fault(status=502), Match(model="open-70b"), 2)
        await self.vendors["sim-private"].fault(Fault(drop_before_head=True), Match(model="open-70b"), 1)
        await self.vendors["sim-pro"].fault(Fault(drop_after_events=4), Match(model="pro-thinker", stream=True), 1)
        dice = Random(3)
        for number in range(22):
            await self.ask(number, dice)
        overloaded = Fault(status=503, message=f"overloaded {HOSTILE}")
        await self.vendors["sim-cheap"].fault(overloaded, Match(model="open-8b"))
        for _ in range(8):
            await self.send({"model": "sim-cheap/open-8b", "messages": [{"role": "user", "content": "Hi"}]}, {})
        await self.vendors["sim-claude"].fault(Fault(status=429, retry_after_s=90), Match(model="claude-sim-mid"), 2)
        await self.send({"model": "claude-sim-mid", "messages": [{"role": "user", "content": "Hello"}]}, {})
        await self.send(
            {"model": HOSTILE, "messages": [{"role": "user", "content": HOSTILE}]},
            {"x-pointsman-tags": f"from={HOSTILE.replace(',', '')}"},
        )
        await self.send(
            {"model": "auto", "messages": [{"role": "user", "content": "Hello there"}]},
            {"x-pointsman-tags": f"from={HOSTILE.replace(',', '')}"},
        )


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Everything running, without any traffic yet."""
    async with AsyncExitStack() as stack:
        vendors = {}
        for vendor in VENDORS:
            vendors[vendor.id] = await start_vendor(vendor, speed=SPEED)
            stack.push_async_callback(vendors[vendor.id].stop)
        text = yaml.safe_load(config_of(vendors.values(), routes=ROUTES, sensitivity=SENSITIVITY))
        text["providers"]["locked"] = {
            "api": "openai", "base_url": "http://127.0.0.1:9/v1", "key": {"env": "NO_SUCH_KEY"},
            "probe": {"by": "none"},
            "models": [{"id": "sealed-1", "tier": "small", "context": 8192, "max_output": 1024}],
        }  # fmt: skip
        config = yaml.safe_dump(text, sort_keys=False)
        state = {"POINTSMAN_STATE_DIR": str(folder / "state")}
        (folder / "state").mkdir()
        seed(folder / "state" / "evaluations.sqlite")
        gateway = await stack.enter_async_context(gateway_child(folder, config, state))
        monitor_url = await stack.enter_async_context(_monitor(folder, gateway.admin_url))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        yield Stage(gateway, monitor_url, vendors, http)


@asynccontextmanager
async def _monitor(folder: Path, admin_url: str) -> AsyncIterator[str]:
    """A real `python -m monitor` that reads the gateway; its URL."""
    sources = ("OPENROUTER", "MODELSDEV", "LITELLM", "HUGGINGFACE")
    settings = {f"POINTSMAN_PRICES_{source}_URL": "" for source in sources} | {
        "POINTSMAN_CONFIG": str(folder / "pointsman.yaml"), "POINTSMAN_STATE_DIR": str(folder / "state"),
        "POINTSMAN_MONITOR_PORT": "0", "POINTSMAN_GATEWAYS": admin_url, "POINTSMAN_KUBERNETES": "off",
        "PATH": os.environ.get("PATH", ""), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", cwd=ROOT, env=settings, stderr=asyncio.subprocess.PIPE
    )
    log: list[str] = []
    reading = asyncio.create_task(_read(process, log))
    try:
        await until(lambda: reading.done() or any(_MONITOR.search(line) for line in log), "the start of the monitor")
        found = next((one for line in log if (one := _MONITOR.search(line))), None)
        assert found is not None, "\n".join(log)
        yield found[1]
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def _read(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode().rstrip())
