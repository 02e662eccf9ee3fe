"""The gateway as a process: read the configuration, listen, follow files and cluster, drain on SIGTERM.

Exit status 0 after a drain in which every request finished, 1 where the start failed.
"""

import asyncio
import contextlib
import gc
import logging
import os
import time
from collections.abc import Coroutine, Iterable, Sequence
from random import SystemRandom
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from gateway import VERSION
from gateway.compose import Gateway, new_clock
from gateway.core.certificate import KEY as CERTIFICATES
from gateway.core.certificate import CertificateError, decode_certificates
from gateway.core.health import ShardSnapshot, SnapshotError, decode_shard
from gateway.core.price_json import PriceFileError, decode_prices
from gateway.edge.courier import Courier
from gateway.edge.files import Change, DirectoryWatch, follow
from gateway.edge.halves import SINK as EVALUATION
from gateway.edge.halves import Halves
from gateway.edge.journal import Journal
from gateway.edge.kube.access import Access, NoAccess, find_access
from gateway.edge.kube.api import Api as KubeApi
from gateway.edge.kube.paths import config_maps
from gateway.edge.kube.reflector import Reflector, Surroundings
from gateway.edge.kube.state import StateMap
from gateway.edge.metrics import registry
from gateway.edge.process import CONFIG_LOOK_S, Reloader, StartError, configured, run_process, stop_signal
from gateway.edge.records import Records
from gateway.edge.shared_token import shared_token
from gateway.edge.sinks.configured import Here, couriers_of
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.otlp import Unusable, resource_of
from gateway.edge.tracing.settings import SINK, tracing_of
from gateway.settings import Settings
from gateway.upstream.client import Upstream
from gateway.web.api import Api
from gateway.web.app import Listening, client_app, listen
from gateway.web.auth import Door
from gateway.web.counts import Counts
from gateway.web.ops import admin_app

SNAPSHOT_LOOK_S = 0.5  # a breaker that the monitor opens should count at once
STATE_WAIT_S = 2.0  # for a first look at the monitor's state; without it the gateway routes by what it sees itself
SHARD_LIMIT_BYTES = 768 * 1024  # the size at which the monitor sheds detail from all its shards together
CLOSE_S = 2.0  # for connections to providers to close in order
FLUSH_S = 3.0  # for records and spans that wait

