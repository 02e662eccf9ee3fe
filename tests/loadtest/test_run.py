"""Whole runs of the command, with a vendor in the gateway's place."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadtest.control import RunningVendor
from loadtest.faults import Fault
from loadtest.run import control_of, parser, run


async def report_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = await run(parser().parse_args([*arguments, "--json", "--seconds", "1", "--requests", "12"]))
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("scenario", ["steady", "burst", "streams"])
async def test_reports_a_clean_run(fast: RunningVendor, capsys: pytest.CaptureFixture[str], scenario: str) -> None:
    code, report = await report_of(
        capsys, scenario, "--url", fast.origin, "--model", "open-8b", "--control", fast.control_url
    )
    assert (code, report["requests"], report["ok"], report["errors"]) == (0, 12, 12, {})
    billed = float(fast.bill()["usd"])
    assert report["bills"] == [
        {"provider": "sim-fast", "billed_usd": billed, "ours_usd": 0.0, "difference_usd": -billed}
    ]


async def test_fails_when_an_error_was_not_expected(fast: RunningVendor, capsys: pytest.CaptureFixture[str]) -> None:
    await fast.fault(Fault(status=500), times=1)
    code, report = await report_of(capsys, "steady", "--url", fast.origin, "--model", "open-8b")
    assert (code, report["errors"], report["unexpected_errors"]) == (1, {"http_500": 1}, 1)


async def test_takes_the_named_vendor_down_and_restores_it(
    fast: RunningVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    orders: list[tuple[str, Any]] = []

    async def control(request: web.Request) -> web.Response:
        if request.path.endswith("/bill"):
            return web.json_response({"by_provider": {}})
        orders.append((request.method, (await request.json())["provider"]))
        return web.json_response({})

    app = web.Application()
    app.router.add_route("*", "/_control/{what}", control)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        code, _ = await report_of(
            capsys, "outage", "--url", fast.origin, "--model", "open-8b", "--control", url, "--provider", "sim-x"
        )
    assert (code, orders) == (0, [("POST", "sim-x"), ("DELETE", "sim-x")])


async def test_says_so_when_there_was_nothing_to_kill(fast: RunningVendor, capsys: pytest.CaptureFixture[str]) -> None:
    await fast.fault(Fault(status=500))
    arguments = ["kill", "--url", fast.origin, "--model", "open-8b", "--requests", "2", "--streams", "2"]
    assert await run(parser().parse_args(arguments)) == 2
    assert "nothing was killed, nothing is proven" in capsys.readouterr().err


async def test_says_what_an_outage_needs(fast: RunningVendor, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["outage", "--url", fast.origin, "--model", "open-8b", "--seconds", "1", "--requests", "3"]
    assert await run(parser().parse_args(arguments)) == 2
    assert "an outage needs --control or --simulated" in capsys.readouterr().err


def test_finds_the_control_url_in_the_file_that_pointsman_run_leaves(tmp_path: Path) -> None:
    path = tmp_path / "simulated.json"
    path.write_text('{"control": "http://127.0.0.1:1234"}')
    assert control_of(parser().parse_args(["steady", "--simulated", str(path)])) == "http://127.0.0.1:1234"


@pytest.mark.parametrize(
    "arguments",
    [
        ["steady", "--url", "http://example.com"],
        ["steady", "--requests", "0"],
        ["steady", "--seconds", "601"],
        ["nothing"],
    ],
)
def test_refuses_load_without_bounds_or_on_other_machines(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(arguments)


async def test_sends_the_key_and_never_shows_it(
    http: aiohttp.ClientSession, fast: RunningVendor, capsys: pytest.CaptureFixture[str]
) -> None:
    fast.server.required_key = "sim-key"
    code, report = await report_of(capsys, "steady", "--url", fast.origin, "--model", "open-8b", "--key", "sim-key")
    assert (code, "sim-key" in json.dumps(report)) == (0, False)
