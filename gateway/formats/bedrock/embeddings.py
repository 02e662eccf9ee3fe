"""Texts to vectors by InvokeModel, in the JSON of the model's maker: Cohere, Amazon's Titan, Amazon's Nova.

Sources: AWS's user guides on these models, recorded exchanges. What a model takes is told by quirks: `many_texts`
(Cohere's; all others take one text in a request), `dimensions` (a length may be asked for).
"""

import orjson

from gateway.core.ask import Ask
from gateway.core.catalog import Endpoint
from gateway.core.chat import Json
from gateway.core.usage import Usage
from gateway.formats import embeddings
from gateway.formats.anthropic.content import read_object
from gateway.formats.bedrock.request import WHOLE, model_path
from gateway.formats.relay import SHAPE_ERRORS, misshapen
from gateway.formats.upstream_errors import malformed
from gateway.formats.wire import Inexpressible, Outgoing, RelayContext, Rendered

MANY_TEXTS, DIMENSIONS = "many_texts", "dimensions"
_MOST_TEXTS = 96  # AWS's user guide, "Cohere Embed", `texts`
_OWN = frozenset({"input_type", "truncate"})  # Cohere's words, which its clients send along


def inexpressible(ask: Ask, endpoint: Endpoint) -> Inexpressible:
    assert ask.embed is not None
    if MANY_TEXTS in endpoint.quirks:
        fields = embeddings.inexpressible_fields(ask, _MOST_TEXTS, _OWN)
    else:
        fields = embeddings.inexpressible_fields(ask, 1)
    if ask.embed.dimensions is not None and DIMENSIONS not in endpoint.quirks:
        fields.add("dimensions")
    return Inexpressible(frozenset(fields), frozenset({"user"} & set(ask.body)))


def build(ask: Ask, endpoint: Endpoint) -> Outgoing:
    asked = ask.embed
    assert asked is not None
    body = _body(endpoint, list(asked.inputs), asked.dimensions)
    body |= {name: ask.body[name] for name in sorted(_OWN & set(ask.body))}
    return _outgoing(endpoint, body, tuple(sorted(inexpressible(ask, endpoint).hints)))


def probe(endpoint: Endpoint) -> Outgoing:
    return _outgoing(endpoint, _body(endpoint, ["ok"], None), ())


def _outgoing(endpoint: Endpoint, body: dict[str, Json], dropped: tuple[str, ...]) -> Outgoing:
    return Outgoing(model_path(endpoint.upstream_id, "invoke"), WHOLE, orjson.dumps(body), dropped)


def _body(endpoint: Endpoint, texts: list[str], dimensions: int | None) -> dict[str, Json]:
    """Nothing is cut to a model's length in silence; where a purpose must be said, texts are to be found again."""
    wanted = dimensions is not None
    if "cohere." in endpoint.upstream_id:
        cohere: dict[str, Json] = {"texts": texts, "input_type": "search_document", "truncate": "NONE"}
        return {**cohere, "output_dimension": dimensions} if wanted else cohere
    if "nova" in endpoint.upstream_id:
        nova: dict[str, Json] = {"embeddingPurpose": "GENERIC_INDEX"}
        if wanted:
            nova["embeddingDimension"] = dimensions
        nova["text"] = {"value": texts[0], "truncationMode": "NONE"}
        return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": nova}
    titan: dict[str, Json] = {"inputText": texts[0]}
    return {**titan, "dimensions": dimensions} if wanted else titan


def reply(ask: Ask, body: bytes, context: RelayContext) -> Rendered:
    """Raises `AttemptError`."""
    answer = read_object(body, "embeddings")
    assert ask.embed is not None
    try:
        vectors = _vectors(answer)
        if len(vectors) != len(ask.embed.inputs):
            raise malformed("There are not as many embeddings as texts.")
        counted = answer.get("inputTextTokenCount")  # Titan's; others are counted in a header alone
        usage = Usage(input=counted) if isinstance(counted, int) else embeddings.estimated(ask)
        return embeddings.render(ask, vectors, usage, context)
    except SHAPE_ERRORS as error:
        raise misshapen("The answer", error) from error


def _vectors(answer: dict[str, Json]) -> list[list[float]]:
    if "embedding" in answer:
        return [answer["embedding"]]
    found = answer["embeddings"]
    if isinstance(found, dict):
        return list(found["float"])
    return [one["embedding"] if isinstance(one, dict) else one for one in found]
