"""What a client did wrong is said with its position, and with what would be right."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.formats import registry
from gateway.formats.surface import BadRequest
from tests.support.formats import USER

CHAT: dict[str, Any] = {"model": "m", "messages": USER}
MESSAGES: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": USER}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def refused(surface: Surface, body: dict[str, Any], headers: dict[str, str] | None = None) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        registry.surface(surface).parse(body, 1, headers or {})
    return caught.value


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def assistant(**message: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", **message}]


@pytest.mark.parametrize(
    ("change", "param", "words"),
    [
        ({"model": None}, "model", "model is missing"),
        ({"model": ""}, "model", "must not be empty"),
        ({"model": 5}, "model", "must be a string, not an integer"),
        ({"messages": None}, "messages", "non-empty array"),
        ({"messages": []}, "messages", "must not be empty"),
        ({"messages": "hi"}, "messages", "must be an array, not a string"),
        ({"messages": ["hi"]}, "messages[0]", "must be an object, not a string"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role", "system, developer, user, assistant, tool; got null"),
        ({"messages": [*USER, {"role": "bot", "content": ""}]}, "messages[1].role", "got 'bot'"),
        ({"messages": user(None)}, "messages[0].content", "content is missing"),
        ({"messages": user(1.5)}, "messages[0].content", "not a number"),
        ({"messages": user(["a"])}, "messages[0].content[0]", "must be an object"),
        ({"messages": user([{"text": "a"}])}, "messages[0].content[0].type", "is missing"),
        ({"messages": user([{"type": "text"}])}, "messages[0].content[0].text", "not null"),
        ({"messages": user([{"type": "image_url"}])}, "messages[0].content[0].image_url", "an object"),
        ({"messages": user([{"type": "input_audio"}])}, "messages[0].content[0].input_audio", "an object"),
        ({"messages": user([{"type": "file", "file": {}}])}, "messages[0].content[0].file.file_data", "is missing"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].tool_call_id", "is missing"),
        ({"messages": assistant(tool_calls=5)}, "messages[0].tool_calls", "must be an array"),
        ({"messages": assistant(tool_calls=[{"id": "c"}])}, "messages[0].tool_calls[0].function", "an object"),
        ({"messages": assistant(tool_calls=[{**CALL, "id": ""}])}, "messages[0].tool_calls[0].id", "empty"),
        ({"messages": assistant(content="a", reasoning_details="x")}, "messages[0].reasoning_details", "an array"),
        ({"messages": [{"role": "user", "content": "a", "name": 5}]}, "messages[0].name", "a string"),
        ({"stream": "yes"}, "stream", "must be true or false, not a string"),
        ({"stream_options": True}, "stream_options", "must be an object, not true or false"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "true or false"),
        ({"max_tokens": 0}, "max_tokens", "positive integer, not 0"),
        ({"max_tokens": True}, "max_tokens", "an integer"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens", "an integer"),
        ({"temperature": "hot"}, "temperature", "a number"),
        ({"temperature": True}, "temperature", "a number"),
        ({"stop": 5}, "stop", "an array"),
        ({"stop": ["a", 5]}, "stop[1]", "a string"),
        ({"tools": {}}, "tools", "an array"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "an object"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
            "tools[0].function.parameters",
            "an object",
        ),
        ({"tool_choice": "maybe"}, "tool_choice", "auto, none, required, any; got 'maybe'"),
        ({"tool_choice": {"type": "function", "function": {}}}, "tool_choice.function.name", "is missing"),
        ({"response_format": {}}, "response_format.type", "is missing"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "an object"),
    ],
)
def test_chat_says_what_is_wrong_and_where(change: dict[str, Any], param: str, words: str) -> None:
    error = refused(Surface.CHAT, {**CHAT, **change})
    assert error.param == param
    assert words in error.message
    assert error.code == "invalid_request"


@pytest.mark.parametrize(
    ("change", "param", "words"),
    [
        ({"model": None}, "model", "is missing"),
        ({"max_tokens": None}, "max_tokens", "is missing"),
        ({"max_tokens": -1}, "max_tokens", "positive integer"),
        ({"messages": None}, "messages", "is missing"),
        ({"messages": []}, "messages", "must not be empty"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role", "user, assistant, system"),
        ({"messages": user(None)}, "messages[0].content", "is missing"),
        ({"messages": user(7)}, "messages[0].content", "content blocks, not an integer"),
        (
            {"messages": user([{"type": "tool_use", "id": "t", "name": "f"}])},
            "messages[0].content[0].input",
            "an object",
        ),
        ({"messages": user([{"type": "tool_result"}])}, "messages[0].content[0].tool_use_id", "is missing"),
        (
            {"messages": user([{"type": "image", "source": {"type": "disk"}}])},
            "messages[0].content[0].source.type",
            "base64, url, file; got 'disk'",
        ),
        (
            {"messages": user([{"type": "document", "source": {"type": "base64"}}])},
            "messages[0].content[0].source.media_type",
            "is missing",
        ),
        ({"system": 5}, "system", "an array"),
        ({"system": [{"type": "text"}]}, "system[0].text", "a string"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema", "an object"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name", "is missing"),
        ({"tool_choice": {"type": "all"}}, "tool_choice.type", "auto, any, none, tool"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens", "is missing"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id", "a string"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema", "an object"),
        ({"stream": 1}, "stream", "true or false"),
    ],
)
def test_messages_says_what_is_wrong_and_where(change: dict[str, Any], param: str, words: str) -> None:
    error = refused(Surface.MESSAGES, {**MESSAGES, **change})
    assert error.param == param
    assert words in error.message


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temperature": 0.5}, "temperature"),
        ({"top_p": 0.5}, "top_p"),
        ({"top_k": 5}, "top_k"),
        ({"messages": assistant(content=[{"type": "document", "source": {}}])}, "messages[0].content[0]"),
        ({"messages": user([{"type": "text", "text": "a", "citations": [{}]}])}, "messages[0].content[0].citations"),
        ({"messages": user(["a"])}, "messages[0].content[0]"),
    ],
)
def test_messages_of_the_newer_version_refuses_what_that_version_refuses(change: dict[str, Any], param: str) -> None:
    newer = {"anthropic-version": "2026-10-21"}
    assert refused(Surface.MESSAGES, {**MESSAGES, **change}, newer).param == param


def test_messages_names_the_versions_it_speaks() -> None:
    error = refused(Surface.MESSAGES, MESSAGES, {"anthropic-version": "2020-01-01"})
    assert "2023-06-01, 2026-10-21; got '2020-01-01'" in error.message


@pytest.mark.parametrize(
    ("surface", "body", "param"),
    [
        (Surface.COMPLETIONS, {"model": "m"}, "prompt"),
        (Surface.COMPLETIONS, {"model": "m", "prompt": []}, "prompt"),
        (Surface.COMPLETIONS, {"model": "m", "prompt": {}}, "prompt"),
        (Surface.COMPLETIONS, {"model": "m", "prompt": ["a", 5]}, "prompt[1]"),
        (Surface.COMPLETIONS, {"model": "m", "prompt": [5, "a"]}, "prompt[1]"),
        (Surface.COMPLETIONS, {"prompt": "a"}, "model"),
        (Surface.EMBEDDINGS, {"model": "m"}, "input"),
        (Surface.EMBEDDINGS, {"model": "m", "input": []}, "input"),
        (Surface.EMBEDDINGS, {"model": "m", "input": {}}, "input"),
        (Surface.EMBEDDINGS, {"model": "m", "input": ["a", None]}, "input[1]"),
        (Surface.EMBEDDINGS, {"model": "m", "input": [True]}, "input[0]"),
        (Surface.EMBEDDINGS, {"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        (Surface.EMBEDDINGS, {"input": "a"}, "model"),
        (Surface.COUNT_TOKENS, {"model": "m"}, "messages"),
    ],
)
def test_other_surfaces_say_where_it_is_wrong(surface: Surface, body: dict[str, Any], param: str) -> None:
    assert refused(surface, body).param == param
