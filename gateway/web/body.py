"""Reading a request's body: bounded in size and time, JSON with a useful complaint."""

import asyncio
from typing import Any

import orjson
from aiohttp import web

from gateway.core.refusal import Refusal, RefusalKind, Refused

BODY_LIMIT_BYTES = 32 * 1024 * 1024  # CONTRACT §4
BODY_IDLE_S = 20.0  # between two pieces of a body
BODY_TOTAL_S = 120.0  # of a whole body: 32 MiB at 2.2 Mbit/s
DEPTH_LIMIT = 200  # levels of nesting; orjson reads 1,024 but writes 254, and another wire format may need a few more


async def read_body(request: web.Request) -> bytes:
    """The whole body.

    Raises:
        Refused: it is larger than `BODY_LIMIT_BYTES`, comes too slowly, or is not what its encoding says.
    """
    announced = request.content_length
    if announced is not None and announced > BODY_LIMIT_BYTES:
        raise too_large()
    content = request.content
    if content.is_eof() and announced is not None:
        return await content.read()
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TOTAL_S):
            while piece := await asyncio.wait_for(content.readany(), BODY_IDLE_S):
                size += len(piece)
                if size > BODY_LIMIT_BYTES:
                    raise too_large()
                pieces.append(piece)
    except TimeoutError:
        raise too_slow() from None
    except web.RequestPayloadError:
        raise _invalid("the request's body cannot be decoded as its headers say") from None
    return b"".join(pieces)


def too_large() -> Refused:
    """The complaint about a body beyond `BODY_LIMIT_BYTES`."""
    most = BODY_LIMIT_BYTES // (1024 * 1024)
    return Refused(Refusal(RefusalKind.TOO_LARGE, f"the request's body is larger than {most} MiB; send less"))


def too_slow() -> Refused:
    """The complaint about a body that takes more than `BODY_IDLE_S` or `BODY_TOTAL_S`."""
    return _invalid("the request's body came too slowly; send it again")


def parse_json(raw: bytes | bytearray) -> dict[str, Any]:
    """The JSON object in `raw`.

    Raises:
        Refused: it is none; the message says where it goes wrong.
    """
    if not raw:
        raise _invalid("the request has no body; send a JSON object")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _invalid(f"the body is not valid JSON at {where}: {error.msg}") from None
    if not isinstance(value, dict):
        raise _invalid(f"the body must be a JSON object, got {_kind(value)}")
    if raw.count(b"[") + raw.count(b"{") > DEPTH_LIMIT and _too_deep(value):
        raise _invalid(f"the body is nested deeper than {DEPTH_LIMIT} levels")
    return value


def _too_deep(value: Any) -> bool:
    """Level by level, not by recursion; as long as reading the body, so it is not asked of one with few brackets."""
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [
            child
            for one in level
            for child in (one.values() if type(one) is dict else one)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _kind(value: object) -> str:
    words = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    return words.get(type(value), "null")


def _invalid(message: str) -> Refused:
    return Refused(Refusal(RefusalKind.INVALID_REQUEST, message))
