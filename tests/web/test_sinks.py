"""What becomes of requests while those who collect their records are ill: nothing."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp

from gateway.edge.journal import Journal
from gateway.edge.records import Records
from gateway.edge.sinks.configured import Here, couriers_of
from tests.support.receiver import NEVER, receiving
from tests.support.running_gateway import ROOT, WAIT_S, config_of, gateway_child, running_gateway, until, vendors_of

BODY: dict[str, Any] = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Count to 9"}]}
KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-canary", "LANGFUSE_SECRET_KEY": "sk-canary"}


async def test_answers_while_langfuse_never_answers_and_the_disk_is_full() -> None:
    with receiving() as langfuse:
        langfuse.always = NEVER
        place = Here({**KEYS, "LANGFUSE_HOST": langfuse.url}, dict)
        records = Records(Journal.to("/dev/full"), couriers_of(["langfuse"], place))
        async with vendors_of(["sim-fast"]) as vendors, running_gateway(config_of(vendors)) as running:
            running.rows.also = records.add
            for _ in range(3):
                async with running.chat() as response:
                    assert response.status == 200
            await asyncio.to_thread(langfuse.wait_for, 1)  # and there it stays
            for _ in range(3):
                async with running.chat() as response:
                    assert response.status == 200
            await until(lambda: records.sinks()["journal"].dropped == 6, "the full disk")
            assert [row["outcome"] for row in running.rows.kept] == ["ok"] * 6
        sink = records.sinks()["langfuse"]
        assert (len(langfuse.sent), sink.delivered, sink.waiting) == (1, 0, 6)
        records.close(0.0)
        assert (sink.dropped, records.dropped) == (6, 12)


async def test_tells_langfuse_and_ends_in_order(tmp_path: Path) -> None:
    with receiving() as langfuse:
        environ = {**KEYS, "LANGFUSE_HOST": langfuse.url, "POINTSMAN_SINKS": "langfuse", "POINTSMAN_DECISIONS": "off"}
        async with (
            vendors_of(["sim-fast"]) as vendors,
            gateway_child(tmp_path, config_of(vendors), environ) as child,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
        ):
            async with http.post(child.url + "/v1/chat/completions", json=BODY) as response:
                assert response.status == 200
            async with http.get(child.admin_url + "/metrics") as response:
                metrics = await response.text()
            child.process.terminate()
            assert await child.exit_status() == 0
        [sent] = langfuse.sent
    assert sent.path == "/api/public/otel/v1/traces"
    assert "decision records also go to langfuse" in child.log_text
    assert "canary" not in child.log_text + metrics
    assert 'pointsman_sink_dropped_total{sink="langfuse"} 0' in metrics
    assert 'sink="journal"' not in metrics
    assert not child.decisions.exists()


async def test_ends_though_langfuse_never_answers(tmp_path: Path) -> None:
    with receiving() as langfuse:
        langfuse.always = NEVER
        environ = {**KEYS, "LANGFUSE_HOST": langfuse.url, "POINTSMAN_SINKS": "langfuse"}
        async with (
            vendors_of(["sim-fast"]) as vendors,
            gateway_child(tmp_path, config_of(vendors), environ) as child,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
        ):
            async with http.post(child.url + "/v1/chat/completions", json=BODY) as response:
                assert response.status == 200
            child.process.terminate()
            assert await child.exit_status() == 0
        rows = [json.loads(line) for line in child.decisions.read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["ok"]
    assert "langfuse: the end came before 1 of its records were delivered" in child.log_text


async def test_does_not_start_with_a_sink_that_lacks_its_key() -> None:
    environ = {"POINTSMAN_SINKS": "langfuse", "POINTSMAN_DECISIONS": "off", "POINTSMAN_KUBERNETES": "off"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().splitlines()[-1] == (
        "pointsman gateway: POINTSMAN_SINKS: langfuse needs LANGFUSE_PUBLIC_KEY, "
        "or the file /var/run/secrets/pointsman/langfuse/public-key"
    )
