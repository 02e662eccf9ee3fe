"""What surfaces read into the neutral form."""

import base64
from typing import Any

import pytest

from gateway.core.ask import EmbedRequest, Surface
from gateway.core.chat import (
    ChatRequest,
    Image,
    Media,
    Message,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolSpec,
)
from tests.support.formats import USER, ask

EPHEMERAL = {"type": "ephemeral"}
TEXT = {"type": "text", "text": "a"}


def chat(surface: Surface = Surface.CHAT, **body: Any) -> ChatRequest:
    read = ask(body, surface).chat
    assert read is not None
    return read


def content(*parts: dict[str, Any]) -> tuple[Any, ...]:
    return chat(messages=[{"role": "user", "content": list(parts)}]).messages[0].parts


def blocks(*parts: dict[str, Any], role: str = "user") -> tuple[Message, ...]:
    return chat(Surface.MESSAGES, messages=[{"role": role, "content": list(parts)}]).messages


def test_chat_reads_every_kind_of_part() -> None:
    assert content(
        {"type": "text", "text": "a", "cache_control": EPHEMERAL},
        {"type": "refusal", "refusal": "b"},
        {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "image_url", "image_url": {"url": "data:text/plain,hi"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "AA=="}},
    ) == (
        Text("a", EPHEMERAL),
        Text("b"),
        Image(url="https://x/y", detail="low"),
        Image(data="AA==", media_type="image/png"),
        Image(url="data:text/plain,hi"),
        Media("audio", "AA==", media_type="audio/wav"),
        Media("file", "AA==", media_type="application/pdf", name="a.pdf"),
        Media("file", "AA==", media_type="application/pdf"),
    )


def test_chat_reads_every_role() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": {"x": 1}}}
    bare = {"id": "c2", "type": "function", "function": {"name": "g"}}
    read = chat(
        messages=[
            {"role": "system", "content": "s"},
            {"role": "developer", "content": "d"},
            {"role": "user", "content": "u", "name": "ann"},
            {"role": "assistant", "content": "a", "refusal": "r", "reasoning_content": "t", "tool_calls": [call, bare]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "1"}]},
            {"role": "tool", "tool_call_id": "c2", "content": None},
            {"role": "assistant", "content": None, "reasoning": "t2", "reasoning_content": ""},
        ]
    )
    assert read.messages == (
        Message(Role.SYSTEM, (Text("s"),)),
        Message(Role.SYSTEM, (Text("d"),)),
        Message(Role.USER, (Text("u"),), "ann"),
        Message(
            Role.ASSISTANT,
            (Thinking("t"), Text("a"), Text("r"), ToolCall("c1", "f", '{"x":1}'), ToolCall("c2", "g", "")),
        ),
        Message(Role.TOOL, (ToolResult("c1", (Text("1"),)),)),
        Message(Role.TOOL, (ToolResult("c2", ()),)),
        Message(Role.ASSISTANT, (Thinking("t2"),)),
    )


