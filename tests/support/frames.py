"""Writes AWS's binary event streams, by the description of the format and not by our reader."""

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any
from zlib import crc32


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame whose headers are all texts, as Bedrock's are."""
    packed = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    return raw_frame(packed, payload)


def raw_frame(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return message + struct.pack(">I", crc32(message))


def event(name: str, body: Any) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(body).encode())


def exception(name: str, message: str) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def chunk(body: Any) -> bytes:
    """An event of InvokeModel, in its envelope."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(body).encode()).decode(), "p": "abcdefgh"})
