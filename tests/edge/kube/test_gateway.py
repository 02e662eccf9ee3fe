"""The gateway in a cluster: a child process, and an API server made of scripts."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot, encode_shard
from loadtest.control import RunningVendor
from loadtest.faults import Fault
from tests.support.kube import event, item, listing
from tests.support.loopback import serving
from tests.support.running_gateway import (
    WAIT_S,
    Gate,
    GatewayChild,
    config_of,
    events_of,
    gateway_child,
    until,
    vendors_of,
)

CHEAP, FAST = "sim-cheap/open-8b", "sim-fast/open-8b"
BODY: dict[str, Any] = {"model": "auto", "max_tokens": 60, "messages": [{"role": "user", "content": "Count to 9"}]}


def shard(seq: int, cheap: State, number: int = 0) -> str:
    entries = {CHEAP: EndpointSnapshot(breaker=cheap, since_s=time.time())}
    return encode_shard(ShardSnapshot(number, 1_764_000_000_000, seq, "test", time.time(), 30.0, entries)).decode()


@dataclass
class ApiServer:
    """Of one ConfigMap, which a test changes: `state` None is a ConfigMap that does not exist."""

    state: dict[str, str] | None = None
    away: bool = False  # answers nothing
    asked: list[str] = field(default_factory=list)
    _version: int = 10
    _watches: set[asyncio.Queue[dict[str, Any]]] = field(default_factory=set)

    def change(self, kind: str, state: dict[str, str] | None) -> None:
        self._version += 1
        found = item("pointsman-health", str(self._version), **(state or self.state or {}))
        self.state = state
        for watch in self._watches:
            watch.put_nowait(event(kind, found))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.away:
            await asyncio.Event().wait()
        if "watch" not in request.query:
            found = [] if self.state is None else [item("pointsman-health", str(self._version), **self.state)]
            return web.json_response(listing(str(self._version), *found))
        response = web.StreamResponse()
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._watches.add(queue)
        while True:
            await response.write(json.dumps(await queue.get()).encode() + b"\n")


@dataclass(frozen=True)
class InCluster:
    child: GatewayChild
    api: ApiServer
    http: aiohttp.ClientSession
    vendors: Sequence[RunningVendor]

    async def text(self, path: str) -> str:
        async with self.http.get(self.child.admin_url + path) as response:
            return await response.text()

    async def ready(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while await self.text("/readyz") != "ready\n":  # noqa: ASYNC110 - it happens in the child
                await asyncio.sleep(0.01)

    async def shows(self, line: str) -> None:
        """Wait until the metrics have it."""
        async with asyncio.timeout(WAIT_S):
            while line not in (await self.text("/metrics")).splitlines():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    async def answered_by(self) -> str:
        async with self.http.post(self.child.url + "/v1/chat/completions", json=BODY) as response:
            assert response.status == 200
            return response.headers["x-pointsman-endpoint"]


@asynccontextmanager
async def in_cluster(
    folder: Path, api: ApiServer, environ: Mapping[str, str] | None = None, gate: Gate | None = None
) -> AsyncIterator[InCluster]:
    """A gateway that reaches `api` by a kubeconfig."""
    sleep = asyncio.sleep if gate is None else gate
    async with vendors_of(["sim-cheap", "sim-fast"], sleep) as vendors, serving({"/{rest:.*}": api.handle}) as url:
        named = {"name": "x"}
        config = {
            "current-context": "x",
            "contexts": [{**named, "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{**named, "cluster": {"server": url}}],
            "users": [{**named, "user": {"token": "t"}}],
        }
        (folder / "kubeconfig").write_text(json.dumps(config))
        settings = {"POINTSMAN_KUBERNETES": "on", "KUBECONFIG": str(folder / "kubeconfig"), **(environ or {})}
        timeout = aiohttp.ClientTimeout(total=WAIT_S)
        async with (
            gateway_child(folder, config_of(vendors), settings) as child,
            aiohttp.ClientSession(timeout=timeout) as http,
        ):
            yield InCluster(child, api, http, vendors)


async def test_follows_the_configmap_of_its_namespace(tmp_path: Path) -> None:
    api = ApiServer({"shard-00.json": shard(1, State.OPEN)})
    async with in_cluster(tmp_path, api, {"POINTSMAN_NAMESPACE": "models"}) as cluster:
        await cluster.ready()
        assert await cluster.answered_by() == FAST
        await until(lambda: len(api.asked) >= 2, "the watch")
        api.change("MODIFIED", {"shard-00.json": shard(2, State.CLOSED)})
        await cluster.shows(f'pointsman_breaker_state{{endpoint="{CHEAP}"}} 0.0')
        assert await cluster.answered_by() == CHEAP
        for line in ("pointsman_kube_api_up 1.0", "pointsman_kube_list_total 1.0"):
            assert line in (await cluster.text("/metrics")).splitlines()
    of_one = "/api/v1/namespaces/models/configmaps?fieldSelector=metadata.name%3Dpointsman-health"
    assert [asked[: len(of_one)] for asked in api.asked] == [of_one, of_one]


@pytest.mark.parametrize(
    "garbage",
    [
        {"shard-00.json": "{"},
        {"shard-00.json": '{"version": 2}'},
        {"shard-00.json": "[" * 50_000},
        {"shard-00.json": shard(9, State.CLOSED).replace('"period_s":30.0', '"period_s":1e400')},
        {"shard-00.json": shard(9, State.CLOSED).replace('"period_s":30.0', '"period_s":NaN')},
        {"shard-00.json": shard(9, State.CLOSED).replace('"seq":9', f'"seq":{"9" * 5000}')},
        {"shard-00.json": shard(9, State.CLOSED, number=7)},
        {"shard-00.json": shard(9, State.CLOSED) + " " * 1_000_000},
    ],
)
async def test_keeps_the_last_good_state_and_says_so_once(tmp_path: Path, garbage: dict[str, str]) -> None:
    api = ApiServer({"shard-00.json": shard(1, State.OPEN)})
    async with in_cluster(tmp_path, api) as cluster:
        await cluster.ready()
        await until(lambda: len(api.asked) >= 2, "the watch")
        api.change("MODIFIED", {**garbage, "other.json": "{"})
        api.change("MODIFIED", {**garbage, "other.json": "[", "prices.json": "{"})
        await cluster.shows('pointsman_snapshot_errors_total{file="prices.json"} 1.0')
        await cluster.shows('pointsman_snapshot_errors_total{file="shard-00.json"} 1.0')
        api.change("DELETED", None)
        await until(lambda: "there is no ConfigMap" in cluster.child.log_text, "the deletion")
        assert await cluster.answered_by() == FAST
        assert cluster.child.log_text.count("shard-00.json is not taken over") == 1


async def test_is_ready_without_the_api_after_two_seconds_with_the_state_that_is_mounted(tmp_path: Path) -> None:
    api = ApiServer(away=True)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "shard-00.json").write_text(shard(1, State.OPEN))
    async with in_cluster(tmp_path, api, {"POINTSMAN_STATE_DIR": str(mounted)}) as cluster:
        assert await cluster.text("/readyz") == "waiting for the monitor's state\n"
        assert await cluster.answered_by() == FAST  # who asks is answered all the same
        await cluster.ready()
        assert "pointsman_kube_api_up 0.0" in (await cluster.text("/metrics")).splitlines()


async def test_does_not_go_back_to_what_the_mounted_copy_still_says(tmp_path: Path) -> None:
    api = ApiServer({"shard-00.json": shard(5, State.OPEN)})
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    async with in_cluster(tmp_path, api, {"POINTSMAN_STATE_DIR": str(mounted)}) as cluster:
        await cluster.ready()
        (mounted / "shard-00.json").write_text(shard(4, State.CLOSED))
        (mounted / "shard-01.json").write_text("{")  # read after the other
        await cluster.shows('pointsman_snapshot_errors_total{file="shard-01.json"} 1.0')
        assert await cluster.answered_by() == FAST


async def test_answers_on_while_traffic_is_led_elsewhere_and_tells_who_outlasts_the_drain(tmp_path: Path) -> None:
    gate = Gate()
    environ = {"POINTSMAN_DRAIN_DELAY_S": "3", "POINTSMAN_DRAIN_S": "1"}
    async with in_cluster(tmp_path, ApiServer({}), environ, gate) as cluster:
        await cluster.ready()
        for vendor in cluster.vendors:
            await vendor.fault(Fault(tokens_per_s=1.0))
        endless = cluster.http.post(cluster.child.url + "/v1/chat/completions", json={**BODY, "stream": True})
        async with endless as stream:
            await stream.content.readline()
            cluster.child.process.send_signal(signal.SIGTERM)
            await until(lambda: "draining" in cluster.child.log_text, "the drain")
            assert await cluster.text("/readyz") == "draining\n"
            async with aiohttp.ClientSession() as stranger, stranger.get(cluster.child.url + "/v1/models") as response:
                assert (response.status, response.headers["Connection"]) == (200, "close")
            last = json.loads(events_of((await stream.content.read()).decode())[-1])
        assert await cluster.child.exit_status() == 0
        [row] = [one for one in map(json.loads, cluster.child.decisions.read_text().splitlines()) if one["stream"]]
    assert (last["error"]["code"], last["error"]["message"]) == ("shutdown", row["error"])
    assert (row["outcome"], row["error"]) == ("partial", "the gateway is shutting down; send the request again")
    assert "1 requests were cut off" in cluster.child.log_text
