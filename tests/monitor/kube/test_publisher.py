"""Shards in a ConfigMap: who owns a key, what happens while the API is away, and when there is no room."""

from dataclasses import dataclass, field
from random import Random

import pytest

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot, decode_shard, encode_shard
from gateway.core.window import Quantiles
from gateway.edge.kube.paths import config_map
from gateway.edge.kube.ports import KubeError
from monitor.kube.publisher import ConfigMapPublisher
from monitor.ports import PublishError
from tests.support.kube_store import StoredApi

PATH = config_map("llm", "pointsman-health")


@dataclass
class Rig:
    api: StoredApi = field(default_factory=lambda: StoredApi({PATH: {"metadata": {"name": "pointsman-health"}}}))
    now_s: float = 100.0

    def publisher(self) -> ConfigMapPublisher:
        return ConfigMapPublisher(self.api, "llm", "pointsman-health", lambda: self.now_s, Random(7))


def a_shard(error: str | None = None) -> ShardSnapshot:
    quantiles = Quantiles(1.0, 2.0, 3.0, 4.0)
    entry = EndpointSnapshot(
        breaker=State.OPEN, since_s=5.0, ok_ratio=0.5, consecutive_failures=5, ttfb_ms=quantiles, total_ms=quantiles,
        ttfb_1h_ms=quantiles, total_1h_ms=quantiles, probes=9, last_error=error, rate_limited_until_s=60.0,
    )  # fmt: skip
    return ShardSnapshot(3, 1, 1, "m", 0.0, 30.0, {"corp/m": entry})


async def test_every_key_has_a_manager_of_its_own() -> None:
    rig = Rig()
    publisher = rig.publisher()
    await publisher.publish("shard-03.json", b"{}")
    await publisher.publish("prices.json", b"[]")
    assert rig.api.applied == [("pointsman-shard-03", "shard-03.json"), ("pointsman-prices", "prices.json")]
    assert rig.api.objects[PATH]["data"] == {"shard-03.json": "{}", "prices.json": "[]"}
    assert publisher.size_bytes == len("shard-03.json{}prices.json[]")


async def test_reads_back_what_another_replica_wrote_and_asks_once_for_many_keys() -> None:
    rig = Rig()
    rig.api.objects[PATH]["data"] = {"shard-00.json": "a", "shard-01.json": "b"}
    publisher = rig.publisher()
    assert [await publisher.read(f"shard-0{n}.json") for n in range(3)] == [b"a", b"b", None]
    assert rig.api.asked == 1
    rig.now_s += 3
    assert await publisher.read("shard-00.json") == b"a"
    assert rig.api.asked == 2


async def test_reads_nothing_right_after_a_write_which_shows_the_whole_object() -> None:
    rig = Rig()
    rig.api.objects[PATH]["data"] = {"shard-01.json": "b"}
    publisher = rig.publisher()
    await publisher.publish("shard-00.json", b"a")
    assert [await publisher.read(f"shard-0{n}.json") for n in range(2)] == [b"a", b"b"]
    assert rig.api.asked == 1


async def test_asks_an_absent_api_once_for_all_that_is_to_be_taken_over() -> None:
    rig = Rig()
    rig.api.fault = KubeError(None, "no answer")
    publisher = rig.publisher()
    for n in range(32):
        with pytest.raises(PublishError, match="no answer"):
            await publisher.read(f"shard-{n:02}.json")
    assert rig.api.asked == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KubeError(403, "Forbidden"), "may not patch it"),
        (KubeError(404, "NotFound"), "the chart makes it"),
        (KubeError(None, "no answer"), "no answer"),
    ],
)
async def test_says_what_is_wrong_with_the_object(error: KubeError, words: str) -> None:
    rig = Rig()
    rig.api.fault = error
    with pytest.raises(PublishError, match=words):
        await rig.publisher().publish("shard-00.json", b"{}")


async def test_asks_an_absent_api_only_now_and_then_and_goes_on_when_it_is_back() -> None:
    rig = Rig()
    rig.api.fault = KubeError(None, "no answer")
    publisher = rig.publisher()
    for _ in range(120 * 32):  # two minutes of 32 shards that want to be written
        with pytest.raises(PublishError, match="no answer"):
            await publisher.publish("shard-00.json", b"{}")
        rig.now_s += 1 / 32
    assert 12 < rig.api.asked < 60
    assert publisher.failures == {"unreachable": rig.api.asked}
    rig.api.fault = None
    rig.now_s += 10  # the longest pause
    await publisher.publish("shard-00.json", b"new")
    assert rig.api.objects[PATH]["data"] == {"shard-00.json": "new"}


async def test_waits_as_long_as_the_api_says() -> None:
    rig = Rig()
    rig.api.fault = KubeError(429, "TooManyRequests", retry_after_s=40)
    publisher = rig.publisher()
    for wait_s, asked in ((0.0, 1), (39.0, 1), (1.0, 2)):
        rig.now_s += wait_s
        with pytest.raises(PublishError, match="TooManyRequests"):
            await publisher.publish("shard-00.json", b"{}")
        assert rig.api.asked == asked


async def test_without_room_detail_goes_and_breakers_stay(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.api.objects[PATH]["data"] = {"shard-09.json": "x" * (800 * 1024)}
    publisher = rig.publisher()
    await publisher.read("shard-03.json")
    await publisher.publish("shard-03.json", encode_shard(a_shard("so it goes")))
    await publisher.publish("prices.json", b"[1]")
    written = decode_shard(rig.api.objects[PATH]["data"]["shard-03.json"].encode())
    assert written.endpoints == {
        "corp/m": EndpointSnapshot(
            breaker=State.OPEN, since_s=5.0, ok_ratio=0.5, consecutive_failures=5, probes=9, rate_limited_until_s=60.0
        )
    }
    assert publisher.shed == 1
    assert [record.message for record in caplog.records] == [
        "ConfigMap pointsman-health has 819213 bytes of 1 MiB: percentiles are left out"
    ]


async def test_a_large_object_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    publisher = rig.publisher()
    for size in (1_000, 300_000, 300_001):
        await publisher.publish("shard-03.json", b"x" * size)
    assert [record.message for record in caplog.records] == [
        "ConfigMap pointsman-health has 300013 bytes of 1 MiB: watch fewer endpoints"
    ]
