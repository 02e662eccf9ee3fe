"""Every simulated vendor as a child process of its own, so that one can be killed with `kill -9` while the others
go on.

Owns the children and the fleet's one control server, which passes orders on to them. A child learns of its
parent's death (by whatever signal) from the end of its standard input, and leaves at once.
"""

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from loadtest.vendors import VENDORS, Vendor, provider_rows

Json = Any  # a parsed JSON value

_START_TIMEOUT_S = 20.0  # generous: a child imports for half a second, on a busy machine for several
_STOP_TIMEOUT_S = 3.0


class UnknownVendorError(LookupError):
    """An order names a vendor that is not running."""


@dataclass(slots=True)
class Child:
    """One vendor's process and where it listens."""

    vendor: Vendor
    process: asyncio.subprocess.Process
    base_url: str
    port: int
    control_url: str


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """`base_port` 0: any free ports; else consecutive ones from there. `speed` is the command's word."""

    host: str = "127.0.0.1"
    base_port: int = 0
    speed: str = "1"


class Fleet:
    """The running children, by vendor id."""

    def __init__(self, options: FleetOptions) -> None:
        self._options = options
        self.children: dict[str, Child] = {}

    async def start(self, vendors: Iterable[Vendor]) -> None:
        base = self._options.base_port
        started = await asyncio.gather(
            *(self._spawn(vendor, base + place if base else 0) for place, vendor in enumerate(vendors)),
            return_exceptions=True,
        )
        for child in started:
            if isinstance(child, Child):
                self.children[child.vendor.id] = child
        for failure in started:
            if isinstance(failure, BaseException):
                await self.stop()
                raise failure

    async def restart(self, vendor_id: str) -> Child:
        """A new process for a vendor whose old one is gone, on the same port."""
        old = self.child(vendor_id)
        if old.process.returncode is None:
            return old
        self.children[vendor_id] = await self._spawn(old.vendor, old.port)
        return self.children[vendor_id]

    async def kill(self, vendor_id: str) -> int:
        """`kill -9` of the vendor's process; its pid."""
        process = self.child(vendor_id).process
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return process.pid

    def child(self, vendor_id: str) -> Child:
        try:
            return self.children[vendor_id]
        except KeyError:
            raise UnknownVendorError(f"no vendor {vendor_id!r}; running: {', '.join(self.children)}") from None

    async def stop(self) -> None:
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        for child in self.children.values():
            try:
                await asyncio.wait_for(child.process.wait(), _STOP_TIMEOUT_S)
            except TimeoutError:
                child.process.kill()
                await child.process.wait()

    async def _spawn(self, vendor: Vendor, port: int) -> Child:
        options = self._options
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest.vendor_process", vendor.id),
            *("--host", options.host, "--port", str(port), "--speed", options.speed),
            stdin=asyncio.subprocess.PIPE,  # held open and never written: its end tells the child to leave
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _START_TIMEOUT_S)
            where = orjson.loads(line)
        except (TimeoutError, orjson.JSONDecodeError) as error:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise RuntimeError(f"the simulated vendor {vendor.id} did not start (port {port or 'any'})") from error
        return Child(vendor, process, where["base_url"], where["port"], where["control"])


class FleetControl:
    """The fleet's own HTTP endpoints under `/_control/`, on a port of their own."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._session: aiohttp.ClientSession | None = None

    async def start(self, host: str, port: int = 0) -> tuple[web.AppRunner, str]:
        """The runner (to be cleaned up by the caller) and the control URL."""
        app = web.Application()
        app.cleanup_ctx.append(self._with_session)
        app.router.add_get("/_control/vendors", self._vendors)
        app.router.add_get("/_control/{what:bill|requests}", self._collect)
        app.router.add_route("*", "/_control/{what:fault|reset|key|quality}", self._pass_on)
        app.router.add_post("/_control/kill", self._kill)
        app.router.add_post("/_control/start", self._restart)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return runner, f"http://{host}:{runner.addresses[0][1]}"

    async def _with_session(self, _: web.Application) -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as self._session:
            yield

    async def _ask(self, child: Child, method: str, what: str, body: Json = None) -> Json:
        assert self._session is not None
        async with self._session.request(method, f"{child.control_url}/_control/{what}", json=body) as answer:
            return await answer.json()

    async def _vendors(self, _: web.Request) -> web.Response:
        children = self._fleet.children
        return web.json_response(
            {
                vendor_id: {
                    "pid": child.process.pid,
                    "alive": child.process.returncode is None,
                    "base_url": child.base_url,
                    "control": child.control_url,
                }
                for vendor_id, child in children.items()
            }
        )

    async def _collect(self, request: web.Request) -> web.Response:
        """Every living vendor's answer, by id. A killed vendor's bill died with it."""
        found = {}
        for vendor_id, child in self._fleet.children.items():
            with contextlib.suppress(aiohttp.ClientConnectionError):
                found[vendor_id] = await self._ask(child, "GET", request.match_info["what"])
        return web.json_response({"by_provider": found})

    async def _pass_on(self, request: web.Request) -> web.Response:
        """To the vendor that the body's (or query's) `provider` names; without one, to all."""
        body = orjson.loads(await request.read() or b"{}")
        named = body.get("provider") or request.query.get("provider")
        try:
            targets = [self._fleet.child(named)] if named else list(self._fleet.children.values())
        except UnknownVendorError as error:
            return web.json_response({"error": str(error)}, status=404)
        answers = {}
        for child in targets:
            try:
                answers[child.vendor.id] = await self._ask(child, request.method, request.match_info["what"], body)
            except aiohttp.ClientConnectionError:
                answers[child.vendor.id] = {"error": "not running"}
        failed = any("error" in answer for answer in answers.values())
        return web.json_response(answers, status=400 if failed else 200)

    async def _kill(self, request: web.Request) -> web.Response:
        return await self._lifecycle(request, alive=False)

    async def _restart(self, request: web.Request) -> web.Response:
        return await self._lifecycle(request, alive=True)

    async def _lifecycle(self, request: web.Request, *, alive: bool) -> web.Response:
        vendor_id = orjson.loads(await request.read() or b"{}").get("provider", "")
        try:
            pid = (await self._fleet.restart(vendor_id)).process.pid if alive else await self._fleet.kill(vendor_id)
        except UnknownVendorError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.json_response({"provider": vendor_id, "pid": pid, "alive": alive})


def handshake(fleet: Fleet, control_url: str) -> dict[str, Json]:
    """What a parent process reads from the first line of standard output."""
    base_urls: Mapping[str, str] = {vendor_id: child.base_url for vendor_id, child in fleet.children.items()}
    return {
        "providers": provider_rows(base_urls, VENDORS),
        "control": control_url,
        "pids": {vendor_id: child.process.pid for vendor_id, child in fleet.children.items()},
    }


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on: taken before anyone is told that this process is there to be stopped."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


async def until_told_to_stop(stopped: asyncio.Event) -> None:
    """Returns when `stopped` is set, or when a piped standard input ends (the parent is gone)."""
    loop = asyncio.get_running_loop()
    watch = loop.create_task(_until_end_of_stdin(stopped))
    await stopped.wait()
    watch.cancel()


async def _until_end_of_stdin(stopped: asyncio.Event) -> None:
    if sys.stdin is None or sys.stdin.closed or not _is_pipe(sys.stdin.fileno()):
        return  # a terminal, a file or /dev/null says nothing about a parent
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass
    stopped.set()


def _is_pipe(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
