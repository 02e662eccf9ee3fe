"""JSON in and out, by orjson, and by the standard library for the one thing orjson refuses: lone surrogates.

Servers written in JavaScript cut an emoji between two deltas now and then; each half is legal JSON and means something
once the client joins them.
"""

import json

import orjson

from gateway.core.chat import Json


def loads(data: bytes) -> Json:
    """Raises `ValueError` for what is no JSON, and for JSON that is nested too deeply."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
