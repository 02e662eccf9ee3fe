"""A real Prometheus reads the real gateway and monitor under traffic and faults: does every panel show something?

Everything that dashboards and rules ask is asked through Prometheus' own API, until all of it has data.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from loadtest.control import RunningVendor
from loadtest.faults import Fault, Match
from loadtest.prompts import TASKS, draw
from tests.support.observability import RULES, choices, expressions, metrics_of, rules, without_variables
from tests.support.prometheus import NAMESPACE, Prometheus, monitor_child, prometheus
from tests.support.running_gateway import GatewayChild, config_of, gateway_child, vendors_of

Json = Any  # a value made of JSON's types

PATIENCE_S = 90.0
LOOK_S = 1.0  # as often as Prometheus does
PAUSE_S = 0.1  # between rounds of traffic
NOT_HERE = {
    "kube_horizontalpodautoscaler_status_desired_replicas": "told by kube-state-metrics",
    "kube_horizontalpodautoscaler_spec_max_replicas": "told by kube-state-metrics",
    "kube_pod_container_status_restarts_total": "told by kube-state-metrics",
    "pointsman_kube_watch_restarts_total": "nothing of Kubernetes is watched here",
    **dict.fromkeys(
        (
            "pointsman_certificate_alarm_timestamp_seconds",
            "pointsman_certificate_alarms_total",
            "pointsman_certificate_max_loss",
            "pointsman_certificate_share",
            "pointsman_certificate_watched_loss",
            "pointsman_certified_requests_total",
            "pointsman_evaluation_pairs",
            "pointsman_evaluation_spend_usd_total",
        ),
        "no pair of answers is judged here",
    ),
}
FIRE_AT_ONCE = {"PointsmanKeyRejected", "PointsmanConfigRefused"}
ROUTES: list[Json] = [
    {
        "name": "default",
        "baseline": "sim-pro/pro-1",
        "strategy": {"escalate": {"share": 0.2, "to": "large"}},
        "split": [
            {"name": "control", "weight": 1},
            {"name": "candidate", "weight": 1, "prefer": ["sim-private/*"]},
        ],
    }
]

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs prometheus (the Debian package)")


@dataclass(frozen=True, slots=True)
class Scene:
    prometheus: Prometheus
    gateway: GatewayChild
    vendors: dict[str, RunningVendor]
    http: aiohttp.ClientSession


@asynccontextmanager
async def price_list() -> AsyncIterator[str]:
    """A live price source with one price."""

    async def prices(_: web.Request) -> web.Response:
        return web.json_response({"sim-fast": {"models": {"open-8b": {"cost": {"input": 0.1, "output": 0.2}}}}})

    app = web.Application()
    app.router.add_get("/api.json", prices)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api.json"
    await runner.cleanup()


def config(vendors: list[RunningVendor]) -> str:
    made = yaml.safe_load(config_of(vendors, routes=ROUTES))
    providers = made["providers"]
    providers["sim-fast"]["probe"] = {"by": "completion", "every": "2s"}
    providers["sim-claude"]["max_in_flight"] = 1
    return yaml.safe_dump(made)


async def break_things(vendors: dict[str, RunningVendor]) -> None:
    await vendors["sim-cheap"].fault(Fault(status=429, retry_after_s=2), Match(model="open-8b"))
    await vendors["sim-private"].fault(Fault(status=500), Match(model="open-400b"))
    await vendors["sim-pro"].fault(Fault(status=401), Match(model="pro-thinker"))
    await vendors["sim-claude"].fault(Fault(delay_first_byte_ms=200))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    state = tmp_path / "state"
    state.mkdir()
    async with vendors_of(["sim-cheap", "sim-fast", "sim-pro", "sim-claude", "sim-private"]) as vendors:
        by_id = {one.vendor.id: one for one in vendors}
        await break_things(by_id)
        shared = {"POINTSMAN_STATE_DIR": str(state), "POINTSMAN_CONFIG": str(tmp_path / "pointsman.yaml")}
        async with (
            price_list() as prices,
            gateway_child(tmp_path, config(vendors), shared) as gateway,
            monitor_child({**shared, **_outside(gateway, prices)}) as monitor_port,
            prometheus(
                tmp_path, {"gateway": f"127.0.0.1:{gateway.admin_port}", "monitor": f"127.0.0.1:{monitor_port}"}, RULES
            ) as running,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http,
        ):
            yield Scene(running, gateway, by_id, http)


def _outside(gateway: GatewayChild, prices: str) -> dict[str, str]:
    off = {f"POINTSMAN_PRICES_{name}_URL": "" for name in ("OPENROUTER", "LITELLM", "HUGGINGFACE")}
    return {**off, "POINTSMAN_PRICES_MODELSDEV_URL": prices, "POINTSMAN_GATEWAYS": gateway.admin_url}


class Traffic:
    """Requests of every kind, round after round."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._dice = Random(7)

    async def flow(self) -> None:
        for number in range(10_000):
            task = TASKS[number % len(TASKS)]
            await asyncio.gather(
                self._ask("auto", draw(task, self._dice), stream=True),
                self._ask("auto", draw(task, self._dice), headers={"x-pointsman-sensitivity": "internal"}),
                self._ask("tier:large", draw(task, self._dice)),
                self._ask("sim-private/open-400b", "Hello"),  # broken: soon a panic
                self._ask("sim-pro/pro-thinker", "Hello"),  # refuses our key
                *(self._ask("sim-claude/claude-sim-mid", "Hello") for _ in range(3)),  # takes one at a time
                self._ask("no-such-model", "Hello"),
            )
            await asyncio.sleep(PAUSE_S)

    async def _ask(self, model: str, text: str, *, stream: bool = False, headers: Any = None) -> None:
        body = {"model": model, "stream": stream, "max_tokens": 40, "messages": [{"role": "user", "content": text}]}
        url = f"{self._scene.gateway.url}/v1/chat/completions"
        async with self._scene.http.post(url, json=body, headers=headers) as response:
            await response.read()


