"""A whole gateway to send real requests to: in this process, or as a child (`python -m gateway`).

The one in this process is put together as `serve` does it, on free ports, with its rows kept in memory. The child is
the product itself, with its files and signals.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from gateway.compose import Gateway, new_clock
from gateway.config.compile import Compiled
from gateway.config.here import known_here
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from gateway.core.decision import Decision
from gateway.core.record import record
from gateway.edge.lines import Row
from gateway.edge.metrics import registry
from gateway.upstream.client import Upstream
from gateway.web.api import Api
from gateway.web.app import Counts, Listening, client_app, listen
from gateway.web.auth import Door
from gateway.web.ops import admin_app
from loadtest.control import RunningVendor, start_vendor
from loadtest.sending import Sleep
from loadtest.vendors import provider_rows, vendor_named

ROOT = Path(__file__).parents[2]
WAIT_S = 20.0  # until something must have come to pass; only failing tests wait so long
TODAY = date(2026, 11, 25)


async def until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Wait until `condition` holds, looking again whenever the loop turns."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110 - what is waited for happens elsewhere, in other processes even
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError(f"{what} never came to pass") from None


class Gate:
    """A `sleep` for simulated vendors: whoever sleeps waits at the gate until it is let through.

    A vendor with the fault `tokens_per_s` comes here before each content event but the first, one with
    `delay_first_byte_ms` before its head.
    """

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(0)
        self._open = False
        self.arrived = 0
        self.cancelled = 0  # left while they waited: their client was gone

    async def __call__(self, seconds: float) -> None:
        self.arrived += 1
        if self._open:
            return
        try:
            await self._turns.acquire()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def let(self, number: int) -> None:
        """Let so many through."""
        for _ in range(number):
            self._turns.release()

    def open(self) -> None:
        """Let everybody through from now on."""
        self._open = True
        self.let(self.arrived)


@cache
def packaged() -> Known:
    """The packaged catalog on a machine without any key in its environment."""
    return known_here(None, TODAY, {})


def compiled(text: str) -> Compiled:
    """The configuration in this text."""
    return load_config(ConfigText(text.encode()), packaged())


class Rows:
    """A journal that keeps its rows, as the JSON objects they would be written as."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.dropped = 0
        self.also: Callable[[Row, bytes | None], None] = lambda _row, _line: None  # who else gets them

    def add(self, row: Row, line: bytes | None) -> None:
        self.also(row, line)
        self.kept.append(record(row) if isinstance(row, Decision) else dict(row))


