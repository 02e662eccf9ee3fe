"""The admin port: health, metrics, configuration, outcomes and the page."""

import json
from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.outcomes import decode_outcomes
from loadtest.faults import Fault
from tests.support.running_gateway import RunningGateway, gateway_with

FIXED = {
    "pointsman_requests_total", "pointsman_attempts_total", "pointsman_cost_usd_total", "pointsman_saved_usd_total",
    "pointsman_inflight_requests", "pointsman_breaker_state", "pointsman_config_reload_failures_total",
}  # fmt: skip # CONTRACT §8; `pointsman_probe_cost_usd_total` is the monitor's


@pytest.fixture
async def running() -> AsyncIterator[RunningGateway]:
    async with gateway_with("sim-cheap", "sim-fast") as gateway:
        yield gateway


async def samples(running: RunningGateway) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(await running.admin_text("/metrics")):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


async def ask(running: RunningGateway, **options: object) -> int:
    async with running.chat(**options) as response:
        await response.read()
        status: int = response.status
    return status


async def test_is_alive_and_ready_without_any_provider(running: RunningGateway) -> None:
    for vendor in running.vendors.values():
        await vendor.fault(Fault(refuse=True))
    await ask(running)
    for path in ("/healthz", "/readyz"):
        async with running.http.get(running.admin_url + path) as response:
            assert response.status == 200


async def test_is_not_ready_while_it_drains(running: RunningGateway) -> None:
    running.gateway.draining = True
    async with running.http.get(running.admin_url + "/readyz") as response:
        assert (response.status, await response.text()) == (503, "draining\n")
    async with running.http.get(running.admin_url + "/healthz") as response:
        assert response.status == 200


async def test_shows_the_fixed_metrics_with_what_happened(running: RunningGateway) -> None:
    await running.vendors["sim-cheap"].fault(Fault(status=500), times=1)
    await ask(running)
    await ask(running, stream=True)
    await ask(running, model="no-such-model")
    await running.row(3)
    found = await samples(running)
    assert set(found) >= FIXED
    assert {name for name in found if not name.startswith(("pointsman_", "process_", "python_gc_"))} == set()
    assert found["pointsman_requests_total"] == {
        (("code", "200"), ("outcome", "ok"), ("route", "default"), ("surface", "chat")): 2.0,
        (("code", "404"), ("outcome", "rejected"), ("route", ""), ("surface", "chat")): 1.0,
    }
    assert found["pointsman_attempts_total"] == {
        (("endpoint", "sim-cheap/open-8b"), ("outcome", "server_error")): 1.0,
        (("endpoint", "sim-cheap/open-8b"), ("outcome", "ok")): 1.0,
        (("endpoint", "sim-fast/open-8b"), ("outcome", "ok")): 1.0,
    }
    assert found["pointsman_failovers_total"] == {(("reason", "server_error"),): 1.0}
    rows = running.rows.kept
    assert sum(found["pointsman_cost_usd_total"].values()) == pytest.approx(sum(row["cost_usd"] for row in rows))
    saved = sum(found["pointsman_saved_usd_total"].values())
    assert saved == pytest.approx(sum(row["saved_usd"] or 0.0 for row in rows))
    assert found["pointsman_inflight_requests"] == {(): 0.0}


async def test_has_no_label_that_a_client_can_make_up(running: RunningGateway) -> None:
    await ask(running, model="made-up-by-a-client")
    await ask(running, headers={"x-pointsman-tags": "team=made-up-by-a-client"}, session_id="made-up-by-a-client")
    await ask(running, user="made-up-by-a-client")
    assert "made-up-by-a-client" not in await running.admin_text("/metrics")


async def test_speaks_openmetrics_to_who_asks_for_it(running: RunningGateway) -> None:
    await ask(running)
    headers = {"accept": "application/openmetrics-text; version=1.0.0"}
    async with running.http.get(running.admin_url + "/metrics", headers=headers) as response:
        assert response.content_type == "application/openmetrics-text"
        assert (await response.text()).endswith("# EOF\n")


async def test_tells_the_monitor_what_came_of_its_attempts(running: RunningGateway) -> None:
    await running.vendors["sim-cheap"].fault(Fault(status=500), times=1)
    await ask(running)
    await ask(running)
    told = decode_outcomes((await running.admin_text("/outcomes")).encode())
    cheap, fast = told.endpoints["sim-cheap/open-8b"], told.endpoints["sim-fast/open-8b"]
    assert (cheap.ok, cheap.failed, fast.ok, fast.failed) == (1, 1, 1, 0)
    again = decode_outcomes((await running.admin_text("/outcomes")).encode())
    assert told.since == again.since


async def test_shows_its_configuration(running: RunningGateway) -> None:
    shown = json.loads(await running.admin_text("/config"))
    assert list(shown["providers"]) == ["sim-cheap", "sim-fast"]
    assert shown["providers"]["sim-cheap"]["key"] == "none"


async def test_changes_nothing_for_anybody(running: RunningGateway) -> None:
    for path in ("/config", "/metrics", "/outcomes", "/", "/healthz"):
        async with running.http.post(running.admin_url + path, data=b"{}") as response:
            assert response.status == 405
