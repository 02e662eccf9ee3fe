"""The monitor as a process: read the configuration, watch, publish, follow the configuration's file, stop on SIGTERM.

Exit status 0 after SIGTERM, 1 where the start failed.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from gateway import VERSION
from gateway.config.catalog_file import CatalogFileError
from gateway.config.compile import Compiled
from gateway.config.effective import effective
from gateway.config.here import known_here, load_here
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from gateway.config.problems import ConfigError
from gateway.edge.files import Change, FileWatch, follow
from gateway.edge.secrets import SecretStore
from gateway.settings import Settings
from gateway.upstream.client import Upstream
from monitor.files import FilePublisher
from monitor.http import HttpGateways, HttpPriceFeed
from monitor.loop import Monitor
from monitor.metrics import MonitorCollector, registry
from monitor.page import page
from monitor.ports import Clock, Ports
from monitor.price_sources import Source
from monitor.prober import LineProber
from monitor.sharding import SHARDS
from monitor.watchlist import Watchlist
from monitor.web import Views, monitor_app

CONFIG_LOOK_S = 2.0  # how late a new configuration may be noticed
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

log = logging.getLogger("pointsman")


class StartError(Exception):
    """The monitor cannot start; the message says what to do."""


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    import uvloop  # here, since importing the module must not load an event loop

    logging.basicConfig(level=settings.log_level.upper(), format=LOG_FORMAT, stream=sys.stderr, force=True)
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    try:
        uvloop.run(_serve(settings))
    except StartError as error:
        sys.stderr.write(f"pointsman monitor: {error}\n")
        return 1
    return 0


async def _serve(settings: Settings) -> None:
    known, compiled = _configuration(settings)
    clock = Clock(now_s=time.monotonic, epoch_s=time.time)
    upstream = Upstream()
    async with aiohttp.ClientSession(trust_env=True, headers={"user-agent": f"pointsman/{VERSION}"}) as session:
        process = Process(settings, compiled, clock, upstream, session)
        runner = await _listening(process, settings)
        tasks = [asyncio.create_task(process.monitor.run())]
        path = settings.config_path()
        if path is not None:
            watch = FileWatch(path)
            watch.look()  # what is there now was loaded at the start
            tasks.append(asyncio.create_task(follow(watch, process.reloader(known), CONFIG_LOOK_S, asyncio.sleep)))
        stop = asyncio.create_task(_stop_signal().wait())
        try:
            await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stop, *tasks):
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()
            await upstream.close()
        for one in ended:
            if isinstance(one, Exception):
                raise one  # a bug: the process ends visibly, and whoever started it starts it anew
    log.info("monitor stopped")


def _configuration(settings: Settings) -> tuple[Known, Compiled]:
    if settings.state_dir is None:
        raise StartError("set POINTSMAN_STATE_DIR to the directory that the gateways read")
    try:
        known = known_here(settings.catalog, datetime.fromtimestamp(time.time(), UTC).date(), os.environ)
        return known, load_here(settings.config_path(), known)
    except (ConfigError, CatalogFileError) as error:
        raise StartError(str(error)) from None


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _listening(process: "Process", settings: Settings) -> web.AppRunner:
    runner = web.AppRunner(monitor_app(process.views(), registry(process.collector)), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.monitor_port).start()
    except OSError as error:
        await runner.cleanup()
        where = f"port {settings.monitor_port} on {settings.host}"
        raise StartError(f"{where} cannot be had: {error.strerror}") from None
    log.info("monitor on http://%s:%d", settings.host, runner.addresses[0][1])
    return runner


class Process:
    """The monitor and what surrounds it in one process."""

    def __init__(
        self, settings: Settings, compiled: Compiled, clock: Clock, upstream: Upstream, session: aiohttp.ClientSession
    ) -> None:
        assert settings.state_dir is not None, "checked before anything was made"
        urls = price_urls(settings)
        self._clock = clock
        self._compiled = compiled
        self._prober = LineProber(upstream, clock)
        self._equip(compiled)
        ports = Ports(
            prober=self._prober,
            gateways=HttpGateways(session, settings.gateways),
            feed=HttpPriceFeed(session, urls),
            publisher=FilePublisher(settings.state_dir),
            clock=clock,
        )
        name = f"{socket.gethostname()}-{os.getpid()}"
        self.monitor = Monitor(watchlist(compiled), ports, tuple(urls), name)
        self.collector = MonitorCollector(self.monitor, clock, VERSION)

    def _equip(self, compiled: Compiled) -> None:
        providers = compiled.policy.catalog.providers
        self._prober.reconfigure(providers, SecretStore(providers, self._clock.now_s))

    def reloader(self, known: Known) -> "Reloader":
        return Reloader(self, known)

    def reconfigure(self, compiled: Compiled) -> None:
        """Take over an accepted version of the configuration."""
        self._compiled = compiled
        self._equip(compiled)
        self.monitor.reconfigure(watchlist(compiled))
        self.collector.reloads += 1

    def views(self) -> Views:
        return Views(
            ready=lambda: self.monitor.ready,
            config=lambda: effective(self._compiled.policy),
            page=lambda: page(VERSION, self.monitor.press.entries(), self.monitor.book),
        )


class Reloader:
    """Takes over new versions of the configuration; a bad one is refused whole, and the old one stays."""

    def __init__(self, process: Process, known: Known) -> None:
        self._process = process
        self._known = known

    def __call__(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.data is None:
                log.warning("%s %s; the configuration in force stays", change.name, change.problem)
                continue
            try:
                compiled = load_config(ConfigText(change.data, change.name), self._known)
            except ConfigError as error:
                self._process.collector.reload_failures += 1
                log.error("new configuration refused, the old one stays:\n%s", error)
                continue
            self._process.reconfigure(compiled)
            log.info("configuration %s is in force", compiled.policy.generation)


def watchlist(compiled: Compiled) -> Watchlist:
    """What is watched of a configuration; without a cluster one process has all shards."""
    return Watchlist(compiled.policy.catalog, compiled.breaker_rules, compiled.price_book, range(SHARDS))


def price_urls(settings: Settings) -> dict[Source, str]:
    """The live price sources that have an address."""
    urls = {
        Source.OPENROUTER: settings.prices_openrouter_url,
        Source.HUGGINGFACE: settings.prices_huggingface_url,
        Source.MODELS_DEV: settings.prices_modelsdev_url,
        Source.LITELLM: settings.prices_litellm_url,
    }
    return {source: url for source, url in urls.items() if url}
