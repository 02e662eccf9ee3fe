"""Configuration and snapshot: taken over while requests run, refused whole where they are bad."""

import json
import time
from pathlib import Path

import pytest
import yaml

from gateway.core.breaker import State
from gateway.core.health import EndpointSnapshot, ShardSnapshot, encode_shard
from gateway.core.price_json import encode_prices
from gateway.core.prices import PriceBook
from gateway.core.pricing import Price, Rates
from gateway.edge.files import DirectoryWatch, FileWatch
from gateway.edge.process import Reloader
from gateway.serve import SnapshotReader
from loadtest.faults import Fault
from tests.support.running_gateway import (
    Gate,
    RunningGateway,
    config_of,
    events_of,
    gateway_with,
    packaged,
    running_gateway,
    vendors_of,
)

CHEAP, FAST = "sim-cheap/open-8b", "sim-fast/open-8b"


def take_over(running: RunningGateway, path: Path, text: str) -> None:
    """What the gateway's follower does when the file has changed."""
    path.write_text(text)
    reloader = Reloader(running.gateway, path, FileWatch(path), packaged())
    reloader.take(reloader.watch.look())


async def answered_by(running: RunningGateway) -> str | None:
    async with running.chat() as response:
        assert response.status == 200, await response.text()
        found: str | None = response.headers["x-pointsman-endpoint"]
        return found


@pytest.mark.case("O6")
async def test_lets_a_stream_finish_on_the_configuration_it_began_with(tmp_path: Path) -> None:
    gate, path = Gate(), tmp_path / "pointsman.yaml"
    async with vendors_of(["sim-cheap", "sim-fast"], gate) as vendors:
        cheap, fast = vendors
        async with running_gateway(config_of([cheap])) as running:
            await cheap.fault(Fault(tokens_per_s=1.0), times=1)
            async with running.chat("Count to 9", stream=True) as response:
                await response.content.readline()
                take_over(running, path, config_of([fast]))
                assert await answered_by(running) == FAST
                gate.open()
                body = (await response.content.read()).decode()
            row = await running.row(2)
    assert events_of(body)[-1] == "[DONE]"
    assert (row["endpoint"], row["outcome"], row["cost_usd"] > 0) == (CHEAP, "ok", True)
    assert running.gateway.metrics.reloads.values == {(): 1.0}


async def test_what_runs_at_a_provider_counts_against_its_limit_after_a_reload(tmp_path: Path) -> None:
    gate, path = Gate(), tmp_path / "pointsman.yaml"
    async with vendors_of(["sim-cheap"], gate) as (vendor,):
        text = yaml.safe_load(config_of([vendor]))
        text["providers"]["sim-cheap"]["max_in_flight"] = 1
        async with running_gateway(yaml.safe_dump(text)) as running:
            await vendor.fault(Fault(tokens_per_s=1.0), times=1)
            async with running.chat("Count to 9", stream=True) as response:
                await response.content.readline()
                take_over(running, path, yaml.safe_dump({**text, "routes": [{"name": "renamed"}]}))
                async with running.chat() as other:
                    assert (other.status, (await other.json())["error"]["code"]) == (503, "overloaded")
                shown = await running.admin_text("/metrics")
                assert 'pointsman_provider_inflight_requests{provider="sim-cheap"} 1.0' in shown
                gate.open()
                await response.content.read()
            assert await answered_by(running) == CHEAP


async def test_refuses_a_bad_version_whole_and_keeps_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pointsman.yaml"
    async with gateway_with("sim-fast") as running:
        before = running.gateway.compiled.policy.generation
        for bad in ("providers: [", "providerz: {}", "routes:\n- {name: a, objective: fast}", ""):
            take_over(running, path, bad + "\n" if bad else "\x00")
            assert await answered_by(running) == FAST
        counted = await running.admin_text("/metrics")
    assert running.gateway.compiled.policy.generation == before
    assert "pointsman_config_reload_failures_total 4.0" in counted
    assert f"{path}:2" in caplog.text
    assert "valid: cost, latency, balanced" in caplog.text


async def test_keeps_the_configuration_when_its_file_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "pointsman.yaml"
    async with gateway_with("sim-fast") as running:
        path.write_text("{}")
        reloader = Reloader(running.gateway, path, FileWatch(path), packaged())
        reloader.watch.look()
        path.unlink()
        reloader.take(reloader.watch.look())
        assert await answered_by(running) == FAST
        assert running.gateway.metrics.reload_failures.values == {(): 0.0}


async def test_takes_new_client_keys_over_at_once(tmp_path: Path) -> None:
    async with vendors_of(["sim-fast"]) as vendors, running_gateway(config_of(vendors)) as running:
        keys = {"keys": [{"id": "a", "sha256": "0" * 64}]}
        take_over(running, tmp_path / "pointsman.yaml", config_of(vendors, auth=keys))
        async with running.chat() as response:
            assert response.status == 401


