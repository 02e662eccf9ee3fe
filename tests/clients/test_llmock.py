"""What a third party says of our retries: `llmock` breaks on command, and judges whoever asks it by its own journal."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
import yaml

from tests.clients.support.matrix import keep
from tests.clients.support.third_parties import llmock, row
from tests.support.running_gateway import RunningGateway, running_gateway

PATHS = {"openai": "/v1", "anthropic": "/anthropic/v1"}  # where llmock has these formats
LATER_S = 1
BROKEN = ("disconnect", "truncate", "malformed")
HIDDEN = (
    {"type": "fail", "status": 500, "times": 1},
    *({"type": "stream_fault", "kind": kind, "after_chunks": 0} for kind in BROKEN),
)


LONG = {"type": "reply", "text": "on and on " * 1_000, "times": 1}  # so that leaving a stream is seen on any machine


class Lab:
    """Two servers: `one` breaks when told to, `other` stands in for it where a trouble needs two."""

    def __init__(self, api: str, one: str, other: str, http: aiohttp.ClientSession) -> None:
        self._one, self._other = one, other
        self._http = http
        self._rows = [row(api, url + PATHS[api], "mocked-model") for url in (one, other)]
        self._rows[1]["models"][0]["price"] = {"input": 5.0, "output": 9.0}  # the other is asked second
        self.faults = 0

    async def breaks(self, **trouble: Any) -> None:
        """The next request to the first server meets this."""
        self.faults += 1
        behaviors = [trouble, LONG] if trouble.get("kind") == "malformed" else [trouble]
        async with self._http.post(self._one + "/_llmock/scenario", json={"behaviors": behaviors}) as response:
            assert response.status == 201, await response.text()

    @asynccontextmanager
    async def gateway(self, *servers: int) -> AsyncIterator["Asker"]:
        """A new gateway, so that nothing is held against anybody, before these servers (one may be named twice)."""
        providers = {f"provider-{place}": self._rows[server] for place, server in enumerate(servers)}
        async with (
            running_gateway(yaml.safe_dump({"providers": providers})) as running,
            openai.AsyncOpenAI(base_url=running.url + "/v1", api_key="any") as sdk,
        ):
            yield Asker(sdk, running)

    async def asked(self) -> list[int]:
        """How many requests each server has seen; it answers when none is under way any more."""
        return [(await self._told(url, "requests"))["count"] for url in (self._one, self._other)]

    async def findings(self) -> list[str]:
        verdicts = [await self._told(url, "verdict") for url in (self._one, self._other)]
        return [f"{one['severity']} {one['code']}: {one['title']}" for told in verdicts for one in told["findings"]]

    async def _told(self, url: str, what: str) -> Any:
        async with self._http.get(f"{url}/_llmock/{what}") as response:
            return await response.json()


class Asker:
    """People with the `openai` SDK and the retries it has by default."""

    def __init__(self, sdk: openai.AsyncOpenAI, running: RunningGateway) -> None:
        self._sdk = sdk
        self.running = running

    async def asks(self, text: str) -> str:
        """The whole answer's provider."""
        raw = await self._sdk.chat.completions.with_raw_response.create(model="mocked-model", messages=_said(text))
        assert raw.parse().choices[0].message.content
        return str(raw.headers["x-pointsman-endpoint"]).partition("/")[0]

    async def streams(self, text: str) -> str | None:
        """How the stream finished."""
        creating = self._sdk.chat.completions.create(model="mocked-model", messages=_said(text), stream=True)
        async with await creating as stream:
            return [one.choices[0].finish_reason async for one in stream if one.choices][-1]


def _said(text: str) -> Any:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("api", PATHS)
async def test_llmock_finds_no_fault_with_our_retries(api: str, clients_python: Path, tmp_path: Path) -> None:
    binaries = clients_python.parent
    async with llmock(binaries, tmp_path) as one, llmock(binaries, tmp_path) as other, aiohttp.ClientSession() as http:
        lab = Lab(api, one, other, http)
        await _what_is_hidden(lab)
        await _what_is_the_clients(lab)
        await _what_is_our_keys(lab)
        await _what_is_for_later(lab)
        await _what_breaks_in_the_middle(lab)
        findings = await lab.findings()
    proof = f"llmock's verdict on retries, {lab.faults} faults, upstream format {api}"
    keep(f"other-llmock-{api}", {"proof": proof, "result": "; ".join(findings) or "0 errors, 0 warnings"})
    assert findings == []


async def _what_is_hidden(lab: Lab) -> None:
    """Before the first content another provider answers: here the same server, which so sees the second attempt."""
    for number, trouble in enumerate(HIDDEN):
        await lab.breaks(**trouble)
        async with lab.gateway(0, 0) as asker:
            if trouble["type"] == "fail":
                await asker.asks(f"hidden {number}")
            else:
                assert await asker.streams(f"hidden {number}") == "stop"
            assert [one["outcome"] == "ok" for one in (await asker.running.row())["attempts"]] == [False, True]
            if trouble.get("kind") == "malformed":
                # The second attempt may be there before llmock sees that we left the first, and is no retry to it then.
                await lab.asked()
                await asker.streams(f"hidden {number}")


async def _what_is_the_clients(lab: Lab) -> None:
    await lab.breaks(type="fail", status=400, times=1)
    async with lab.gateway(0, 0) as asker:
        with pytest.raises(openai.BadRequestError):
            await asker.asks("a bad request")


async def _what_is_our_keys(lab: Lab) -> None:
    """A refused key is not tried again; whoever has another one answers."""
    await lab.breaks(type="fail", status=401, times=1)
    async with lab.gateway(0, 1) as asker:
        seen = await lab.asked()
        assert [await asker.asks("a key"), await asker.asks("another question")] == ["provider-1", "provider-1"]
        assert await lab.asked() == [seen[0] + 1, seen[1] + 2]


async def _what_is_for_later(lab: Lab) -> None:
    """`Retry-After` is kept to, by the SDK where there is nobody else, by the gateway where there is."""
    await lab.breaks(type="fail", status=429, retry_after=LATER_S, times=1)
    async with lab.gateway(0) as asker:
        assert await asker.asks("too many") == "provider-0"
    await lab.breaks(type="fail", status=503, retry_after=LATER_S, times=1)
    async with lab.gateway(0, 1) as asker:
        seen = await lab.asked()
        assert [await asker.asks("overloaded"), await asker.asks("overloaded")] == ["provider-1", "provider-1"]
        assert await lab.asked() == [seen[0] + 1, seen[1] + 2]
        await asyncio.sleep(LATER_S)
        assert await asker.asks("overloaded") == "provider-0"


async def _what_breaks_in_the_middle(lab: Lab) -> None:
    """After the first content nothing is sent again: the client is told, and asks again itself."""
    for kind in BROKEN:
        await lab.breaks(type="stream_fault", kind=kind, after_chunks=4)
        async with lab.gateway(0, 1) as asker:
            with pytest.raises(openai.APIError):
                await asker.streams(f"broken by {kind}")
            await lab.asked()
            assert await asker.streams(f"broken by {kind}") == "stop"