def test_chat_reads_reasoning_details() -> None:
    details = [
        {"type": "reasoning.text", "text": "a", "index": 0, "format": "anthropic-claude-v1"},
        {"type": "reasoning.text", "text": "b", "index": 0, "signature": "s", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "x", "index": 0, "format": "anthropic-claude-v1"},
        {"type": "reasoning.text", "text": "y", "index": 0, "format": "anthropic-claude-v1"},
        {"type": "reasoning.text", "text": "z", "index": 1, "format": "anthropic-claude-v1"},
        {"type": "reasoning.summary", "summary": "c", "format": "unknown"},
        {"type": "reasoning.text", "text": "d", "format": "vendor-v9"},
        "odd",
    ]
    (message,) = chat(messages=[{"role": "assistant", "content": None, "reasoning_details": details}]).messages
    assert message.parts == (
        Thinking("ab", "s", format="anthropic"),
        Thinking("", redacted="x", format="anthropic"),
        Thinking("y", format="anthropic"),
        Thinking("z", format="anthropic"),
        Thinking("c"),
        Thinking("d", format="vendor-v9"),
    )


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"max_tokens": 5}, "max_tokens", 5),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", 6),
        ({"stop": "a"}, "stop", ("a",)),
        ({"stop": ["", "a", "b"]}, "stop", ("a", "b")),
        ({"n": 3}, "n", 3),
        ({"logprobs": True}, "logprobs", True),
        ({"stream": True, "stream_options": {"include_usage": True}}, "include_usage", True),
        ({"stream_options": {}}, "include_usage", False),
        ({"tool_choice": "any"}, "tool_choice", ToolChoice("required")),
        ({"tool_choice": "none", "parallel_tool_calls": True}, "tool_choice", ToolChoice("none", parallel=True)),
        ({"parallel_tool_calls": False}, "tool_choice", ToolChoice("auto", parallel=False)),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice", ToolChoice("named", "f")),
        ({"response_format": {"type": "text"}}, "response_format", ResponseFormat("text")),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
            "response_format",
            ResponseFormat("json_schema", "a"),
        ),
        ({"reasoning_effort": "low"}, "reasoning", Reasoning("low")),
        ({"reasoning": {"effort": "high"}}, "reasoning", Reasoning("high")),
        ({"reasoning": {"max_tokens": 9}}, "reasoning", Reasoning(budget_tokens=9)),
        ({"reasoning": {"enabled": True}}, "reasoning", Reasoning("medium")),
        ({"reasoning": {"enabled": False}}, "reasoning", Reasoning("none")),
        ({"reasoning": {"exclude": True}}, "reasoning", None),
        ({"tools": [{"function": {"name": "f"}}]}, "tools", (ToolSpec("f", None, {}),)),
    ],
)
def test_chat_reads_fields(body: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(chat(**body), field) == value


@pytest.mark.parametrize(
    ("body", "unplaced"),
    [
        ({"modalities": ["text"], "store": False, "logit_bias": {}, "service_tier": "auto", "audio": None}, set()),
        (
            {"modalities": ["text", "audio"], "store": True, "web_search_options": {}},
            {"modalities", "store", "web_search_options"},
        ),
        ({"tools": [{"type": "custom", "custom": {}}]}, {"tools[].type=custom"}),
        ({"tool_choice": {"type": "allowed_tools"}}, {"tool_choice.type=allowed_tools"}),
        ({"response_format": {"type": "grammar"}}, {"response_format.type=grammar"}),
        ({"reasoning_effort": "default"}, {"reasoning_effort=default"}),
        ({"messages": [{"role": "function", "name": "f", "content": "1"}]}, {"messages[].role=function"}),
        (
            {"messages": [{"role": "assistant", "function_call": {}, "audio": {"id": "a"}}]},
            {"messages[].function_call", "messages[].audio"},
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]},
            {"tool_calls[].type=custom"},
        ),
        ({"messages": [{"role": "user", "content": [{"type": "video_url"}]}]}, {"content[].type=video_url"}),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, {"file_id"}),
        (
            {"messages": [{"role": "user", "content": [{**TEXT, "prompt_cache_breakpoint": {}}]}]},
            set(),
        ),
        (
            {"messages": [{"role": "user", "content": [{**TEXT, "prompt_cache_breakpoint": {"mode": "explicit"}}]}]},
            {"content[].prompt_cache_breakpoint"},
        ),
    ],
)
def test_chat_names_what_has_no_place(body: dict[str, Any], unplaced: set[str]) -> None:
    assert chat(**body).unplaced == unplaced


def test_messages_reads_every_kind_of_block() -> None:
    assert blocks(
        {"type": "text", "text": "a", "cache_control": EPHEMERAL},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {"type": "image", "source": {"type": "url", "url": "https://x/y"}},
        {
            "type": "document",
            "title": "t",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
        },
        {"type": "document", "source": {"type": "text", "data": "ü"}},
        {"type": "document", "source": {"type": "url", "url": "https://x/z"}},
    ) == (
        Message(
            Role.USER,
            (
                Text("a", EPHEMERAL),
                Image(data="AA==", media_type="image/png"),
                Image(url="https://x/y"),
                Media("file", "AA==", media_type="application/pdf", name="t"),
                Media("file", base64.b64encode("ü".encode()).decode(), media_type="text/plain"),
                Media("file", url="https://x/z", media_type="application/pdf"),
            ),
        ),
    )
    assert blocks(
        {"type": "thinking", "thinking": "a", "signature": "s"},
        {"type": "thinking", "thinking": "b", "signature": ""},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}},
        role="assistant",
    ) == (
        Message(
            Role.ASSISTANT,
            (
                Thinking("a", "s", format="anthropic"),
                Thinking("b"),
                Thinking("", redacted="d", format="anthropic"),
                ToolCall("t", "f", '{"x":1}'),
            ),
        ),
    )


def test_messages_parts_tool_results_from_the_rest() -> None:
    assert blocks(
        {"type": "text", "text": "a"},
        {"type": "tool_result", "tool_use_id": "1", "content": "r", "is_error": True},
        {
            "type": "tool_result",
            "tool_use_id": "2",
            "content": [{"type": "text", "text": "s"}, {"type": "tool_reference"}],
        },
        {"type": "tool_result", "tool_use_id": "3"},
    ) == (
        Message(
            Role.TOOL,
            (ToolResult("1", (Text("r"),), True), ToolResult("2", (Text("s"),)), ToolResult("3", ())),
        ),
        Message(Role.USER, (Text("a"),)),
    )
    assert len(blocks({"type": "tool_result", "tool_use_id": "1"})) == 1


