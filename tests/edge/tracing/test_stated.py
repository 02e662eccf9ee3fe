"""What spans tell of the parameters of a request, from each surface's own words."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.edge.tracing.stated import STOP_CHARS, STOPS, stated
from gateway.formats.registry import surface

TURNS = [{"role": "user", "content": "hi"}]


def told(asked: Surface, texts_allowed: bool = True, **body: Any) -> dict[str, Any]:
    """The attributes that there are."""
    found = stated(surface(asked).parse({"model": "auto", **body}, 0, {}), texts_allowed)
    return {name.removeprefix("gen_ai."): value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("asked", "body", "attributes"),
    [
        (
            Surface.CHAT,
            {
                "messages": TURNS, "max_completion_tokens": 300, "temperature": 0, "top_p": 0.9, "top_k": 40,
                "frequency_penalty": 1, "presence_penalty": -0.5, "seed": 7, "stop": "END", "n": 3,
                "reasoning_effort": "low", "response_format": {"type": "json_object"},
            },
            {
                "request.max_tokens": 300, "request.temperature": 0.0, "request.top_p": 0.9, "request.top_k": 40,
                "request.frequency_penalty": 1.0, "request.presence_penalty": -0.5, "request.seed": 7,
                "request.stop_sequences": ["END"], "request.choice.count": 3, "request.reasoning.level": "low",
                "output.type": "json",
            },
        ),
        (
            Surface.COMPLETIONS,
            {"prompt": "hi", "max_tokens": 5, "temperature": 1, "stop": ["a", "b"], "seed": 0, "n": 2},
            {
                "request.max_tokens": 5, "request.temperature": 1.0, "request.stop_sequences": ["a", "b"],
                "request.seed": 0, "request.choice.count": 2,
            },
        ),
        (
            Surface.MESSAGES,
            {
                "messages": TURNS, "max_tokens": 64, "temperature": 0.2, "top_k": 5, "stop_sequences": ["###"],
                "output_config": {"effort": "high"},
            },
            {
                "request.max_tokens": 64, "request.temperature": 0.2, "request.top_k": 5,
                "request.stop_sequences": ["###"], "request.reasoning.level": "high",
            },
        ),
        (
            Surface.RESPONSES,
            {
                "input": "hi", "max_output_tokens": 9, "top_p": 1, "reasoning": {"effort": "minimal"},
                "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
            },
            {
                "request.max_tokens": 9, "request.top_p": 1.0, "request.reasoning.level": "minimal",
                "output.type": "json",
            },
        ),
        (
            Surface.EMBEDDINGS,
            {"input": "hi", "dimensions": 256, "encoding_format": "base64"},
            {"embeddings.dimension.count": 256, "request.encoding_formats": ["base64"]},
        ),
    ],
)  # fmt: skip
def test_tells_what_was_stated(asked: Surface, body: dict[str, Any], attributes: dict[str, Any]) -> None:
    found = told(asked, **body)
    assert found == attributes
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in attributes.items()
    }


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (Surface.CHAT, {"messages": TURNS}),
        (Surface.CHAT, {"messages": TURNS, "n": 1, "stop": [], "temperature": None}),
        (Surface.COMPLETIONS, {"prompt": "hi"}),
        (Surface.RESPONSES, {"input": "hi"}),
        (Surface.EMBEDDINGS, {"input": "hi"}),
        (Surface.RERANK, {"query": "hi", "documents": ["a"]}),
    ],
)
def test_tells_nothing_of_what_was_left_to_others(asked: Surface, body: dict[str, Any]) -> None:
    assert told(asked, **body) == {}


def test_keeps_texts_to_itself_where_they_may_not_be_kept() -> None:
    found = told(Surface.CHAT, texts_allowed=False, messages=TURNS, stop=["Anna:"], seed=1)
    assert found == {"request.seed": 1}


def test_tells_of_endless_stop_sequences_only_so_much() -> None:
    stops = ["x" * 5_000] * 40
    found = told(Surface.MESSAGES, messages=TURNS, max_tokens=1, stop_sequences=stops)
    assert found["request.stop_sequences"] == ["x" * STOP_CHARS] * STOPS
