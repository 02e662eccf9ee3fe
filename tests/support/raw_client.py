"""HTTP as bytes, for what no client library would send or show."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

CHAT_PATH = "/v1/chat/completions"
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Hello there"}]}


def chat_body(**fields: Any) -> bytes:
    return json.dumps(CHAT | fields).encode()


def request(body: bytes, *lines: str, path: str = CHAT_PATH, length: int | None = None) -> bytes:
    """A plain POST; `lines` are further header lines."""
    head = [
        f"POST {path} HTTP/1.1", "Host: gateway", "Content-Type: application/json",
        f"Content-Length: {len(body) if length is None else length}", *lines, "", "",
    ]  # fmt: skip
    return "\r\n".join(head).encode() + body


def chunked_request(body: bytes, *lines: str, path: str = CHAT_PATH) -> bytes:
    """The same as one that the fast lane hands over."""
    head = [f"POST {path} HTTP/1.1", "Host: gateway", "Transfer-Encoding: chunked", *lines, "", ""]
    return "\r\n".join(head).encode() + (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One answer; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    of_lane: bool  # written by the fast lane, not by aiohttp

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def read_answer(reader: asyncio.StreamReader) -> RawAnswer:
    """The next answer; interim ones are passed over."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        version, status, _ = first.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0")
        if not status.startswith("1"):
            break
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    headers = dict(pairs)
    assert len(headers) == len(pairs), "no header stands twice"
    of_lane = "server: pointsman" in lines
    if headers.get("transfer-encoding") == "chunked":
        return RawAnswer(int(status), headers, await _chunks(reader), of_lane)
    return RawAnswer(int(status), headers, await reader.readexactly(int(headers["content-length"])), of_lane)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        data = await reader.readexactly(size + 2)
        assert data.endswith(b"\r\n")
        if not size:
            return body
        body += data[:-2]
