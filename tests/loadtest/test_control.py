"""The control endpoints of one vendor, over HTTP."""

import aiohttp
import pytest

from loadtest.control import RunningVendor


async def order(http: aiohttp.ClientSession, vendor: RunningVendor, method: str, what: str, body: object = None) -> int:
    async with http.request(method, f"{vendor.control_url}/_control/{what}", json=body) as answer:
        return answer.status


async def listed(http: aiohttp.ClientSession, vendor: RunningVendor) -> int:
    async with http.get(f"{vendor.origin}/v1/models") as answer:
        return answer.status


async def test_refuses_connections_and_comes_back_on_the_same_port(
    http: aiohttp.ClientSession, fast: RunningVendor
) -> None:
    before = fast.port
    assert await listed(http, fast) == 200
    assert await order(http, fast, "POST", "fault", {"fault": {"refuse": True}}) == 200
    with pytest.raises(aiohttp.ClientConnectionError):
        await listed(http, fast)
    assert await order(http, fast, "DELETE", "fault") == 200
    assert (await listed(http, fast), fast.port) == (200, before)


async def test_accepts_and_never_answers(fast: RunningVendor) -> None:
    await fast.clear_faults()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2)) as impatient:
        assert await order(impatient, fast, "POST", "fault", {"fault": {"hang_accept": True}}) == 200
        with pytest.raises(TimeoutError):
            await listed(impatient, fast)
    await fast.clear_faults()


async def test_tells_and_forgets_bill_requests_and_key(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    assert await order(http, fast, "POST", "key", {"required": "k"}) == 200
    assert await listed(http, fast) == 401
    assert await order(http, fast, "POST", "reset") == 200
    assert await listed(http, fast) == 200
    async with http.get(f"{fast.origin}/_control/requests") as answer:
        assert [seen["path"] for seen in await answer.json()] == ["/v1/models"]
    async with http.get(f"{fast.control_url}/_control/bill") as answer:
        assert await answer.json() == {"provider": "sim-fast", "requests": 0, "usd": "0", "by_model": {}}


@pytest.mark.parametrize(
    "body", [{"fault": {"explode": 1}}, {"fault": {}, "when": 3}, {}, {"fault": {}, "match": {"x": 1}}]
)
async def test_explains_an_order_it_cannot_read(
    http: aiohttp.ClientSession, fast: RunningVendor, body: dict[str, object]
) -> None:
    assert await order(http, fast, "POST", "fault", body) == 400
