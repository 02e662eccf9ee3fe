"""The monitor as a process: read the configuration, watch, publish, follow the configuration's file, stop on SIGTERM.

Exit status 0 after SIGTERM, 1 where the start failed.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from gateway import VERSION
from gateway.config.compile import Compiled
from gateway.config.effective import effective
from gateway.edge.broadcast import Broadcast, Repeated
from gateway.edge.credentials.minter import Minter
from gateway.edge.files import follow
from gateway.edge.kube.access import Access, NoAccess, find_access
from gateway.edge.loop_lag import LoopLag
from gateway.edge.process import CONFIG_LOOK_S, StartError, configured, run_process, stop_signal
from gateway.edge.secrets import SecretStore
from gateway.edge.shared_token import shared_token
from gateway.settings import Settings
from gateway.upstream.client import Upstream
from monitor.evaluation.office import Around, Office
from monitor.evaluation.place import place_of
from monitor.evaluation.proposer import ConfigPlace
from monitor.evaluation.shown import evaluation
from monitor.files import FilePublisher
from monitor.http import HttpGateways, HttpPriceFeed, OutcomesReader
from monitor.kube.station import Station, hand_over, station
from monitor.loop import Monitor
from monitor.metrics import MonitorCollector, registry
from monitor.overview import overview
from monitor.ports import Clock, Gateways, Ports, Publisher
from monitor.price_sources import Source
from monitor.prober import LineProber
from monitor.sharding import SHARDS
from monitor.watchlist import Watchlist
from monitor.web import Views, monitor_app

THREADS = 24
"""At most, made when they are needed. Python's own limit is five on one core, and a store of evaluations that hangs can
hold more than that: what is published could not be written meanwhile."""

log = logging.getLogger("pointsman")


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    return run_process("monitor", settings.log_level, _serve(settings))


async def _serve(settings: Settings) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "monitor"))
    access = _access(settings)
    begun = configured(settings.catalog, settings.config_path())
    clock = Clock(now_s=time.monotonic, epoch_s=time.time)
    upstream = Upstream()
    async with aiohttp.ClientSession(trust_env=True, headers={"user-agent": f"pointsman/{VERSION}"}) as session:
        reader = OutcomesReader(session)
        cluster = None if access is None else station(settings, access, reader)
        process = Process(settings, begun.compiled, Outside(clock, upstream, session, reader, cluster))
        runner = await _listening(process, settings)
        parts = (process.monitor.run(), process.office.run(), process.lag.watch())
        tasks = [asyncio.create_task(part) for part in parts]
        keeping = None if cluster is None else asyncio.create_task(cluster.keep(process.monitor))
        if keeping is not None:
            tasks.append(keeping)
        reloader = begun.reloader(process)
        if reloader is not None:
            tasks.append(asyncio.create_task(follow(reloader.watch, reloader.take, CONFIG_LOOK_S, asyncio.sleep)))
        stop = asyncio.create_task(stop_signal().wait())
        try:
            await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
            if cluster is not None and keeping is not None and stop.done():
                await hand_over(cluster.membership, process.monitor, keeping)
        finally:
            for task in (stop, *tasks):
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()
            await upstream.close()
            if cluster is not None:
                await cluster.api.close()
        for one in ended:
            if isinstance(one, Exception):
                raise one  # a bug: the process ends visibly, and whoever started it starts it anew
    log.info("monitor stopped")


def _access(settings: Settings) -> Access | None:
    """A directory for the state that is given on purpose wins over a cluster that is merely there."""
    if settings.state_dir is not None and settings.kubernetes == "auto":
        return None
    try:
        access = find_access(settings.kubernetes, settings.namespace, os.environ)
    except NoAccess as error:
        raise StartError(str(error)) from None
    if access is None and settings.state_dir is None:
        raise StartError("set POINTSMAN_STATE_DIR to the directory that the gateways read")
    return access


async def _listening(process: "Process", settings: Settings) -> web.AppRunner:
    app = monitor_app(process.views(), registry(process.collector), process.office.routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.monitor_port).start()
    except OSError as error:
        await runner.cleanup()
        where = f"port {settings.monitor_port} on {settings.host}"
        raise StartError(f"{where} cannot be had: {error.strerror}") from None
    log.info("monitor on http://%s:%d", settings.host, runner.addresses[0][1])
    return runner


@dataclass(frozen=True, slots=True)
class Outside:
    """What the monitor reaches the world by; `station` is None outside a cluster."""

    clock: Clock
    upstream: Upstream
    session: aiohttp.ClientSession
    reader: OutcomesReader
    station: Station | None


class Process:
    """The monitor and what surrounds it in one process."""

    def __init__(self, settings: Settings, compiled: Compiled, outside: Outside) -> None:
        urls = price_urls(settings)
        self._clock = outside.clock
        self._started_s = outside.clock.epoch_s()
        self._compiled = compiled
        self._station = outside.station
        self._prober = LineProber(outside.upstream, outside.clock)
        self._minter = Minter(outside.clock.now_s)
        ports = Ports(
            prober=self._prober,
            gateways=_gateways(settings, outside),
            feed=HttpPriceFeed(outside.session, urls),
            publisher=_publisher(settings, outside.station),
            clock=outside.clock,
        )
        name = f"{socket.gethostname()}-{os.getpid()}" if outside.station is None else outside.station.name
        # A replica in a cluster begins with nothing, and owns what falls to it once it knows the others.
        shards: Collection[int] = range(SHARDS) if outside.station is None else ()
        self.monitor = Monitor(watchlist(compiled, shards), ports, tuple(urls), name)
        self.office = _office(settings, outside, self.monitor, name)
        self._equip(compiled)
        self.lag = LoopLag(outside.clock.now_s, asyncio.sleep)
        self.collector = MonitorCollector(self.monitor, outside.clock, VERSION, self.lag, outside.station)
        self.collector.keeper = self.office.keeper
        self.collector.work = self.office.intake.taken, self.office.worker.done

    def _equip(self, compiled: Compiled) -> None:
        providers = compiled.policy.catalog.providers
        keys = SecretStore(providers, self._clock.now_s, minter=self._minter)
        self._prober.reconfigure(providers, keys)
        self.office.reconfigure(compiled, keys)

    def reconfigure(self, compiled: Compiled) -> None:
        """Take over an accepted version of the configuration."""
        self._compiled = compiled
        self._equip(compiled)
        self.monitor.reconfigure(watchlist(compiled, self.monitor.watchlist.shards))
        self.collector.reloads += 1

    def refused(self, problem: str) -> None:
        """A new version of the configuration was refused."""
        self.collector.reload_failures += 1
        if self._station is not None:
            self._station.refused(problem)

    def views(self) -> Views:
        return Views(
            ready=lambda: self.monitor.ready,
            config=lambda: effective(self._compiled.policy),
            overview=self._overview,
            stream=Broadcast(Repeated("overview", lambda: orjson.dumps(self._overview()), self._clock.now_s)),
        )

    def _overview(self) -> dict[str, Any]:
        told = overview(self.monitor, self._clock, self._started_s)
        return told | {"evaluation": evaluation(self.office.keeper, self._compiled.policy.tiers)}


def watchlist(compiled: Compiled, shards: Collection[int]) -> Watchlist:
    """What is watched of a configuration."""
    return Watchlist(compiled.policy.catalog, compiled.breaker_rules, compiled.price_book, shards)


def _office(settings: Settings, outside: Outside, monitor: Monitor, name: str) -> Office:
    around = Around(
        upstream=outside.upstream,
        clock=outside.clock,
        name=name,
        press=monitor.press,
        prices=lambda: monitor.book.prices,
        leads=lambda: monitor.leads,
        token=shared_token(os.environ),
        config=ConfigPlace(settings.config_path(), settings.catalog),
    )
    return Office(place_of(settings), around)


def _gateways(settings: Settings, outside: Outside) -> Gateways:
    """Those named win: they were named on purpose."""
    if outside.station is None or settings.gateways:
        return HttpGateways(outside.reader, settings.gateways)
    return outside.station.gateways


def _publisher(settings: Settings, station: Station | None) -> Publisher:
    if station is not None:
        return station.publisher
    assert settings.state_dir is not None, "checked before anything was made"
    return FilePublisher(settings.state_dir)


def price_urls(settings: Settings) -> dict[Source, str]:
    """The live price sources that have an address."""
    urls = {
        Source.OPENROUTER: settings.prices_openrouter_url,
        Source.HUGGINGFACE: settings.prices_huggingface_url,
        Source.MODELS_DEV: settings.prices_modelsdev_url,
        Source.LITELLM: settings.prices_litellm_url,
    }
    return {source: url for source, url in urls.items() if url}