@asynccontextmanager
async def flowing(traffic: Traffic) -> AsyncIterator[None]:
    """Traffic goes on until the end; whoever cannot ask the gateway fails the test."""
    task = asyncio.create_task(traffic.flow())
    try:
        yield
    finally:
        task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


def asked() -> dict[str, str]:
    """Every query of a panel as it is sent, with where it stands."""
    return {
        without_variables(each.text, rate_interval="10s", shown="1m"): f"{each.dashboard}: {each.panel}"
        for each in expressions()
    }


async def empty(scene: Scene, queries: dict[str, str]) -> dict[str, str]:
    """Those of the queries that have no data; asked again until all have some, or patience is at its end."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + PATIENCE_S
    left = dict(queries)
    while left and loop.time() < until_s:
        await asyncio.sleep(LOOK_S)
        left = {expr: where for expr, where in left.items() if not await scene.prometheus.has_data(expr)}
    return left


async def test_every_panel_has_data_and_every_rule_works(scene: Scene, tmp_path: Path) -> None:
    queries = asked()
    excused = {expr for expr in queries if metrics_of(expr) & NOT_HERE.keys()}
    async with flowing(Traffic(scene)):
        (tmp_path / "pointsman.yaml").write_text("routes: [{nmae: x}]\n")  # a mistake, to be refused
        left = await empty(scene, {expr: where for expr, where in queries.items() if expr not in excused})
        assert left == {}
        assert [queries[expr] for expr in excused if await scene.prometheus.has_data(expr)] == []
        await _choices_are_there(scene.prometheus)
        await _rules_work(scene.prometheus)


async def _choices_are_there(running: Prometheus) -> None:
    found = {
        name: await running.ask(f"label/{label}/values", **{"match[]": series})
        for name, (series, label) in choices().items()
    }
    assert found == {
        "namespace": [NAMESPACE],
        "provider": ["sim-cheap", "sim-claude", "sim-fast", "sim-private", "sim-pro"],
        "route": ["default"],
    }


async def _rules_work(running: Prometheus) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not (await running.evaluated() and await running.firing() >= FIRE_AT_ONCE):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
    assert await running.rule_errors() == {}
    names = set(await running.ask("label/__name__/values"))
    known = {name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum") for name in names}
    in_rules = set().union(*(metrics_of(rule["expr"]) for rule in rules()))
    # Of a price that is held back and of the day before there is nothing to tell yet.
    later = {"pointsman_price_held_back", "pointsman:cost_usd:forecast1h"}
    assert in_rules - known - NOT_HERE.keys() - later == set()
