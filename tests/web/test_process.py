"""The gateway as a process: its log, its files, its end."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from loadtest.control import RunningVendor
from loadtest.faults import Fault
from tests.support.running_gateway import (
    ROOT,
    WAIT_S,
    Gate,
    GatewayChild,
    config_of,
    events_of,
    gateway_child,
    until,
    vendors_of,
)

CANARY = "sk-canary-123-do-not-tell"
BODY: dict[str, Any] = {"model": "auto", "max_tokens": 60, "messages": [{"role": "user", "content": "Count to 9"}]}


def rows(child: GatewayChild) -> list[dict[str, Any]]:
    return [json.loads(line) for line in child.decisions.read_text().splitlines()]


async def texts(http: aiohttp.ClientSession, child: GatewayChild, vendor: RunningVendor) -> list[str]:
    """All that a client and an operator get to see, through good and bad times."""
    seen = []
    told = f"Incorrect API key provided: {CANARY}. You can find your key at ..."
    refusals = [Fault(status=401, message=told), Fault(status=400, message=told)]
    for fault in (None, *refusals, Fault(error_event_after=1, message=told)):
        for path in ("/v1/chat/completions", "/v1/messages"):
            for stream in (False, True):
                await vendor.clear_faults()
                if fault is not None:
                    await vendor.fault(fault)
                async with http.post(child.url + path, json={**BODY, "stream": stream}) as response:
                    seen.append(f"{dict(response.headers)} {await response.text()}")
    for path in ("/metrics", "/config", "/", "/outcomes", "/readyz"):
        async with http.get(child.admin_url + path) as response:
            seen.append(await response.text())
    async with http.post(child.url + "/v1/explain", json=BODY) as response:
        seen.append(await response.text())
    return seen


@pytest.mark.case("M1")
@pytest.mark.case("M5")
async def test_never_tells_a_providers_key_at_any_level(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(CANARY)
    async with vendors_of(["sim-fast"]) as vendors:
        config = yaml.safe_load(config_of(vendors))
        config["providers"]["sim-fast"]["key"] = {"file": str(tmp_path / "key")}
        config["routes"] = [{"name": "default", "record": "full"}]
        environ = {"POINTSMAN_LOG_LEVEL": "debug"}
        async with (
            gateway_child(tmp_path, yaml.safe_dump(config), environ) as child,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
        ):
            seen = await texts(http, child, vendors[0])
            await until(lambda: len(rows(child)) >= 16, "the rows")
            child.process.terminate()
            assert await child.exit_status() == 0
            sent = [{name.lower(): value for name, value in one["headers"]} for one in vendors[0].requests()]
            hits = [text for text in (*seen, child.log_text, child.decisions.read_text()) if CANARY in text]
    assert {one.get("authorization") for one in sent} == {f"Bearer {CANARY}"}
    assert hits == []


async def test_lets_streams_finish_before_it_ends(tmp_path: Path) -> None:
    gate = Gate()
    async with vendors_of(["sim-fast"], gate) as vendors:
        await vendors[0].fault(Fault(tokens_per_s=1.0))
        async with (
            gateway_child(tmp_path, config_of(vendors)) as child,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
        ):
            async with http.post(child.url + "/v1/chat/completions", json={**BODY, "stream": True}) as response:
                await response.content.readline()
                child.process.send_signal(signal.SIGTERM)
                await until(lambda: "draining" in child.log_text, "the drain")
                async with http.get(child.admin_url + "/readyz") as ready:
                    assert (ready.status, await ready.text()) == (503, "draining\n")
                async with http.get(child.admin_url + "/healthz") as alive:
                    assert alive.status == 200
                async with aiohttp.ClientSession() as stranger:
                    with pytest.raises(aiohttp.ClientConnectorError):
                        await stranger.get(child.url + "/v1/models")
                gate.open()
                body = (await response.content.read()).decode()
            status = await child.exit_status()
            row = rows(child)[0]
    assert events_of(body)[-1] == "[DONE]"
    assert (status, row["outcome"], row["stream"]) == (0, "ok", True)
    assert "gateway stopped" in child.log_text


async def test_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    async with (
        vendors_of(["sim-fast"]) as vendors,
        gateway_child(tmp_path, config_of(vendors)) as child,
        aiohttp.ClientSession() as http,
    ):
        async with http.post(child.url + "/v1/chat/completions", json=BODY) as response:
            assert response.status == 200
        child.process.send_signal(signal.SIGINT)
        assert await child.exit_status() == 0


async def test_closes_a_kept_connection_after_its_answer_while_it_drains(tmp_path: Path) -> None:
    gate = Gate()
    async with vendors_of(["sim-fast"], gate) as vendors:
        await vendors[0].fault(Fault(delay_first_byte_ms=1.0))
        async with gateway_child(tmp_path, config_of(vendors)) as child, aiohttp.ClientSession() as http:
            async with http.get(child.url + "/v1/models/auto"):
                pass
            waiting = http.post(child.url + "/v1/chat/completions", json=BODY)
            pending = asyncio.ensure_future(waiting.__aenter__())
            await until(lambda: gate.arrived == 1)
            child.process.send_signal(signal.SIGTERM)
            await until(lambda: "draining" in child.log_text, "the drain")
            gate.open()
            response = await pending
            assert (response.status, response.headers["Connection"]) == (200, "close")
            await response.read()
            assert await child.exit_status() == 0


async def test_follows_its_configuration_file(tmp_path: Path) -> None:
    async with (
        vendors_of(["sim-cheap", "sim-fast"]) as vendors,
        gateway_child(tmp_path, config_of(vendors[:1])) as child,
        aiohttp.ClientSession() as http,
    ):
        draft = tmp_path / "new.yaml"
        draft.write_text(config_of(vendors[1:]))
        os.replace(draft, tmp_path / "pointsman.yaml")
        await until(lambda: "is in force" in child.log_text, "the new configuration")
        async with http.post(child.url + "/v1/chat/completions", json=BODY) as response:
            assert response.headers["x-pointsman-endpoint"] == "sim-fast/open-8b"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"POINTSMAN_PORT": "no"}, 'POINTSMAN_PORT: "no" cannot be used'),
        ({"POINTSMAN_CONFIG": "absent.yaml"}, "absent.yaml"),
        ({"POINTSMAN_DECISIONS": "/absent/rows.jsonl"}, "/absent/rows.jsonl"),
    ],
)
async def test_says_in_one_line_why_it_does_not_start(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    config = tmp_path / "pointsman.yaml"
    config.write_text(
        "providers: {a: {api: openai, base_url: 'http://127.0.0.1:1/v1', key: {none: true}, models: [{id: m}]}}"
    )
    given = {"PATH": os.environ.get("PATH", ""), "POINTSMAN_CONFIG": str(config), "POINTSMAN_PORT": "0", **environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=given, stderr=asyncio.subprocess.PIPE
    )
    _, told = await process.communicate()
    assert process.returncode == 1
    assert says in told.decode()
    assert "Traceback" not in told.decode()