# -- what the monitor publishes ----------------------------------------------------------------------------------------


def endpoint_id(word: str) -> str:
    """`sim_fast__open_8b` as an endpoint's id, for keyword arguments."""
    return word.replace("__", "/").replace("_", "-")


def shard(seq: int, **endpoints: EndpointSnapshot) -> bytes:
    named = {endpoint_id(name): entry for name, entry in endpoints.items()}
    return encode_shard(ShardSnapshot(0, 1_764_000_000_000, seq, "test", time.time(), 30.0, named))


async def test_avoids_an_endpoint_whose_breaker_the_monitor_opened(tmp_path: Path) -> None:
    async with gateway_with("sim-cheap", "sim-fast") as running:
        reader = SnapshotReader(running.gateway)
        watch = DirectoryWatch(tmp_path, reader.wants)
        assert await answered_by(running) == CHEAP

        opened = EndpointSnapshot(breaker=State.OPEN, since_s=time.time())
        (tmp_path / "shard-00.json").write_bytes(shard(1, sim_cheap__open_8b=opened))
        reader.take(watch.look())
        assert await answered_by(running) == FAST
        assert 'pointsman_breaker_state{endpoint="sim-cheap/open-8b"} 2.0' in await running.admin_text("/metrics")

        (tmp_path / "shard-00.json").write_bytes(b'{"version": 1, "shard"')
        reader.take(watch.look())
        assert await answered_by(running) == FAST
        assert running.gateway.metrics.snapshot_errors.values == {("shard-00.json",): 1.0}

        (tmp_path / "shard-00.json").unlink()
        reader.take(watch.look())
        assert await answered_by(running) == FAST

        (tmp_path / "shard-00.json").write_bytes(shard(3, sim_cheap__open_8b=EndpointSnapshot()))
        reader.take(watch.look())
        assert await answered_by(running) == CHEAP


async def test_tries_the_least_bad_when_the_monitor_says_that_all_are_down(tmp_path: Path) -> None:
    async with gateway_with("sim-cheap") as running:
        reader = SnapshotReader(running.gateway)
        opened = EndpointSnapshot(breaker=State.OPEN, since_s=time.time())
        (tmp_path / "shard-00.json").write_bytes(shard(1, sim_cheap__open_8b=opened))
        reader.take(DirectoryWatch(tmp_path, reader.wants).look())
        assert await answered_by(running) == CHEAP


def published(folder: Path, **prices: float) -> None:
    book = {endpoint_id(name): Price(Rates(usd, usd), source="live") for name, usd in prices.items()}
    (folder / "prices.json").write_text(json.dumps(encode_prices(PriceBook(book, "2026-11-24"))))


async def test_takes_published_prices_over_where_the_configuration_gives_none(tmp_path: Path) -> None:
    async with vendors_of(["sim-fast"]) as vendors:
        resold = {"openai": {"base_url": vendors[0].base_url, "key": {"none": True}, "only": ["gpt-4o-mini"],
                             "models": [{"id": "gpt-4o-mini", "upstream_id": "open-8b"}]}}  # fmt: skip
        async with running_gateway(config_of(vendors, providers=resold)) as running:
            assert await answered_by(running) == FAST

            reader = SnapshotReader(running.gateway)
            watch = DirectoryWatch(tmp_path, reader.wants)
            published(tmp_path, openai__gpt_4o_mini=0.05, sim_fast__open_8b=0.01)
            reader.take(watch.look())
            assert await answered_by(running) == "openai/gpt-4o-mini"  # the other's price stands in the configuration

            (tmp_path / "prices.json").write_bytes(b'{"version": 99}')
            reader.take(watch.look())
            assert await answered_by(running) == "openai/gpt-4o-mini"
            assert running.gateway.metrics.snapshot_errors.values == {("prices.json",): 1.0}  # case I8


async def test_takes_published_prices_over_for_models_the_catalog_does_not_know(tmp_path: Path) -> None:
    async with vendors_of(["sim-cheap", "sim-fast"]) as vendors:
        config = yaml.safe_load(config_of(vendors))
        del config["providers"]["sim-cheap"]["models"][0]["price"]
        async with running_gateway(yaml.safe_dump(config)) as running:
            assert await answered_by(running) == FAST  # an unknown price is never the cheapest
            published(tmp_path, sim_cheap__open_8b=0.05)
            reader = SnapshotReader(running.gateway)
            reader.take(DirectoryWatch(tmp_path, reader.wants).look())
            assert await answered_by(running) == CHEAP
