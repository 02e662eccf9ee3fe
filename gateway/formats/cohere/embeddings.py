"""Texts to vectors by `/v2/embed`."""

import orjson

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.core.chat import Json
from gateway.formats import embeddings
from gateway.formats.anthropic.content import read_object
from gateway.formats.cohere.content import read_usage
from gateway.formats.cohere.request import WHOLE
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered

EMBED = "/v2/embed"
MOST_TEXTS = 96  # Cohere API reference, `texts`
_OWN = frozenset({"input_type", "truncate"})  # Cohere's words, which clients of its compatible API send along
_PURPOSE = "search_document"  # what texts are for, where the client does not say; the API insists on a word


def inexpressible(ask: Ask) -> Inexpressible:
    fields = embeddings.inexpressible_fields(ask, MOST_TEXTS, _OWN)
    return Inexpressible(frozenset(fields), frozenset({"user"} & set(ask.body)))


def build(ask: Ask, endpoint: Endpoint) -> Outgoing:
    asked = ask.embed
    assert asked is not None
    body = _body(endpoint, list(asked.inputs))
    if asked.dimensions is not None:
        body["output_dimension"] = asked.dimensions
    body |= {name: ask.body[name] for name in sorted(_OWN & set(ask.body))}
    return Outgoing(EMBED, WHOLE, orjson.dumps(body), tuple(sorted(inexpressible(ask).hints)))


def probe(endpoint: Endpoint) -> Outgoing:
    return Outgoing(EMBED, WHOLE, orjson.dumps(_body(endpoint, ["ok"])))


def _body(endpoint: Endpoint, texts: list[str]) -> dict[str, Json]:
    return {"model": endpoint.upstream_id, "texts": texts, "input_type": _PURPOSE, "embedding_types": ["float"]}


def reply(ask: Ask, body: bytes, context: RelayContext) -> Rendered:
    """Raises `AttemptError`."""
    answer = read_object(body, "embeddings")
    assert ask.embed is not None
    try:
        vectors = answer["embeddings"]["float"]
        if len(vectors) != len(ask.embed.inputs):
            raise malformed("There are not as many embeddings as texts.")
        usage = read_usage(answer.get("meta")) or embeddings.estimated(ask)
        return embeddings.render(ask, vectors, usage, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error