@dataclass
class RunningGateway:
    """A gateway in this process. `vendors` are those it was started with, by id."""

    gateway: Gateway
    clients: Listening
    admin: Listening
    upstream: Upstream
    http: aiohttp.ClientSession
    rows: Rows = field(default_factory=Rows)
    vendors: dict[str, RunningVendor] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.clients.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin.port}"

    async def row(self, number: int = 1) -> dict[str, Any]:
        """The decision of the `number`-th request; it is written when the request is over."""
        await until(lambda: len(self.rows.kept) >= number, f"row {number}")
        return self.rows.kept[number - 1]

    async def idle(self) -> None:
        """Wait until no request is being answered."""
        await until(lambda: self.gateway.counts.active == 0, "the end of all requests")

    def post(self, path: str, body: object, **options: Any) -> Any:
        """A POST of JSON, to be used with `async with`."""
        return self.http.post(self.url + path, json=body, **options)

    def chat(self, text: str = "Hello there", *, model: str = "auto", headers: Any = None, **fields: Any) -> Any:
        """A chat completion, to be used with `async with`."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.post("/v1/chat/completions", body, headers=headers)

    async def admin_text(self, path: str) -> str:
        async with self.http.get(self.admin_url + path) as response:
            return await response.text()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A plain connection to the client port."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.clients.port)
        try:
            async with asyncio.timeout(WAIT_S):
                yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def running_gateway(text: str) -> AsyncIterator[RunningGateway]:
    """A gateway with the configuration in `text`."""
    rows, upstream = Rows(), Upstream()
    made = Gateway(compiled(text), rows, new_clock(), upstream)
    door = Door(made.ring, lambda: made.metrics.unauthorized.add(()))
    api = Api(made.walk, door, made.keep)
    clients = await listen(client_app(api, made.counts, lambda: made.draining), "127.0.0.1", 0, made.counts)
    admin = await listen(admin_app(made.views(), registry(made.metrics)), "127.0.0.1", 0, Counts())
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:
        try:
            yield RunningGateway(made, clients, admin, upstream, http, rows)
        finally:
            await http.close()
            await clients.drain(WAIT_S)
            await admin.drain(1.0)
            await upstream.close()
            made.close()


def config_of(vendors: Iterable[RunningVendor], **sections: Any) -> str:
    """A `pointsman.yaml` whose providers are these vendors; `providers` in `sections` are added."""
    running = list(vendors)
    rows = provider_rows({one.vendor.id: one.base_url for one in running}, [one.vendor for one in running])
    given = dict(sections)
    providers = rows | (given.pop("providers", None) or {})
    return yaml.safe_dump({"providers": providers} | given, sort_keys=False)


@asynccontextmanager
async def vendors_of(ids: Sequence[str], sleep: Sleep = asyncio.sleep) -> AsyncIterator[list[RunningVendor]]:
    """Simulated vendors in this process that never wait but through `sleep`."""
    async with AsyncExitStack() as stack:
        running = []
        for name in ids:
            vendor = await start_vendor(vendor_named(name), sleep=sleep)
            stack.push_async_callback(vendor.stop)
            running.append(vendor)
        yield running


@asynccontextmanager
async def gateway_with(*ids: str, sleep: Sleep = asyncio.sleep, **sections: Any) -> AsyncIterator[RunningGateway]:
    """A gateway whose providers are the simulated vendors of these ids."""
    async with vendors_of(ids, sleep) as vendors, running_gateway(config_of(vendors, **sections)) as running:
        running.vendors = {one.vendor.id: one for one in vendors}
        yield running


# -- as a process ------------------------------------------------------------------------------------------------------

_STARTED = re.compile(r"gateway on http://127\.0\.0\.1:(\d+), admin on port (\d+)")


@dataclass
class GatewayChild:
    """A real `python -m gateway`."""

    process: asyncio.subprocess.Process
    port: int
    admin_port: int
    decisions: Path
    log: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def log_text(self) -> str:
        return "\n".join(self.log)

    async def exit_status(self) -> int:
        async with asyncio.timeout(WAIT_S):
            return await self.process.wait()


@asynccontextmanager
async def gateway_child(
    folder: Path, text: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[GatewayChild]:
    """Start the gateway with the configuration in `text`, its files in `folder`, and kill it at the end."""
    config, decisions = folder / "pointsman.yaml", folder / "decisions.jsonl"
    config.write_text(text)
    settings = {
        "POINTSMAN_PORT": "0", "POINTSMAN_ADMIN_PORT": "0", "POINTSMAN_CONFIG": str(config),
        "POINTSMAN_DECISIONS": str(decisions), "POINTSMAN_KUBERNETES": "off", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ.get("PATH", ""), **settings, **(environ or {})},
    )  # fmt: skip
    log: list[str] = []
    reading = asyncio.create_task(_read_log(process, log))
    try:
        await until(lambda: reading.done() or any(_STARTED.search(line) for line in log), "the start of the gateway")
        ports = next((found for line in log if (found := _STARTED.search(line))), None)
        assert ports is not None, "\n".join(log)
        yield GatewayChild(process, int(ports[1]), int(ports[2]), decisions, log)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def _read_log(process: asyncio.subprocess.Process, log: list[str]) -> None:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        log.append(line.decode().rstrip())


# -- what came back ----------------------------------------------------------------------------------------------------


def events_of(body: str) -> list[str]:
    """The data of a stream's events."""
    return [line[6:] for line in body.split("\n") if line.startswith("data: ")]
