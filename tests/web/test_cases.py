"""Public failure cases of LLM gateways that only show when everything is together."""

import asyncio
from typing import Any

import pytest
import yaml

from loadtest.control import RunningVendor
from loadtest.faults import Fault
from loadtest.vendors import provider_rows
from tests.support.running_gateway import Gate, gateway_with, running_gateway, until, vendors_of

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]


def config_with(vendor: RunningVendor, **changes: Any) -> dict[str, Any]:
    """A configuration of this one vendor; `changes` go to its row."""
    rows = provider_rows({vendor.vendor.id: vendor.base_url}, [vendor.vendor])
    rows[vendor.vendor.id] |= changes
    return {"providers": rows}


@pytest.mark.case("J3")
async def test_gives_a_place_back_when_the_provider_was_too_slow() -> None:
    gate = Gate()
    async with vendors_of(["sim-private"], gate) as (vendor,):
        config = config_with(vendor, max_in_flight=2, timeouts={"first_token": "50ms", "answer": "50ms"})
        async with running_gateway(yaml.safe_dump(config)) as running:
            await vendor.fault(Fault(delay_first_byte_ms=1.0), times=2)
            for _ in range(2):
                async with running.chat(model="open-70b", provider={"allow_fallbacks": False}) as response:
                    assert response.status == 503
            async with running.chat(model="open-70b") as response:
                assert response.status == 200
            assert running.gateway.walk.parts.lines["sim-private"].load.attempts == 0
    assert [row["attempts"][0]["outcome"] for row in running.rows.kept] == ["answer_timeout", "answer_timeout", "ok"]


@pytest.mark.case("J5")
async def test_never_has_more_in_flight_than_a_provider_allows() -> None:
    gate = Gate()
    async with vendors_of(["sim-private"], gate) as (vendor,):
        async with running_gateway(yaml.safe_dump(config_with(vendor, max_in_flight=2))) as running:
            await vendor.fault(Fault(delay_first_byte_ms=1.0))

            async def ask() -> tuple[int, str | None]:
                async with running.chat(model="open-70b") as response:
                    return response.status, (await response.json()).get("error", {}).get("code")

            held = [asyncio.create_task(ask()) for _ in range(2)]
            await until(lambda: gate.arrived == 2)
            assert [await ask() for _ in range(3)] == [(503, "overloaded")] * 3
            gate.let(2)
            assert await asyncio.gather(*held) == [(200, None)] * 2
            again = [asyncio.create_task(ask()) for _ in range(2)]
            await until(lambda: gate.arrived == 4)
            assert running.gateway.walk.parts.lines["sim-private"].load.attempts == 2
            assert await ask() == (503, "overloaded")
            gate.open()
            assert await asyncio.gather(*again) == [(200, None)] * 2
        assert running.gateway.book.states(0.0)["sim-private/open-70b"].value == "closed"


@pytest.mark.case("I5")
@pytest.mark.case("J7")
async def test_tells_a_price_of_zero_from_one_that_nobody_knows() -> None:
    async with vendors_of(["sim-private"]) as (vendor,):
        config = config_with(vendor)
        free, unknown = config["providers"]["sim-private"]["models"]
        free["price"] = {"input": 0, "output": 0}
        del unknown["price"]
        limit = {"x-pointsman-max-cost": "0.000001"}
        async with running_gateway(yaml.safe_dump(config)) as running:
            async with running.chat(model="open-70b", headers=limit) as response:
                assert (response.status, float(response.headers["x-pointsman-cost"])) == (200, 0.0)
            async with running.chat(model="open-400b") as response:
                assert (response.status, "x-pointsman-cost" in response.headers) == (200, False)
                assert (await response.json())["usage"].get("cost") is None
            async with running.chat(model="open-400b", headers=limit) as response:
                assert (response.status, (await response.json())["error"]["code"]) == (402, "cost_limit")
            costs = [row["cost_usd"] for row in running.rows.kept]
            counted = await running.admin_text("/metrics")
    assert costs == [0.0, None, 0.0]
    assert 'pointsman_unpriced_requests_total{endpoint="sim-private/open-400b"} 1.0' in counted


@pytest.mark.case("P3")
async def test_keeps_a_conversation_where_its_prompt_is_cached() -> None:
    async with vendors_of(["sim-fast", "sim-fast"]) as (one, other):
        twins = {name: config_with(vendor)["providers"]["sim-fast"] for name, vendor in (("a", one), ("b", other))}
        async with running_gateway(yaml.safe_dump({"providers": twins})) as running:
            for talk in range(6):
                messages: list[Any] = [
                    {"role": "system", "content": f"You are clerk number {talk}. " + "Mind the rules. " * 40},
                    {"role": "user", "content": f"First question of talk {talk}"},
                ]
                for turn in range(5):
                    body = {"model": "open-8b", "messages": messages}
                    async with running.post("/v1/chat/completions", body) as response:
                        answer = await response.json()
                    messages += [answer["choices"][0]["message"], {"role": "user", "content": f"And then, {turn}?"}]
            rows = running.rows.kept
    by_talk = [{row["endpoint"] for row in rows[at : at + 5]} for at in range(0, 30, 5)]
    assert [len(endpoints) for endpoints in by_talk] == [1] * 6
    assert len(set.union(*by_talk)) == 2  # while talks are spread
    later = [row["usage"] for number, row in enumerate(rows) if number % 5]
    assert sum(one["cached_input"] for one in later) > 0.6 * sum(one["input"] for one in later)


@pytest.mark.case("C2")
async def test_serves_again_as_soon_as_its_only_endpoint_does() -> None:
    async with gateway_with("sim-private") as running:
        await running.vendors["sim-private"].fault(Fault(status=429, retry_after_s=0.01), times=1)
        async with running.chat(model="open-70b") as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "1")
        async with asyncio.timeout(10):
            while True:
                async with running.chat(model="open-70b") as response:
                    if response.status == 200:
                        break


@pytest.mark.case("H7")
@pytest.mark.parametrize("api", ["gemini-3", "smtp"])
async def test_refuses_a_wire_format_it_does_not_speak_when_the_file_is_read(api: str) -> None:
    async with vendors_of(["sim-private"]) as (vendor,):
        with pytest.raises(Exception, match=rf'providers\.sim-private\.api: "{api}".*openai'):
            async with running_gateway(yaml.safe_dump(config_with(vendor, api=api))):
                pass
