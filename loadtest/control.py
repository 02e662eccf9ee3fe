"""A simulated vendor's control endpoints, and the vendor as tests and commands hold it.

Owns `/_control/*` of one vendor and its two listeners: the service (which faults can take away) and the control
port (which stays). The endpoints are at both, but whoever takes the service away must ask at the control port
to hear the answer.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from loadtest.faults import ANY, Fault, Match, fault_from
from loadtest.listener import Listener, ListenerState
from loadtest.quality import quality_from
from loadtest.sending import Sleep
from loadtest.server import MAX_BODY_BYTES, VendorServer
from loadtest.vendors import Vendor

Json = Any  # a parsed JSON value


class RunningVendor:
    """One vendor that answers at `base_url`, until `stop()`."""

    def __init__(self, server: VendorServer, host: str, port: int) -> None:
        self.server = server
        self._host = host
        self._service_runner = web.AppRunner(
            _service_app(self), handler_cancellation=True, access_log=None, shutdown_timeout=0
        )
        self._control_runner = web.AppRunner(control_app(self), access_log=None, shutdown_timeout=0)
        self._service = Listener(self._service_runner, host, port)
        self._control = Listener(self._control_runner, host, 0)

    @property
    def vendor(self) -> Vendor:
        return self.server.vendor

    @property
    def origin(self) -> str:
        return f"http://{self._host}:{self._service.port}"

    @property
    def base_url(self) -> str:
        """As `pointsman.yaml` wants it, with the version. Anthropic's SDK adds that itself: give it `origin`."""
        return f"{self.origin}/v1"

    @property
    def port(self) -> int:
        return self._service.port

    @property
    def control_url(self) -> str:
        """Answers also while the service refuses or hangs."""
        return f"http://{self._host}:{self._control.port}"

    async def start(self) -> None:
        await self._service_runner.setup()
        await self._control_runner.setup()
        await self._service.become(ListenerState.OPEN)
        await self._control.become(ListenerState.OPEN)

    async def stop(self) -> None:
        await self._service.become(ListenerState.REFUSING)
        await self._service_runner.cleanup()
        await self._control_runner.cleanup()

    async def fault(self, fault: Fault, match: Match = ANY, times: int | None = None) -> None:
        """Puts a fault in force for the next `times` requests (`None`: for all) that match."""
        if fault.refuse:
            await self._service.become(ListenerState.REFUSING)
        elif fault.hang_accept:
            await self._service.become(ListenerState.HANGING)
        else:
            self.server.faults.add(fault, match, times)

    async def clear_faults(self) -> None:
        """Ends every fault, and listens again."""
        self.server.faults.clear()
        await self._service.become(ListenerState.OPEN)

    async def reset(self) -> None:
        """As if just started: no faults, flawless, no bill, no recorded requests, an empty prompt cache."""
        await self.clear_faults()
        self.server.reset()

    def bill(self) -> dict[str, Json]:
        return {"provider": self.vendor.id} | self.server.bill.as_json()

    def requests(self) -> list[dict[str, Json]]:
        """The last 100 requests, oldest first, with their headers as they came."""
        return list(self.server.requests)


async def start_vendor(
    vendor: Vendor,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float | None = None,
    sleep: Sleep = asyncio.sleep,
    now_s: Callable[[], float] = time.time,
) -> RunningVendor:
    """Starts the vendor in this event loop. `speed` scales its pace; `None`, the default here, never waits."""
    running = RunningVendor(VendorServer(vendor, speed=speed, sleep=sleep, now_s=now_s), host, port)
    await running.start()
    return running


async def fault_on(running: RunningVendor, order: Mapping[str, Json]) -> None:
    """Performs the body of `POST /_control/fault`; raises `ValueError` or `TypeError` that says what is wrong."""
    unknown = set(order) - {"fault", "match", "times", "provider"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; there are: fault, match, times")
    await running.fault(fault_from(order["fault"]), Match(**(order.get("match") or {})), order.get("times"))


def control_app(running: RunningVendor) -> web.Application:
    app = web.Application()
    _add_control(app, running)
    return app


def _service_app(running: RunningVendor) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    _add_control(app, running)
    app.router.add_route("*", "/{path:.*}", running.server.handle)
    return app


def _add_control(app: web.Application, running: RunningVendor) -> None:
    async def bill(_: web.Request) -> web.Response:
        return web.json_response(running.bill())

    async def requests(_: web.Request) -> web.Response:
        return web.json_response(running.requests())

    async def put_fault(request: web.Request) -> web.Response:
        try:
            await fault_on(running, orjson.loads(await request.read()))
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"ok": True})

    async def clear_faults(_: web.Request) -> web.Response:
        await running.clear_faults()
        return web.json_response({"ok": True})

    async def reset(_: web.Request) -> web.Response:
        await running.reset()
        return web.json_response({"ok": True})

    async def require_key(request: web.Request) -> web.Response:
        running.server.required_key = orjson.loads(await request.read())["required"]
        return web.json_response({"ok": True})

    async def set_quality(request: web.Request) -> web.Response:
        try:
            running.server.quality = quality_from(orjson.loads(await request.read())["rules"])
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response({"ok": True})

    app.router.add_get("/_control/bill", bill)
    app.router.add_get("/_control/requests", requests)
    app.router.add_post("/_control/fault", put_fault)
    app.router.add_delete("/_control/fault", clear_faults)
    app.router.add_post("/_control/reset", reset)
    app.router.add_post("/_control/key", require_key)
    app.router.add_post("/_control/quality", set_quality)
