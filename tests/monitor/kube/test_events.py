"""Events: their form, and that neither a burst nor an API that refuses gets in the way."""

import asyncio
from contextlib import suppress

import pytest

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot
from gateway.edge.kube.paths import events
from gateway.edge.kube.ports import KubeError
from monitor.kube.events import About, Teller
from monitor.news import News
from tests.support.builders import EPOCH_S
from tests.support.kube_store import StoredApi

pytestmark = pytest.mark.virtual_time

ABOUT = About("llm", "pointsman-health", "monitor-1")


def a_teller(api: StoredApi) -> Teller:
    return Teller(api, ABOUT, asyncio.get_running_loop().time, lambda: EPOCH_S)


async def for_seconds(teller: Teller, seconds: float, entries: dict[str, EndpointSnapshot]) -> None:
    task = asyncio.create_task(teller.run(lambda: dict(entries)))
    await asyncio.sleep(seconds)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_an_opened_breaker_is_told_at_the_snapshots_object() -> None:
    api = StoredApi()
    entries = {"a/m": EndpointSnapshot()}
    asyncio.get_running_loop().call_later(1.5, entries.update, {"a/m": EndpointSnapshot(breaker=State.OPEN)})
    await for_seconds(a_teller(api), 10, entries)
    [(path, event)] = api.created
    assert path == events("llm")
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": "pointsman-health.", "namespace": "llm"},
        "involvedObject": {
            "apiVersion": "v1", "kind": "ConfigMap", "name": "pointsman-health", "namespace": "llm",
        },
        "reason": "BreakerOpened",
        "message": "open: a/m",
        "type": "Warning",
        "source": {"component": "pointsman-monitor"},
        "reportingComponent": "pointsman-monitor",
        "reportingInstance": "monitor-1",
        "firstTimestamp": "2025-11-24T16:00:00Z",
        "lastTimestamp": "2025-11-24T16:00:00Z",
        "count": 1,
    }  # fmt: skip


async def test_a_burst_is_cut_and_a_repeated_sentence_is_said_once_a_minute() -> None:
    teller = a_teller(StoredApi())
    for n in range(30):
        teller.tell(News("ConfigRefused", f"problem {n}", True))
        teller.tell(News("ConfigRefused", "problem 0", True))
    await for_seconds(teller, 2, {})
    assert (teller.told, teller.dropped) == (20, 40)


async def test_what_the_api_refuses_is_dropped_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    teller = a_teller(StoredApi(fault=KubeError(403, "Forbidden")))
    for n in range(3):
        teller.tell(News("ConfigRefused", f"problem {n}", True))
    await for_seconds(teller, 2, {})
    assert (teller.told, teller.dropped) == (0, 3)
    assert len(caplog.records) == 1
