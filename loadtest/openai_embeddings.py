"""OpenAI's embeddings, server side: vectors that are near where texts share words.

A text's vector is the normalised sum of one fixed pseudo-random direction per word (feature hashing), the same
at every vendor that sells the same model, so that failover between them can be checked by value.
"""

import base64
import math
from array import array
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from loadtest import tokens
from loadtest.billing import Tokens
from loadtest.openai_errors import invalid, known_model
from loadtest.vendors import Vendor

Json = Any  # a parsed JSON value

_MAX_INPUTS = 2_048  # as OpenAI


def embed(body: Mapping[str, Json], vendor: Vendor) -> tuple[Json, Tokens]:
    """The response body and what it consumed; raises `ApiError`."""
    model = known_model(body, vendor)
    if model.dimensions is None:
        raise invalid(f"{model.id} is not an embedding model.", "invalid_value", "model")
    dimensions = body.get("dimensions") or model.dimensions
    if dimensions > model.dimensions:
        raise invalid(f"dimensions must be at most {model.dimensions}.", "invalid_value", "dimensions")
    texts = _texts(body.get("input"))
    counts = [tokens.count(text) for text in texts]
    longest = max(counts)
    if longest > model.context:
        message = (
            f"This model's maximum context length is {model.context} tokens, however you requested {longest} tokens."
        )
        raise invalid(message, "context_length_exceeded", "input")
    as_base64 = body.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector(text, dimensions), as_base64)}
        for index, text in enumerate(texts)
    ]
    used = sum(counts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": rows, "model": model.id, "usage": usage}, Tokens(used)


def _texts(given: Json) -> list[str]:
    """The four shapes of `input`: a text, texts, token ids, lists of token ids."""
    if isinstance(given, str) and given:
        return [given]
    if not isinstance(given, list) or not given or len(given) > _MAX_INPUTS:
        raise invalid("'input' must be a text or a list of 1 to 2048 texts.", "invalid_value", "input")
    if all(isinstance(one, int) for one in given):
        return [_spelled(given)]
    return [one if isinstance(one, str) else _spelled(one) for one in given]


def _spelled(token_ids: Json) -> str:
    if not isinstance(token_ids, list):
        raise invalid("'input' holds something that is neither text nor token ids.", "invalid_value", "input")
    return " ".join(str(token_id) for token_id in token_ids)


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector."""
    total = [0.0] * dimensions
    for word in text.lower().split():
        seed = blake2b(word.encode("utf-8", "replace"), digest_size=32).digest()
        for place in range(0, 32, 4):  # eight signed places for each word
            number = int.from_bytes(seed[place : place + 4], "little")
            total[(number >> 1) % dimensions] += 1.0 if number & 1 else -1.0
    length = math.sqrt(sum(value * value for value in total)) or 1.0
    return [round(value / length, 7) for value in total]


def _encoded(values: list[float], as_base64: bool) -> list[float] | str:
    return base64.b64encode(array("f", values).tobytes()).decode() if as_base64 else values
