"""The monitor as a process, against a provider, a gateway and a price source on the loopback."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from gateway.core.health import decode_shard
from gateway.core.outcomes import EndpointOutcomes, Outcomes, encode_outcomes
from gateway.core.price_json import decode_prices
from monitor.sharding import shard_key, shard_of
from tests.support.loopback import serving
from tests.support.running_monitor import PATIENCE_S, environ, running, started, until

ID = "corp/m"
CHAT = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
}


def config(url: str, every: str = "1s", extra: str = "") -> str:
    return f"""
providers:
  corp:
    api: openai
    base_url: {url}/v1
    key: {{env: CORP_KEY}}
    probe: {{every: {every}}}
    models: [{{id: m, tier: small, context: 8192, max_output: 512, price: {{input: 1.0, output: 2.0}}}}]
{extra}"""


async def models(_: web.Request) -> web.Response:
    return web.json_response({"data": []})


async def chat(_: web.Request) -> web.Response:
    return web.json_response(CHAT)


async def outcomes(_: web.Request) -> web.Response:
    return web.Response(body=encode_outcomes(Outcomes("g", {ID: EndpointOutcomes()})))


ROUTES = {"/v1/models": models, "/v1/chat/completions": chat, "/outcomes": outcomes}


async def failed_start(env: dict[str, str]) -> tuple[int | None, str]:
    process = await started(env)
    _, words = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, words.decode()


async def test_watches_publishes_shows_and_stops(tmp_path: Path) -> None:
    async with serving(ROUTES) as url:
        (tmp_path / "pointsman.yaml").write_text(config(url))
        async with running(environ(tmp_path, POINTSMAN_GATEWAYS=url)) as (process, get):
            sent = 'pointsman_probes_total{finding="ok",means="completion",provider="corp"}'
            metrics = await until(lambda: contains(get, "/metrics", sent))
            ready = await get("/readyz")
            health, shown = await get("/healthz"), json.loads(await get("/config"))
            page, told = await get("/"), json.loads(await get("/api/overview"))
            process.terminate()
            _, log = await asyncio.wait_for(process.communicate(), PATIENCE_S)

    assert (health, ready, process.returncode) == ("ok\n", "ready\n", 0)
    for line in (
        f'pointsman_breaker_state{{endpoint="{ID}"}} 0.0',
        "pointsman_gateways_heard 1.0",
        "pointsman_config_reload_failures_total 0.0",
    ):
        assert line in metrics
    assert float(re.findall(r'pointsman_probe_cost_usd_total{provider="corp"} (\S+)', metrics)[0]) > 0
    assert '<script type="module" src="static/monitor.js">' in page
    row = told["endpoints"][0]
    assert (row["endpoint"], row["breaker"], row["price"]["output"]) == (ID, "closed", 2.0)
    assert told["probes"][0].items() >= {"provider": "corp", "by": "auto", "every_s": 1.0}.items()
    assert shown["providers"]["corp"]["key"] == "variable CORP_KEY"
    assert "sk-canary" not in page + metrics + json.dumps([shown, told]) + log.decode()
    state = tmp_path / "state"
    assert decode_shard((state / shard_key(shard_of(ID))).read_bytes()).endpoints[ID].breaker == "closed"
    assert decode_prices((state / "prices.json").read_bytes()).prices[ID] is not None


async def contains(get: Callable[[str], Awaitable[str]], path: str, words: str) -> str:
    text = await get(path)
    return text if words in text else ""


async def test_takes_over_a_good_configuration_and_refuses_a_bad_one(tmp_path: Path) -> None:
    file = tmp_path / "pointsman.yaml"
    async with serving(ROUTES) as url:
        file.write_text(config(url, every="30s"))
        async with running(environ(tmp_path)) as (_, get):
            await until(lambda: contains(get, "/readyz", "ready\n"))
            file.write_text(config(url, extra="routs: []"))
            await until(lambda: contains(get, "/metrics", "pointsman_config_reload_failures_total 1.0"))
            file.write_text(config(url, every="1s"))
            await until(lambda: contains(get, "/metrics", "pointsman_config_reloads_total 1.0"))
            assert json.loads(await get("/config"))["providers"]["corp"]["probe"]["every_s"] == 1.0
            file.unlink()
            await until(lambda: contains(get, "/readyz", "ready\n"))


async def test_tells_why_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "pointsman.yaml").write_text("routs: []")
    env = environ(tmp_path)

    assert await failed_start({**env, "POINTSMAN_MONITOR_PORT": "many"}) == (
        1,
        'pointsman monitor: POINTSMAN_MONITOR_PORT: "many" cannot be used: it must be a valid integer, unable to parse '
        "string as an integer\n",
    )
    code, words = await failed_start(env)
    assert (code, '"routs" is not a key here' in words) == (1, True)
    env.pop("POINTSMAN_STATE_DIR")
    code, words = await failed_start(env)
    assert (code, words) == (
        1,
        "pointsman monitor: set POINTSMAN_STATE_DIR to the directory that the gateways read\n",
    )


async def test_tells_that_its_port_is_taken(tmp_path: Path) -> None:
    async with serving(ROUTES) as url:
        (tmp_path / "pointsman.yaml").write_text(config(url))
        code, words = await failed_start(environ(tmp_path, POINTSMAN_MONITOR_PORT=url.rsplit(":", 1)[1]))

    assert code == 1
    assert "cannot be had" in words
