"""A request's trace through a real gateway process: from the client's header to a collector on the loopback."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadtest.control import RunningVendor
from loadtest.faults import Fault
from tests.support.receiver import NEVER, Receiver, Reply, receiving
from tests.support.running_gateway import ROOT, WAIT_S, GatewayChild, config_of, gateway_child, vendors_of
from tests.support.spans import exported, plain, plain_values

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=b", "baggage": "user=1"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
BODY = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}


@dataclass
class Running:
    child: GatewayChild
    vendor: RunningVendor
    receiver: Receiver
    http: aiohttp.ClientSession

    async def ask(self, headers: Mapping[str, str], **fields: Any) -> int:
        url = f"{self.child.url}/v1/chat/completions"
        async with self.http.post(url, json={**BODY, **fields}, headers=headers) as response:
            await response.read()
            return response.status

    async def metric(self, name: str) -> str:
        async with self.http.get(f"{self.child.admin_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        return next(line.partition(" ")[2] for line in lines if line.startswith(name))

    async def delivered(self, number: int) -> None:
        """Wait until the spans of so many requests have arrived, by the gateway's own count."""
        await asyncio.to_thread(self.receiver.wait_for, 1)  # asking for metrics all the while would slow others down
        async with asyncio.timeout(WAIT_S):
            while await self.metric('pointsman_sink_delivered_total{sink="traces"}') != f"{number}.0":
                pass

    async def end(self) -> list[dict[str, Any]]:
        """Ends the gateway; the spans that came until then."""
        self.child.process.terminate()
        assert await self.child.exit_status() == 0
        return [plain(span) for span in exported(one.body for one in self.receiver.sent)]

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.child.decisions.read_text().splitlines()]


@asynccontextmanager
async def running(folder: Path, environ: Mapping[str, str] | None = None, **row: Any) -> AsyncIterator[Running]:
    """A gateway that sends its spans to a receiver, and one provider with `row` in its configuration."""
    timeout = aiohttp.ClientTimeout(WAIT_S)
    with receiving() as receiver:
        async with vendors_of(["sim-fast"]) as vendors, aiohttp.ClientSession(timeout=timeout) as http:
            config = yaml.safe_load(config_of(vendors))
            config["providers"]["sim-fast"] |= row
            config["routes"] = [{"name": "default", "record": "full"}]
            given = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **(environ or {})}
            async with gateway_child(folder, yaml.safe_dump(config), given) as child:
                yield Running(child, vendors[0], receiver, http)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_clients_trace_goes_on_through_the_gateway_to_its_provider(tmp_path: Path, stream: bool) -> None:
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "k=v", "OTEL_RESOURCE_ATTRIBUTES": "team=kb", "OTEL_SERVICE_NAME": "llm"}
    async with running(tmp_path, environ, trace_context=True) as there:
        assert await there.ask(SENT, stream=stream) == 200
        await there.delivered(1)
        request, attempt = await there.end()
        told = {name.lower(): value for name, value in there.vendor.requests()[-1]["headers"]}
        (row,) = there.rows()
    assert (request["trace"], request["parent"], request["name"]) == (TRACE, SPAN, "POST /v1/chat/completions")
    assert (attempt["trace"], attempt["parent"]) == (TRACE, request["id"])
    stated = {name: value for name, value in attempt["attributes"].items() if name.startswith("gen_ai.request.")}
    assert stated.pop("gen_ai.request.stream", False) is stream
    assert stated == {"gen_ai.request.model": "open-8b", "gen_ai.request.max_tokens": 20}
    assert {name: told.get(name) for name in SENT} == {
        "traceparent": f"00-{TRACE}-{attempt['id']}-01", "tracestate": "a=b", "baggage": None,
    }  # fmt: skip
    assert (row["trace_id"], row["id"]) == (TRACE, request["id"])
    assert "gen_ai.input.messages" not in attempt["attributes"]  # the record has them; nobody asked for them on spans
    assert (there.receiver.sent[0].path, there.receiver.sent[0].headers["k"]) == ("/v1/traces", "v")
    (resource,) = ExportTraceServiceRequest.FromString(there.receiver.sent[0].body).resource_spans
    speaker = plain_values(resource.resource.attributes)
    assert {name: speaker.get(name) for name in ("service.name", "team")} == {"service.name": "llm", "team": "kb"}


async def test_only_failures_are_told_of_a_trace_that_is_not_sampled(tmp_path: Path) -> None:
    async with running(tmp_path, {"OTEL_TRACES_SAMPLER_ARG": "0"}) as there:
        assert [await there.ask({}), await there.ask(UNSAMPLED)] == [200, 200]
        await there.vendor.fault(Fault(status=500))
        assert await there.ask(UNSAMPLED) == 503
        names = [span["name"] for span in await there.end()]
        rows = there.rows()
    assert names[:2] == ["POST /v1/chat/completions", "chat " + names[1].removeprefix("chat ")]
    assert [row["trace_id"] for row in rows] == [None, TRACE, TRACE]


async def test_content_goes_along_where_the_operator_wants_it(tmp_path: Path) -> None:
    async with running(tmp_path, {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"}) as there:
        assert await there.ask(SENT) == 200
        _, attempt = await there.end()
    (asked,) = json.loads(attempt["attributes"]["gen_ai.input.messages"])
    (said,) = json.loads(attempt["attributes"]["gen_ai.output.messages"])
    assert asked == {"role": "user", "parts": [{"type": "text", "content": "Hello"}]}
    assert (said["role"], said["finish_reason"]) == ("assistant", "length")


async def test_a_key_is_never_shown(tmp_path: Path) -> None:
    async with running(tmp_path, {"OTEL_EXPORTER_OTLP_HEADERS": "k=s3cret", "POINTSMAN_LOG_LEVEL": "debug"}) as there:
        there.receiver.always = Reply(401)
        assert await there.ask(SENT) == 200
        there.receiver.wait_for(1)
        async with there.http.get(f"{there.child.admin_url}/config") as response:
            shown = await response.text()
        await there.end()
        assert "s3cret" not in shown + there.child.log_text


async def test_a_dead_collector_changes_nothing_but_a_counter(tmp_path: Path) -> None:
    """It takes the connection and never answers: the worst it can do."""
    async with running(tmp_path, {"OTEL_TRACES_SAMPLER": "always_on"}) as there:
        there.receiver.always = NEVER
        statuses = [await there.ask({}) for _ in range(20)]
        there.receiver.wait_for(1)
        statuses += [await there.ask({}) for _ in range(20)]
        waiting = await there.metric('pointsman_sink_waiting{sink="traces"}')
        await there.end()
        log = there.child.log_text
    assert statuses == [200] * 40
    assert waiting == "40.0"
    assert "traces: the end came before 40 of its records were delivered" in log


async def test_does_not_start_with_a_variable_that_cannot_be_used() -> None:
    environ = {
        "PATH": os.environ.get("PATH", ""), "POINTSMAN_PORT": "0", "POINTSMAN_ADMIN_PORT": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", cwd=ROOT, env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: must be a URL that begins with http:// or https://" in said.decode()
