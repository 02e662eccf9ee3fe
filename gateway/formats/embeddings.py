"""Embeddings of other wire formats, as the client's surface writes them.

Numbers go out as the client asked: as floats, or packed as little-endian float32 in base64, which is what OpenAI's SDKs
ask for.
"""

import base64
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from sys import byteorder

from gateway.core.ask import Ask
from gateway.core.chat import Json
from gateway.core.estimate import CHARS_PER_TOKEN
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.wire import RelayContext, Rendered

_KNOWN = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_ENCODINGS = (None, "float", "base64")


def inexpressible_fields(ask: Ask, most_inputs: int, also: frozenset[str] = frozenset()) -> set[str]:
    """What a provider of texts to vectors cannot be told; `also` are fields that this one knows."""
    asked = ask.embed
    assert asked is not None
    fields = set(ask.body) - _KNOWN - also
    if asked.token_inputs:
        fields.add("input[].tokens")
    if len(asked.inputs) > most_inputs:
        fields.add(f"input[{most_inputs}]")
    if asked.encoding_format not in _ENCODINGS:
        fields.add("encoding_format")
    return fields


def estimated(ask: Ask) -> Usage:
    """For providers that do not count."""
    return Usage(input=-(-ask.survey.chars // CHARS_PER_TOKEN), estimated=True)


def render(ask: Ask, vectors: Sequence[Sequence[float]], usage: Usage, context: RelayContext) -> Rendered:
    """OpenAI's answer; raises `TypeError` where a vector is none."""
    assert ask.embed is not None
    packed = ask.embed.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else list(vector)}
        for index, vector in enumerate(vectors)
    ]
    used: dict[str, Json] = {"prompt_tokens": usage.input, "total_tokens": usage.input}
    cost_usd = context.price(usage)
    if cost_usd is not None:
        used["cost"] = cost_usd
    body = {"object": "list", "data": data, "model": context.model, "usage": used}
    return Rendered(codec.dumps(body), usage, None, blake2b(digest_size=8).hexdigest(), 0)


def _packed(vector: Sequence[float]) -> str:
    numbers = array("f", vector)
    if byteorder == "big":  # pragma: no cover - no machine of ours
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()
