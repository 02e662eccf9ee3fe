"""The load's HTTP client: sends one job to the gateway and watches what comes back.

Owns the two client surfaces' spelling and the judgement how a reply ended. Loopback only: this command makes
load, and must never make it on somebody else's machine.
"""

import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from loadtest.flight import OK, Flight
from loadtest.scenarios import Job, Surface

Json = Any  # a parsed JSON value

_MAX_ANSWER_TOKENS = 1_000
_PATHS = {Surface.CHAT: "/v1/chat/completions", Surface.MESSAGES: "/v1/messages"}


def loopback_url(text: str) -> str:
    """The URL without a trailing slash; raises `ValueError` for any host but this machine."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{text!r} is not an http URL")
    if parts.hostname != "localhost":
        try:
            loopback = ipaddress.ip_address(parts.hostname).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise ValueError(f"{parts.hostname} is not this machine; load goes to loopback addresses only")
    return text.rstrip("/")


class Client:
    """Sends jobs to one gateway. `now_s` is a monotonic clock."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, now_s: Callable[[], float], *, model: str, key: str | None
    ) -> None:
        self._session = session
        self._url = url
        self._now_s = now_s
        self._model = model
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}

    async def send(self, flight: Flight) -> None:
        """Runs the flight to its end; every ending is an outcome, none an exception."""
        job = flight.job
        try:
            async with self._session.post(
                self._url + _PATHS[job.surface], data=orjson.dumps(self._body(job)), headers=self._all_headers()
            ) as answer:
                flight.status = answer.status
                flight.headers = answer.headers
                if answer.status != 200:
                    flight.detail = (await answer.text())[:300]
                    flight.outcome = f"http_{answer.status}"
                elif job.streamed:
                    await self._watch(answer, flight)
                else:
                    _judge_whole(await answer.read(), flight)
        except TimeoutError:
            flight.outcome = "timeout"
        except aiohttp.ClientError as error:
            flight.detail = f"{type(error).__name__}: {error}"
            flight.outcome = "cut" if flight.content_events else "connection"
        finally:
            flight.total_s = self._now_s() - flight.started_s
            flight.outcome = flight.outcome or "cancelled"

    def _all_headers(self) -> dict[str, str]:
        return {"content-type": "application/json", **self._headers}

    def _body(self, job: Job) -> dict[str, Json]:
        body: dict[str, Json] = {"model": self._model, "messages": [{"role": "user", "content": job.prompt}]}
        if job.surface is Surface.MESSAGES:
            body["max_tokens"] = _MAX_ANSWER_TOKENS
        if job.streamed:
            body["stream"] = True
            if job.surface is Surface.CHAT:
                body["stream_options"] = {"include_usage": True}
        return body

    async def _watch(self, answer: aiohttp.ClientResponse, flight: Flight) -> None:
        ended = False
        async for event in _events(answer):
            if flight.error_events:
                if event != b"[DONE]":
                    flight.outcome = "garbled"
                continue
            if event == b"[DONE]":
                ended = True
                continue
            ended = self._see(orjson.loads(event), flight) or ended
        if not flight.outcome:
            flight.outcome = "in_stream_error" if flight.error_events else OK if ended else "cut"

    def _see(self, event: Mapping[str, Json], flight: Flight) -> bool:
        """Takes note of one event; whether it is the terminal one."""
        if event.get("error"):
            flight.error_events += 1
            flight.detail = str(event["error"])[:300]
            return False
        if _has_content(event):
            flight.content_events += 1
            if flight.first_token_s is None:
                flight.first_token_s = self._now_s() - flight.started_s
        _note_cost(event, flight)
        return event.get("type") == "message_stop"


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The data of each server-sent event."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            for line in block.split(b"\n"):
                if line.startswith(b"data:"):
                    yield line[5:].strip()


def _has_content(event: Mapping[str, Json]) -> bool:
    if event.get("type") == "content_block_delta":
        return True
    return any(
        choice["delta"].get("content") or choice["delta"].get("reasoning_content") or choice["delta"].get("tool_calls")
        for choice in event.get("choices") or ()
    )


def _judge_whole(raw: bytes, flight: Flight) -> None:
    try:
        _note_cost(orjson.loads(raw), flight)
    except orjson.JSONDecodeError:
        flight.outcome = "garbled"
    else:
        flight.outcome = OK


def _note_cost(event: Mapping[str, Json], flight: Flight) -> None:
    cost = (event.get("usage") or {}).get("cost")
    if cost is not None:
        flight.cost_usd = float(cost)
