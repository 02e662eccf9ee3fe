"""The gateway as a process: read the configuration, listen, follow the files, drain on SIGTERM.

Exit status 0 after a drain in which every request finished, 1 where the start failed.
"""

import asyncio
import contextlib
import gc
import logging
from collections.abc import Coroutine, Iterable

from gateway.compose import Gateway, new_clock
from gateway.core.health import SnapshotError, decode_shard
from gateway.core.price_json import PriceFileError, decode_prices
from gateway.edge.files import Change, DirectoryWatch, follow
from gateway.edge.journal import Journal
from gateway.edge.metrics import registry
from gateway.edge.process import CONFIG_LOOK_S, Reloader, StartError, configured, run_process, stop_signal
from gateway.settings import Settings
from gateway.upstream.client import Upstream
from gateway.web.api import Api
from gateway.web.app import Listening, client_app, listen
from gateway.web.auth import Door
from gateway.web.counts import Counts
from gateway.web.ops import admin_app

SNAPSHOT_LOOK_S = 0.5  # a breaker that the monitor opens should count at once
GRACE_S = 3600.0  # for streams to finish: `limits.total`'s default; an orchestrator's own grace period ends it earlier
CLOSE_S = 2.0  # for connections to providers to close in order

log = logging.getLogger("pointsman")


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    return run_process("gateway", settings.log_level, _serve(settings))


async def _serve(settings: Settings) -> None:
    gateway, reloader, journal, upstream = _made(settings)
    stop = stop_signal()
    clients, admin = await _listening(gateway, settings)
    followers = [asyncio.create_task(task) for task in _followers(gateway, reloader, settings)]
    log.info("gateway on http://%s:%d, admin on port %d", settings.host, clients.port, admin.port)
    _settle_memory()
    try:
        await stop.wait()
        gateway.draining = True
        log.info("draining: %d requests are being answered", gateway.counts.active)
        left = await clients.drain(GRACE_S)
        if left:
            log.warning("%d requests were cut off", left)
    finally:
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        await admin.drain(1.0)
        with contextlib.suppress(TimeoutError):  # a provider that does not let go must not hold up the end
            await asyncio.wait_for(upstream.close(), CLOSE_S)
        journal.close()
        log.info("gateway stopped")


def _made(settings: Settings) -> tuple[Gateway, Reloader | None, Journal, Upstream]:
    begun = configured(settings.catalog, settings.config_path())
    try:
        journal = Journal.to(settings.decisions)
    except OSError as error:
        raise StartError(f"decisions cannot be written to {settings.decisions}: {error.strerror}") from None
    upstream = Upstream()
    gateway = Gateway(begun.compiled, journal, new_clock(), upstream)
    return gateway, begun.reloader(gateway), journal, upstream


async def _listening(gateway: Gateway, settings: Settings) -> tuple[Listening, Listening]:
    door = Door(gateway.ring, lambda: gateway.metrics.unauthorized.add(()))
    api = Api(gateway.walk, door, gateway.keep)
    apps = [
        (client_app(api, gateway.counts, lambda: gateway.draining), settings.port, gateway.counts),
        (admin_app(gateway.views(), registry(gateway.metrics)), settings.admin_port, Counts()),
    ]
    found = []
    for app, port, counts in apps:
        try:
            found.append(await listen(app, settings.host, port, counts))
        except OSError as error:
            raise StartError(f"port {port} on {settings.host} cannot be had: {error.strerror}") from None
    return found[0], found[1]


def _followers(
    gateway: Gateway, reloader: Reloader | None, settings: Settings
) -> Iterable[Coroutine[object, object, None]]:
    if reloader is not None:
        yield follow(reloader.watch, reloader.take, CONFIG_LOOK_S, asyncio.sleep)
    if settings.state_dir is not None:
        reader = SnapshotReader(gateway)
        watch = DirectoryWatch(settings.state_dir, reader.wants)
        yield follow(watch, reader.take, SNAPSHOT_LOOK_S, asyncio.sleep)


class SnapshotReader:
    """Takes over what the monitor publishes; of garbage nothing is taken and the last good value stays."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def wants(self, name: str) -> bool:
        return name == "prices.json" or (name.startswith("shard-") and name.endswith(".json"))

    def take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.data is None:
                continue
            try:
                if change.name == "prices.json":
                    self._gateway.reprice(decode_prices(change.data))
                else:
                    self._gateway.publish(decode_shard(change.data))
            except (SnapshotError, PriceFileError) as error:
                self._gateway.metrics.snapshot_errors.add((change.name,))
                log.warning("%s is not taken over, the last good one stays: %s", change.name, error)


def _settle_memory() -> None:
    """Put what lives for ever out of the collector's sight, and let it run when there is something to collect.

    A request makes a few hundred short-lived objects and no cycles; with Python's defaults the collector would look
    through the whole catalog several times a second (a third of the time per request, measured by `make bench`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