log = logging.getLogger("pointsman")


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit status."""
    return run_process("gateway", settings.log_level, _serve(settings))


async def _serve(settings: Settings) -> None:
    access = _access(settings)
    instance = str(uuid4())  # names this process to whoever collects what it tells
    gateway, reloader, records, upstream = _made(settings, instance)
    others = (_traced(gateway, instance), evaluating(gateway, settings.monitor_url, shared_token(os.environ)))
    couriers: list[Courier[Any]] = [courier for courier in others if courier is not None]
    stop = stop_signal()
    gateway.waiting_for = "" if access is None else "waiting for the monitor's state"
    clients, admin = await _listening(gateway, settings)
    followers = [asyncio.create_task(task) for task in _followers(gateway, reloader, settings, access)]
    for task in followers:
        task.add_done_callback(_say_why)
    log.info("gateway on http://%s:%d, admin on port %d", settings.host, clients.port, admin.port)
    _settle_memory()
    try:
        await stop.wait()
        gateway.draining = True
        log.info("draining: %d requests are being answered", gateway.counts.active)
        await asyncio.sleep(settings.drain_delay_s)
        left = await clients.drain(settings.drain_s)
        if left:
            log.warning("%d requests were cut off", left)
    finally:
        for task in followers:
            task.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        await admin.drain(1.0)
        with contextlib.suppress(TimeoutError):  # a provider that does not let go must not hold up the end
            await asyncio.wait_for(upstream.close(), CLOSE_S)
        gateway.close()
        gateway.settle()
        await asyncio.to_thread(_flush, records, couriers)
        log.info("gateway stopped")


def _access(settings: Settings) -> Access | None:
    try:
        return find_access(settings.kubernetes, settings.namespace, os.environ)
    except NoAccess as error:
        raise StartError(str(error)) from None


def _made(settings: Settings, instance: str) -> tuple[Gateway, Reloader | None, Records, Upstream]:
    begun = configured(settings.catalog, settings.config_path())
    records = _records(settings, instance)
    upstream = Upstream()
    gateway = Gateway(begun.compiled, records, new_clock(), upstream)
    gateway.sinks.update(records.sinks())
    return gateway, begun.reloader(gateway), records, upstream


def _records(settings: Settings, instance: str) -> Records:
    here = Here(os.environ, lambda: resource_of(os.environ, VERSION, instance))
    try:
        couriers = couriers_of(settings.sinks, here)
        journal = None if settings.decisions == "off" else Journal.to(settings.decisions)
    except Unusable as error:
        raise StartError(str(error)) from None
    except OSError as error:
        raise StartError(f"decisions cannot be written to {settings.decisions}: {error.strerror}") from None
    if couriers:
        log.info("decision records also go to %s", ", ".join(courier.name for courier in couriers))
    return Records(journal, couriers)


def _flush(records: Records, couriers: Sequence[Courier[Any]]) -> None:
    """Deliver what waits, all at once; `couriers` carry what is no record."""
    for courier in couriers:
        courier.hurry(FLUSH_S)
    records.close(FLUSH_S)
    for courier in couriers:
        courier.close(FLUSH_S)


def evaluating(gateway: Gateway, monitor_url: str, token: SinkKey) -> Courier[bytes] | None:
    """Draw requests for evaluation, where there is a monitor to take them."""
    if not monitor_url:
        if any(route.evaluate is not None for route in gateway.compiled.policy.routes):
            log.warning("a route says evaluate, and POINTSMAN_MONITOR_URL names no monitor: nothing is drawn")
        return None
    halves = Halves(monitor_url, token)
    gateway.evaluate(halves.take)
    gateway.sinks[EVALUATION] = halves.courier
    return halves.courier


def _traced(gateway: Gateway, instance: str) -> Courier[Any] | None:
    """Make spans of requests, where a collector is named."""
    try:
        tracing = tracing_of(os.environ)
        if tracing is None:
            return None
        resource = resource_of(os.environ, VERSION, instance)
    except Unusable as error:
        raise StartError(str(error)) from None
    from gateway.edge.tracing.tracer import Tracer  # protobuf is loaded only where there is something to write

    tracer = Tracer(tracing, lambda: gateway.compiled.policy.catalog, resource)
    gateway.trace(tracing.sampling(gateway.clock.new_id()), tracer.take)
    gateway.sinks[SINK] = tracer.courier
    log.info("spans go to %s", urlsplit(tracing.target.url).netloc)
    return tracer.courier


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
    gateway.door = found[0].keeper
    return found[0], found[1]


def _followers(
    gateway: Gateway, reloader: Reloader | None, settings: Settings, access: Access | None
) -> Iterable[Coroutine[object, object, None]]:
    yield gateway.lag.watch()
    if reloader is not None:
        yield follow(reloader.watch, reloader.take, CONFIG_LOOK_S, asyncio.sleep)
    reader = SnapshotReader(gateway)
    if access is not None:
        yield _follow_cluster(gateway, reader, access, settings.configmap)
    if settings.state_dir is not None:  # beside a cluster: the ConfigMap as a volume, for a start without the API
        watch = DirectoryWatch(settings.state_dir, reader.wants)
        yield follow(watch, reader.take, SNAPSHOT_LOOK_S, asyncio.sleep)


async def _follow_cluster(gateway: Gateway, reader: "SnapshotReader", access: Access, configmap: str) -> None:
    """Take over the monitor's ConfigMap whenever it changes; ends by cancellation."""
    reflector = Reflector(
        api := KubeApi(access),
        config_maps(access.namespace),
        StateMap(configmap, reader.wants, reader.take),
        Surroundings(time.monotonic, asyncio.sleep, SystemRandom().random),
        {"fieldSelector": f"metadata.name={configmap}"},  # the only list that the gateway's role allows
    )
    gateway.kube = reflector.tally
    following = asyncio.create_task(reflector.run())
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reflector.synced.wait(), STATE_WAIT_S)
        gateway.waiting_for = ""
        gc.freeze()  # the client library has come in since
        await following
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()


def _say_why(task: asyncio.Task[object]) -> None:
    """A follower ends by cancellation alone; anything else is a fault that would go unseen."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("what the gateway follows is no longer followed", exc_info=error)


class SnapshotReader:
    """Takes over what the monitor publishes; of garbage nothing is taken and the last good value stays."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def wants(self, name: str) -> bool:
        return name in ("prices.json", CERTIFICATES) or (name.startswith("shard-") and name.endswith(".json"))

    def take(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.data is None:
                continue
            try:
                if change.name == "prices.json":
                    self._gateway.reprice(decode_prices(change.data))
                elif change.name == CERTIFICATES:
                    self._gateway.certify(decode_certificates(change.data))
                else:
                    self._gateway.publish(_shard(change.name, change.data))
            except (SnapshotError, PriceFileError, CertificateError) as error:
                self._gateway.metrics.snapshot_errors.add((change.name,))
                log.warning("%s is not taken over, the last good one stays: %s", change.name, error)


def _shard(name: str, data: bytes) -> ShardSnapshot:
    if len(data) > SHARD_LIMIT_BYTES:
        raise SnapshotError(f"has {len(data)} bytes, more than {SHARD_LIMIT_BYTES}")
    shard = decode_shard(data)
    if name != f"shard-{shard.shard:02}.json":
        raise SnapshotError(f"says it is shard {shard.shard}")
    return shard


def _settle_memory() -> None:
    """Put what lives for ever out of the collector's sight, and let it run when there is something to collect.

    A request makes a few hundred short-lived objects and no cycles; with Python's defaults the collector would look
    through the whole catalog several times a second (a third of the time per request, measured by `make bench`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
