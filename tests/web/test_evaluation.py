"""Requests that are drawn for evaluation, from the client to the monitor: a receiver in its place, or nobody."""

import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.core.certificate import VERSION, Certificate, Certificates
from gateway.core.evaluation import Half, decode_halves
from gateway.edge.shared_token import shared_token
from gateway.serve import evaluating
from tests.support.receiver import NEVER, receiving
from tests.support.running_gateway import WAIT_S, GatewayChild, config_of, gateway_child, gateway_with, vendors_of

VENDORS = ("sim-cheap", "sim-fast")
BODY: dict[str, Any] = {"model": "auto", "max_tokens": 20, "messages": [{"role": "user", "content": "Count to 9"}]}
EVALUATING: dict[str, Any] = {
    "classify": {"task_tiers": {"chat": "medium", "math": "medium", "factual": "medium"}},
    "routes": [{"name": "default", "evaluate": {"share": 1.0, "against": "medium", "judge": "both"}}],
}


async def ask(child: GatewayChild, http: aiohttp.ClientSession, **fields: Any) -> tuple[int, str, str]:
    async with http.post(f"{child.url}/v1/chat/completions", json={**BODY, **fields}) as response:
        return response.status, await response.text(), response.headers["x-pointsman-decision"]


async def test_a_drawn_request_reaches_the_monitor_with_its_answer(tmp_path: Path) -> None:
    with receiving() as monitor:
        environ = {"POINTSMAN_MONITOR_URL": monitor.url, "POINTSMAN_EVALUATIONS_TOKEN": "t-1"}
        async with (
            vendors_of(VENDORS) as vendors,
            gateway_child(tmp_path, config_of(vendors, **EVALUATING), environ) as child,
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WAIT_S)) as http,
        ):
            answers = [await ask(child, http), await ask(child, http, stream=True, session_id="s-1")]
            async with http.get(f"{child.admin_url}/metrics") as response:
                metrics = await response.text()
            child.process.terminate()
            assert await child.exit_status() == 0
        found: list[Half] = [half for sent in monitor.sent for half in decode_halves(sent.body)]
    assert {sent.headers["authorization"] for sent in monitor.sent} == {"Bearer t-1"}
    assert [status for status, *_ in answers] == [200, 200]
    assert [(half.decision, half.answer) for half in found] == [(decision, text) for _, text, decision in answers]
    assert [half.request for half in found] == [BODY, {**BODY, "stream": True}]
    about = {(half.route, half.step, half.lower, half.model.partition("-")[0]) for half in found}
    assert about == {("default", 0, False, "rules")}
    assert all(half.others[0] != half.endpoint for half in found)
    assert 'pointsman_evaluation_drawn_total{route="default"} 2.0' in metrics
    assert 'pointsman_sink_dropped_total{sink="evaluation"} 0' in metrics


@pytest.mark.parametrize("there", ["nobody", "one who never answers"])
async def test_a_dead_monitor_changes_neither_status_nor_answer(there: str) -> None:
    with receiving() as monitor:
        monitor.always = NEVER
        url = monitor.url if there != "nobody" else f"http://127.0.0.1:{_unused_port()}"
        async with gateway_with(*VENDORS, **EVALUATING) as running:
            courier = evaluating(running.gateway, url, shared_token({}))
            assert courier is not None
            for stream in (False, True):
                async with running.post("/v1/chat/completions", {**BODY, "stream": stream}) as response:
                    assert (response.status, "[DONE]" in await response.text()) == (200, stream)
            courier.close(0.0)
    assert (courier.delivered, courier.dropped) == (0, 2)


async def test_without_a_monitor_nothing_is_drawn_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with gateway_with(*VENDORS, **EVALUATING) as running:
        assert evaluating(running.gateway, "", shared_token({})) is None
        async with running.post("/v1/chat/completions", BODY) as response:
            assert response.status == 200
        assert "pointsman_evaluation_drawn_total{" not in await running.admin_text("/metrics")
    said = [message for message in caplog.messages if "POINTSMAN_MONITOR_URL" in message]
    assert said == ["a route says evaluate, and POINTSMAN_MONITOR_URL names no monitor: nothing is drawn"]


@pytest.mark.parametrize("drawn", ["what is drawn", "nothing"])
async def test_certificates_are_honoured_where_requests_are_drawn_alone(drawn: str) -> None:
    """Nobody would watch over what another gateway sends lower."""
    async with gateway_with(*VENDORS, **EVALUATING) as running:
        gateway = running.gateway
        if drawn == "what is drawn":
            gateway.evaluate(lambda _: None)
        model = gateway.walk.parts.planner.world.fingerprint()
        one = Certificate(
            "c1", "default", None, 0, threshold=2.0, alpha=0.05, delta=0.05, judged=150, share=1.0, loss=0.0,
            model=model, since_s=0.0, until_s=1e12,
        )  # fmt: skip
        gateway.certify(Certificates(VERSION, 0.0, (one,)))
        async with running.post("/v1/chat/completions", BODY) as response:
            decision = response.headers["x-pointsman-decision"]
        found = json.loads(await running.admin_text(f"/api/decisions/{decision}"))
    assert found["tier_required"] == ("small" if drawn == "what is drawn" else "medium")


async def test_where_no_route_evaluates_a_gateway_without_a_monitor_has_nothing_to_say(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway_with(*VENDORS) as running:
        assert evaluating(running.gateway, "", shared_token({})) is None
    assert "evaluate" not in caplog.text


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])