@pytest.mark.parametrize(
    ("system", "first"),
    [
        ("s", Message(Role.SYSTEM, (Text("s"),))),
        ([{"type": "text", "text": "s"}], Message(Role.SYSTEM, (Text("s"),))),
        ("", Message(Role.USER, (Text("hi"),))),
        ([], Message(Role.USER, (Text("hi"),))),
    ],
)
def test_messages_reads_the_system_prompt(system: Any, first: Message) -> None:
    assert chat(Surface.MESSAGES, system=system).messages[0] == first


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"stop_sequences": ["", "a"]}, "stop", ("a",)),
        ({"metadata": {"user_id": "u"}}, "user", "u"),
        ({"thinking": {"type": "disabled"}}, "reasoning", Reasoning("none")),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            "reasoning",
            Reasoning("max", adaptive=True),
        ),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "reasoning", Reasoning(None, 9)),
        ({"output_config": {"effort": "low"}}, "reasoning", Reasoning("low")),
        ({"tool_choice": {"type": "auto"}}, "tool_choice", ToolChoice("auto")),
        (
            {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            "tool_choice",
            ToolChoice("required", parallel=False),
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"a": 1}}}},
            "response_format",
            ResponseFormat("json_schema", "answer", {"a": 1}, True),
        ),
        ({}, "native_headers", (("anthropic-version", "2023-06-01"),)),
    ],
)
def test_messages_reads_fields(body: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(chat(Surface.MESSAGES, **body), field) == value


@pytest.mark.parametrize(
    ("body", "unplaced"),
    [
        ({"container": "c", "service_tier": "auto", "inference_geo": "us"}, {"container", "inference_geo"}),
        (
            {"output_config": {"task_budget": {}, "effort": "huge"}},
            {"output_config.task_budget", "output_config.effort=huge"},
        ),
        ({"output_config": {"format": {"type": "grammar"}}}, {"output_config.format.type=grammar"}),
        ({"thinking": {"type": "deep"}}, {"thinking.type=deep"}),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, {"thinking.display"}),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, {"tools[].type=bash_20250124"}),
        ({"tools": [{"name": "f", "input_schema": {}, "defer_loading": True}]}, {"tools[].defer_loading"}),
        ({"system": [{"type": "tool_addition"}]}, {"content[].type=tool_addition"}),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "citations": [{}]}]}]},
            {"citations"},
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}
                ]
            },
            {"file_id"},
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "document",
                                "citations": {"enabled": True},
                                "source": {"type": "file", "file_id": "f"},
                            },
                            {"type": "document", "context": "c", "source": {"type": "content", "content": []}},
                            {"type": "server_tool_use"},
                        ],
                    }
                ]
            },
            {"citations", "file_id", "document.context", "document.content", "content[].type=server_tool_use"},
        ),
    ],
)
def test_messages_names_what_has_no_place(body: dict[str, Any], unplaced: set[str]) -> None:
    assert chat(Surface.MESSAGES, **body).unplaced == unplaced


def test_messages_takes_both_versions_and_keeps_betas() -> None:
    newer = {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b", "x-other": "c"}
    read = ask({}, Surface.MESSAGES, headers=newer).chat
    assert read is not None
    assert read.native_headers == (("anthropic-version", "2026-10-21"), ("anthropic-beta", "a,b"))
    assistant = [*USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}]
    assert ask({"messages": assistant}, Surface.MESSAGES, headers=newer).model == "model"


def test_counting_needs_no_max_tokens_and_never_streams() -> None:
    counted = ask({"system": "s", "stream": True}, Surface.COUNT_TOKENS)
    assert (counted.surface, counted.stream, counted.survey.max_tokens) == (Surface.COUNT_TOKENS, False, None)


@pytest.mark.parametrize(
    ("prompt", "texts", "unplaced"),
    [
        ("a", ("a",), set()),
        (["a"], ("a",), set()),
        (["a", "b"], ("a", "b"), {"prompt[]"}),
        ([1, 2], (), {"prompt[]"}),
        ([[1, 2], [3]], (), {"prompt[]"}),
    ],
)
def test_completions_reads_prompts(prompt: Any, texts: tuple[str, ...], unplaced: set[str]) -> None:
    read = chat(Surface.COMPLETIONS, prompt=prompt)
    assert read.messages == (Message(Role.USER, tuple(map(Text, texts))),)
    assert read.unplaced == unplaced


@pytest.mark.parametrize(
    ("body", "embed"),
    [
        ({"input": "a"}, EmbedRequest(("a",))),
        ({"input": ["a", "b"], "dimensions": 3, "encoding_format": "base64"}, EmbedRequest(("a", "b"), 0, 3, "base64")),
        ({"input": [1, 2, 3]}, EmbedRequest((), 3)),
        ({"input": [[1, 2], [3], "a"]}, EmbedRequest(("a",), 3)),
    ],
)
def test_embeddings_reads_inputs(body: dict[str, Any], embed: EmbedRequest) -> None:
    read = ask(body, Surface.EMBEDDINGS)
    assert (read.embed, read.chat, read.stream) == (embed, None, False)


def test_asks_keep_the_clients_json_and_its_size() -> None:
    read = ask({"unknown": 1})
    assert (read.body["unknown"], read.bytes, read.model) == (1, 100, "model")
