"""What the gateway's parts tell Prometheus after real requests, and that its process measures its own loop."""

import asyncio
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from loadtest.faults import Fault
from tests.support.running_gateway import WAIT_S, config_of, gateway_child, gateway_with, vendors_of

Found = dict[str, dict[str, float]]


def read(text: str) -> Found:
    """Values by sample, and by label values joined."""
    found: Found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[" ".join(sample.labels.values())] = sample.value
    return found


async def test_tells_connections_prices_transitions_and_horizons() -> None:
    async with gateway_with("sim-cheap", "sim-fast") as running:
        await running.vendors["sim-cheap"].fault(Fault(status=429, headers={"retry-after": "60"}), times=1)
        for _ in range(2):
            async with running.chat() as response:
                assert response.status == 200
                await response.read()
        await running.row(2)
        found = read(await running.admin_text("/metrics"))
    cheap, fast = "sim-cheap/open-8b", "sim-fast/open-8b"
    assert found["pointsman_upstream_connections"] == {
        "sim-cheap idle": 1.0, "sim-cheap busy": 0.0, "sim-fast idle": 1.0, "sim-fast busy": 0.0,
    }  # fmt: skip
    assert found["pointsman_upstream_connections_opened_total"] == {"sim-cheap": 1.0, "sim-fast": 1.0}
    assert found["pointsman_provider_inflight_requests"] == {"sim-cheap": 0.0, "sim-fast": 0.0}
    assert {cheap, fast} <= {name.split()[0] for name in found["pointsman_endpoint_info"]}
    assert found["pointsman_price_usd_per_million_tokens"][f"{cheap} input"] > 0
    assert list(found["pointsman_rate_limited_until_timestamp_seconds"]) == [cheap]
    assert found["pointsman_exclusions_total"]["rate_limited"] == 1.0
    assert sum(found["pointsman_routed_requests_total"].values()) == 2.0
    assert found["process_open_fds"][""] > 0


async def test_the_process_measures_how_late_its_loop_is(tmp_path: Path) -> None:
    async with (
        vendors_of(["sim-fast"]) as vendors,
        gateway_child(tmp_path, config_of(vendors)) as child,
        aiohttp.ClientSession() as http,
        asyncio.timeout(WAIT_S),
    ):
        found: Found = {}
        while not found or found["pointsman_event_loop_lag_seconds_count"][""] == 0:
            async with http.get(child.admin_url + "/metrics") as response:
                found = read(await response.text())
    assert found["pointsman_event_loop_lag_seconds_sum"][""] >= 0
    assert found["pointsman_sink_dropped_total"] == {"journal": 0.0}
