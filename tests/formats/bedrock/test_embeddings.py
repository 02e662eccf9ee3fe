"""Texts to vectors at Bedrock, in the JSON of three makers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint, Operation
from gateway.core.failure import AttemptError
from gateway.core.usage import Usage
from gateway.formats import registry
from tests.support.formats import ask, context, endpoint, reply
from tests.support.recorded import bedrock
from tests.support.vectors import needs_vectors

FORM = registry.wire_format("bedrock")
COHERE, NOVA, TITAN = "cohere.embed-v4:0", "amazon.nova-2-multimodal-embeddings-v1:0", "amazon.titan-embed-text-v2:0"
ANSWERS: dict[str, Any] = {
    COHERE: {"embeddings": {"float": [[1.0, 2.0]]}},
    "cohere.embed-english-v3": {"embeddings": [[1.0, 2.0]]},
    NOVA: {"embeddings": [{"embeddingType": "TEXT", "embedding": [1.0, 2.0]}]},
    TITAN: {"embedding": [1.0, 2.0], "inputTextTokenCount": 7},
}


def at(model: str, *quirks: str) -> Endpoint:
    made = endpoint("bedrock", quirks=frozenset(quirks))
    return replace(made, upstream_id=model, operation=Operation.EMBEDDINGS)


def embed(*texts: str, **more: Any) -> Ask:
    return ask({"input": list(texts), **more}, Surface.EMBEDDINGS)


def sent(asked: Ask, where: Endpoint) -> dict[str, Any]:
    return dict(json.loads(FORM.build(asked, where, None).body))


def test_asks_each_maker_in_its_words() -> None:
    texts = {"texts": ["a", "b"], "input_type": "search_document", "truncate": "NONE"}
    assert sent(embed("a", "b"), at("us." + COHERE)) == texts
    assert sent(embed("a", "b", dimensions=256, input_type="classification"), at(COHERE)) == {
        **texts, "input_type": "classification", "output_dimension": 256,
    }  # fmt: skip
    nova = {"embeddingPurpose": "GENERIC_INDEX", "text": {"value": "a", "truncationMode": "NONE"}}
    assert sent(embed("a"), at(NOVA)) == {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": nova}
    assert sent(embed("a", dimensions=256), at(NOVA))["singleEmbeddingParams"] == {**nova, "embeddingDimension": 256}
    assert sent(embed("a"), at(TITAN)) == {"inputText": "a"}
    assert sent(embed("a", dimensions=256), at(TITAN)) == {"inputText": "a", "dimensions": 256}


def test_asks_at_the_models_path_and_names_what_it_leaves_out() -> None:
    out = FORM.build(embed("a", user="u"), at(TITAN), None)
    assert (out.path, out.dropped) == ("/model/amazon.titan-embed-text-v2%3A0/invoke", ("user",))


def test_probes_with_a_word() -> None:
    probe = FORM.probe(at(COHERE))
    assert (probe.path, json.loads(probe.body)["texts"]) == ("/model/cohere.embed-v4%3A0/invoke", ["ok"])


@pytest.mark.parametrize(
    ("asked", "quirks", "fields"),
    [
        (embed("a", "b"), (), {"input[1]"}),
        (embed("a", "b"), ("many_texts",), set()),
        (embed(*["a"] * 97), ("many_texts",), {"input[96]"}),
        (embed("a", dimensions=256), (), {"dimensions"}),
        (embed("a", dimensions=256), ("dimensions",), set()),
        (embed("a", input_type="clustering"), (), {"input_type"}),
        (embed("a", input_type="clustering"), ("many_texts",), set()),
    ],
)
def test_says_what_a_model_cannot_be_asked(asked: Ask, quirks: tuple[str, ...], fields: set[str]) -> None:
    assert FORM.inexpressible(asked, at(TITAN, *quirks)).fields == fields


@pytest.mark.parametrize("model", ANSWERS)
def test_reads_each_makers_vectors(model: str) -> None:
    rendered = reply(embed("a"), at(model), ANSWERS[model])
    assert json.loads(rendered.body)["data"] == [{"object": "embedding", "index": 0, "embedding": [1.0, 2.0]}]
    assert rendered.usage == (Usage(input=7) if model == TITAN else Usage(input=1, estimated=True))


@pytest.mark.parametrize("answer", [{"embeddings": []}, {"embeddings": [{}]}, {}, {"embeddings": 1}])
def test_refuses_what_are_no_vectors(answer: dict[str, Any]) -> None:
    with pytest.raises(AttemptError):
        reply(embed("a"), at(COHERE), answer)


@needs_vectors
def test_asks_and_reads_as_was_recorded() -> None:
    """But for the purpose, truncation and normalising, which are the recording client's own wishes."""
    found = [(one, model) for one, model in bedrock("invoke") if "embed" in model]
    for one, model in found:
        nova = one.request.get("singleEmbeddingParams") or {}
        texts = one.request.get("texts") or [one.request.get("inputText") or nova["text"]["value"]]
        dimensions = {"dimensions": one.request["dimensions"]} if "dimensions" in one.request else {}
        wishes = {name: one.request[name] for name in ("input_type", "truncate") if name in one.request}
        asked = embed(*texts, **dimensions, **wishes)
        assert FORM.build(asked, at(model), None).path.replace("%3A", ":") == one.path.replace("%3A", ":")
        wanted = {key: value for key, value in one.request.items() if key not in ("normalize", "max_tokens")}
        if nova:
            ours = {**nova, "embeddingPurpose": "GENERIC_INDEX", "text": {**nova["text"], "truncationMode": "NONE"}}
            wanted["singleEmbeddingParams"] = ours
        assert sent(asked, at(model)) == wanted, one.name
        rendered = FORM.reply(asked, at(model), one.body, context())
        assert len(json.loads(rendered.body)["data"][0]["embedding"]) >= 256
    assert len(found) == 14
