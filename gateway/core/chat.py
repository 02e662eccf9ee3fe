"""The neutral form of a conversation: what every surface is read into and every wire format is written from.

Hub and spoke: with N surfaces and M wire formats there are N + M translations. The form holds what any of them can
say. Whatever a client sends that this form has no place for is named in `ChatRequest.unplaced`, so that an endpoint
of another wire format is excluded by that name rather than served a request that lost something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.core.value import Value

Json = Any  # a parsed JSON value


class Role(StrEnum):
    SYSTEM = "system"  # also OpenAI's `developer`
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"  # holds ToolResult parts only


class Text(Value):
    text: str
    cache: Mapping[str, Json] | None = None  # Anthropic's cache_control, kept for endpoints that know it


class Image(Value):
    """An image by URL or by value; the gateway never fetches the URL."""

    url: str | None = None
    data: str | None = None  # base64
    media_type: str | None = None
    detail: str | None = None
    cache: Mapping[str, Json] | None = None


class Media(Value):
    """Audio or a file (PDF), by value, by URL or by the provider's file id (which binds it to that wire format)."""

    kind: str  # "audio" | "file"
    data: str | None = None  # base64
    url: str | None = None
    file_id: str | None = None
    media_type: str | None = None
    name: str | None = None
    cache: Mapping[str, Json] | None = None


class Thinking(Value):
    """Reasoning shown by a model. A signature binds it to the wire format (and provider) that signed it."""

    text: str
    signature: str | None = None
    redacted: str | None = None  # Anthropic's redacted_thinking data
    format: str | None = None  # the wire format that signed, e.g. "anthropic"


class ToolCall(Value):
    id: str
    name: str
    arguments: str  # JSON text as the model wrote it; "" means {}
    cache: Mapping[str, Json] | None = None


class ToolResult(Value):
    call_id: str
    parts: tuple["Text | Image | Media", ...]
    is_error: bool = False
    cache: Mapping[str, Json] | None = None


Part = Text | Image | Media | Thinking | ToolCall | ToolResult


class Message(Value):
    role: Role
    parts: tuple[Part, ...]
    name: str | None = None


class ToolSpec(Value):
    name: str
    description: str | None
    parameters: Mapping[str, Json]  # JSON Schema
    strict: bool | None = None
    cache: Mapping[str, Json] | None = None


class ToolChoice(Value):
    mode: str  # "auto" | "none" | "required" | "named"
    name: str | None = None
    parallel: bool | None = None  # None: the provider's default


class ResponseFormat(Value):
    kind: str  # "text" | "json_object" | "json_schema"
    name: str | None = None
    schema: Mapping[str, Json] | None = None
    strict: bool | None = None
    description: str | None = None


class Reasoning(Value):
    effort: str | None = None  # none|minimal|low|medium|high|xhigh|max
    budget_tokens: int | None = None
    adaptive: bool = False


class ChatRequest(Value):
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    response_format: ResponseFormat | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    n: int = 1
    logprobs: bool = False
    stream: bool = False
    include_usage: bool = False  # the client asked for usage in its stream (chat surface); others always have it
    bare: bool = False  # no field but messages, max_tokens and stream was given
    unplaced: frozenset[str] = frozenset()  # fields and parts with no place here, by the name the client used
    offered: frozenset[str] = frozenset()  # as `unplaced`, but only offered to the model: it can do without, if it must
    native_headers: tuple[tuple[str, str], ...] = ()  # go along where the endpoint speaks the client's own wire format


class FinishReason(StrEnum):
    STOP = "stop"
    STOP_SEQUENCE = "stop_sequence"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"
    PAUSE = "pause_turn"


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A whole answer. `model` is what the upstream called itself."""

    id: str
    model: str
    parts: tuple[Part, ...]  # Thinking, Text, ToolCall in the order they came
    finish: FinishReason
    stop_sequence: str | None = None
    refusal: str | None = None
    created_s: int | None = None
    extra: Mapping[str, Json] = field(default_factory=dict)
