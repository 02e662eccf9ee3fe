"""Applications' traffic, for as long as a test goes on: whole requests at a rate, streams that are always open.

Runs on a thread with an event loop of its own. Retries nothing: every reply that is not a whole, right answer counts.
"""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
import orjson

Json = Any  # a value made of JSON's types


@dataclass(frozen=True, slots=True)
class Rates:
    """`requests_per_s` of whole answers; `streams` open at any time; the model that both ask for."""

    requests_per_s: float = 20.0
    streams: int = 0
    model: str = "auto"


@dataclass(slots=True)
class Seen:
    """What came back. `trouble` has a line for each failure: when, what and which."""

    requests: int = 0
    streams: int = 0
    events: int = 0
    open_streams: int = 0
    trouble: list[str] = field(default_factory=list)
    endpoints: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0


class Traffic:
    """`with Traffic(url, rates) as traffic:`; leaving waits for open streams to end."""

    def __init__(self, url: str, rates: Rates, settle_s: float = 90.0) -> None:
        self.seen = Seen()
        self._url = f"{url}/v1/chat/completions"
        self._rates = rates
        self._settle_s = settle_s
        self._stop = threading.Event()
        self._began_s = time.monotonic()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._flow()), daemon=True)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(self._settle_s + 30)
        assert not self._thread.is_alive(), "the traffic does not end"

    async def _flow(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        timeout = aiohttp.ClientTimeout(total=120, sock_connect=10)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
            streams = [asyncio.create_task(self._streams(session, number)) for number in range(self._rates.streams)]
            requests: set[asyncio.Task[None]] = set()
            while not self._stop.is_set():
                if self._rates.requests_per_s:
                    requests.add(task := asyncio.create_task(self._whole(session)))
                    task.add_done_callback(requests.discard)
                await asyncio.sleep(1 / (self._rates.requests_per_s or 10))
            if rest := [*requests, *streams]:
                _, late = await asyncio.wait(rest, timeout=self._settle_s)
                for task in late:
                    self._trouble("still open at the end")
                    task.cancel()

    async def _whole(self, session: aiohttp.ClientSession) -> None:
        began = time.monotonic()
        try:
            async with session.post(self._url, data=self._body(stream=False)) as answer:
                data = await answer.read()
                if answer.status != 200 or not orjson.loads(data)["choices"]:
                    self._trouble(f"status {answer.status}: {data[:300]!r}")
                self._answered_by(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._trouble(f"request: {type(error).__name__}: {error}")
        self.seen.requests += 1
        self.seen.slowest_s = max(self.seen.slowest_s, time.monotonic() - began)

    async def _streams(self, session: aiohttp.ClientSession, number: int) -> None:
        await asyncio.sleep(number * 0.1)
        while not self._stop.is_set():
            await self._stream(session)

    async def _stream(self, session: aiohttp.ClientSession) -> None:
        self.seen.open_streams += 1
        ended = False
        try:
            async with session.post(self._url, data=self._body(stream=True)) as answer:
                self._answered_by(answer)
                if answer.status != 200:
                    self._trouble(f"stream: status {answer.status}: {(await answer.read())[:300]!r}")
                    return
                async for line in answer.content:
                    self.seen.events += line.startswith(b"data: ")
                    ended = ended or line.startswith(b"data: [DONE]")
                    if b'"error"' in line:
                        self._trouble(f"stream: {line[:300]!r}")
            if not ended:
                self._trouble("stream: cut")
        except (aiohttp.ClientError, TimeoutError) as error:
            self._trouble(f"stream: {type(error).__name__}: {error}")
        finally:
            self.seen.streams += 1
            self.seen.open_streams -= 1

    def _answered_by(self, answer: aiohttp.ClientResponse) -> None:
        endpoint = answer.headers.get("x-pointsman-endpoint", "none")
        self.seen.endpoints[endpoint] = self.seen.endpoints.get(endpoint, 0) + 1

    def _body(self, *, stream: bool) -> bytes:
        said = {"role": "user", "content": "Say in some sentences what a railway pointsman does all day."}
        return orjson.dumps({"model": self._rates.model, "messages": [said], "stream": stream})

    def _trouble(self, words: str) -> None:
        self.seen.trouble.append(f"{time.monotonic() - self._began_s:.1f} s: {words}")
