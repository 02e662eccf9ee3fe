"""Estimates order candidates; bounds keep promises."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import estimate
from gateway.core.ask import Ask, EmbedRequest, Surface, survey_embed
from tests.support.builders import a_body, an_ask


def a_turn(*texts: str, **fields: Any) -> Ask:
    roles = ("user", "assistant")
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return an_ask({"model": "auto", "messages": messages, **fields})


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("x" * 400, 100), ("é" * 300, 200), ("北" * 100, 100)])
def test_counts_the_tokens_of_a_text(text: str, tokens: int) -> None:
    assert estimate.text_tokens(text) == tokens


def test_counts_texts_messages_and_images_as_input() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "x" * 400}, image]
    ask = an_ask({"model": "m", "messages": [{"role": "user", "content": content}]})
    assert estimate.input_tokens(ask) == 100 + 4 + 1_000


def test_counts_texts_and_token_arrays_of_embeddings() -> None:
    embed = EmbedRequest(("x" * 40,), token_inputs=7)
    ask = Ask(Surface.EMBEDDINGS, "m", False, {}, survey_embed(embed), embed=embed)
    assert (estimate.input_tokens(ask), estimate.output_tokens(ask, "chat")) == (17, 0)


def test_counts_at_least_one_message() -> None:
    assert estimate.input_tokens(Ask(Surface.CHAT, "m", False, {}, survey_embed(EmbedRequest(())))) == 4


@pytest.mark.parametrize("text", ["x" * 4_000, "é" * 3_000, "Short"])
def test_counts_the_first_request_of_a_conversation_on_every_later_turn_as_it_was_counted_then(text: str) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "d" * 4_000, "parameters": {}}}]
    first = estimate.input_tokens(a_turn(text, tools=tools))
    later = [estimate.opening_tokens(a_turn(text, *["more" * 50] * 2 * n, tools=tools)) for n in range(1, 5)]
    assert all(abs(tokens - first) <= 4 for tokens in later)


@pytest.mark.parametrize(
    ("fields", "task", "tokens"),
    [
        ({}, "code", 700),
        ({}, "poetry", 300),
        ({"max_tokens": 10}, "code", 10),
        ({"reasoning_effort": "high"}, "code", 2_200),
        ({"n": 3, "max_tokens": 10}, "code", 30),
    ],
)
def test_expects_what_the_task_usually_takes_within_the_clients_limit(
    fields: dict[str, Any], task: str, tokens: int
) -> None:
    assert estimate.output_tokens(an_ask(**fields), task) == tokens


def test_expects_an_answer_also_where_there_is_no_conversation() -> None:
    assert estimate.output_tokens(Ask(Surface.CHAT, "m", False, {}, survey_embed(EmbedRequest(()))), "code") == 700


def with_part(part: dict[str, Any]) -> Ask:
    return an_ask({"model": "m", "messages": [{"role": "user", "content": [part]}]})


@pytest.mark.parametrize(
    ("part", "images"),
    [
        ({"type": "text", "text": "x"}, 0),
        ({"type": "image_url", "image_url": {"url": "https://x.test/y.png"}}, 1),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, 0),
    ],
)
def test_bounds_the_input_by_its_bytes_and_images(part: dict[str, Any], images: int) -> None:
    ask = with_part(part)
    assert estimate.input_bound(ask) == ask.bytes + 2_000 + 50_000 * images


@pytest.mark.parametrize(
    "file", [{"file_id": "f1"}, {"file_data": "data:application/pdf;base64,AA==", "filename": "x.pdf"}]
)
def test_knows_no_bound_for_a_file(file: dict[str, Any]) -> None:
    assert estimate.input_bound(with_part({"type": "file", "file": file})) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"service_tier": "priority"},
        {"web_search_options": {}},
        {"prediction": {"type": "content", "content": "x"}},
        {"tools": [{"type": "web_search"}]},
    ],
)
def test_knows_no_bound_where_a_field_changes_what_is_charged(fields: dict[str, Any]) -> None:
    assert estimate.input_bound(an_ask(a_body(**fields))) is None


@pytest.mark.parametrize(
    "fields", [{"service_tier": "auto"}, {"metadata": {"a": "b"}}, {"tools": [{"type": "custom", "custom": {}}]}]
)
def test_bounds_a_request_whose_other_fields_cost_nothing(fields: dict[str, Any]) -> None:
    assert estimate.input_bound(an_ask(a_body(**fields))) is not None


@given(st.text(max_size=300), st.text(max_size=100))
def test_never_bounds_below_the_bytes_of_the_text(text: str, name: str) -> None:
    body = a_body(text, tools=[{"type": "function", "function": {"name": "f", "description": name}}])
    bound = estimate.input_bound(an_ask(body))
    whole = json.dumps([text, name], ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert bound is not None
    assert bound >= len(whole)
