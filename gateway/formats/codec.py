"""JSON in and out, by orjson, and by the standard library for the one thing orjson refuses: lone surrogates.

Servers written in JavaScript cut an emoji between two deltas now and then; each half is legal JSON and means something
once the client joins them.
"""

import json

import orjson

from gateway.core.chat import Json


def loads(data: bytes) -> Json:
    """Raises `ValueError` for what is no JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)


def dumps(value: Json) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()
