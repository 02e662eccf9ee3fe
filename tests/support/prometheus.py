"""A real Prometheus on this machine, its HTTP API, and a real monitor for it to scrape."""

import asyncio
import math
import os
import re
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support.running_gateway import ROOT, WAIT_S, until

Json = Any  # a value made of JSON's types

SCRAPED_EVERY = "1s"
NAMESPACE = "models"  # as Kubernetes' discovery would say
_MONITOR = re.compile(r"monitor on http://127\.0\.0\.1:(\d+)")
_PROMETHEUS = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str
    http: aiohttp.ClientSession

    async def ask(self, path: str, **query: str) -> Json:
        async with self.http.get(f"{self.url}/api/v1/{path}", params=query) as response:
            answer = await response.json()
        assert answer["status"] == "success", (query, answer.get("error"))
        return answer["data"]

    async def has_data(self, expr: str) -> bool:
        """A number at least, now. Raises where Prometheus does not take the expression."""
        rows = (await self.ask("query", query=expr))["result"]
        return any(not math.isnan(float(row["value"][1])) for row in rows)

    async def firing(self) -> set[str]:
        return {
            each["labels"]["alertname"] for each in (await self.ask("alerts"))["alerts"] if each["state"] == "firing"
        }

    async def rule_errors(self) -> dict[str, str]:
        """What went wrong at the last evaluation, by the name of the rule."""
        groups = (await self.ask("rules"))["groups"]
        return {rule["name"]: rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")}

    async def evaluated(self) -> bool:
        """Every rule, at least once."""
        groups = (await self.ask("rules"))["groups"]
        return bool(groups) and all(rule["health"] != "unknown" for group in groups for rule in group["rules"])


@asynccontextmanager
async def prometheus(folder: Path, targets: Mapping[str, str], rules: Iterable[Path]) -> AsyncIterator[Prometheus]:
    """Scrapes `targets` (job to host:port) every second, evaluates the rules as often, and is gone at the end."""
    groups = [group for path in rules for group in yaml.safe_load(path.read_text())["groups"]]
    at_once = [{"name": group["name"], "rules": group["rules"]} for group in groups]  # not every other minute
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": at_once}))
    scrapes = [
        {
            "job_name": job,
            "static_configs": [{"targets": [target], "labels": {"namespace": NAMESPACE, "pod": f"{job}-0"}}],
        }
        for job, target in targets.items()
    ]
    config = {
        "global": {"scrape_interval": SCRAPED_EVERY, "evaluation_interval": SCRAPED_EVERY},
        "rule_files": ["rules.yml"],
        "scrape_configs": scrapes,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        "prometheus", "--web.listen-address=127.0.0.1:0", f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
    ]  # fmt: skip
    async with (
        started(command, _PROMETHEUS, {}) as port,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
    ):
        yield Prometheus(f"http://127.0.0.1:{port}", http)


@asynccontextmanager
async def monitor_child(environ: Mapping[str, str]) -> AsyncIterator[int]:
    """A real `python -m monitor`; its port."""
    settings = {"POINTSMAN_MONITOR_PORT": "0", "POINTSMAN_KUBERNETES": "off", "PYTHONUNBUFFERED": "1"}
    async with started([sys.executable, "-m", "monitor"], _MONITOR, settings | dict(environ)) as port:
        yield port


@asynccontextmanager
async def started(command: Sequence[str], ready: re.Pattern[str], environ: Mapping[str, str]) -> AsyncIterator[int]:
    """A process that says on standard error at which port it listens; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stderr=asyncio.subprocess.PIPE, env={"PATH": os.environ.get("PATH", ""), **environ}
    )
    log: list[str] = []
    reading = asyncio.create_task(_read(process, log))
    try:
        await until(lambda: reading.done() or any(ready.search(line) for line in log), f"the start of {command[0]}")
        port = next((found[1] for line in log if (found := ready.search(line))), None)
        assert port is not None, "\n".join(log)
        yield int(port)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def _read(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode().rstrip())
