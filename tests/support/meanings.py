"""One meaning in every wire format's words, and back: what the cross-format properties are stated in.

An answer is a list of pieces: a text, a thought, or a call as name and arguments. A new wire format is one line in
`ANSWERS` (how its upstream streams an answer) and one in `CONVERSATIONS` (what a request of its says).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.core.chat import Image, Media, Message, Text, ToolCall, ToolResult
from gateway.core.usage import Usage
from tests.support import converse, frames, generate_content, responses
from tests.support.formats import (
    block_delta,
    block_start,
    block_stop,
    calls,
    chunk,
    message_end,
    message_start,
    named,
    sse,
)


@dataclass(frozen=True)
class Thought:
    text: str


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: dict[str, Any]

    def cut(self, step: int) -> list[str]:
        text = json.dumps(self.arguments) if self.arguments else ""
        return [text[i : i + step] for i in range(0, len(text), step)]


Piece = str | Thought | Call


def _called(pieces: list[Piece]) -> bool:
    return any(isinstance(piece, Call) for piece in pieces)


def _openai(pieces: list[Piece], step: int, used: Usage) -> bytes:
    chunks: list[Any] = [chunk({"role": "assistant", "content": ""})]
    index = -1
    for piece in pieces:
        match piece:
            case Thought(text):
                chunks.append(chunk({"reasoning_content": text}))
            case Call():
                index += 1
                start = {"index": index, "id": piece.id, "function": {"name": piece.name, "arguments": ""}}
                chunks.append(calls(start))
                chunks.extend(calls({"index": index, "function": {"arguments": part}}) for part in piece.cut(step))
            case _:
                chunks.append(chunk({"content": piece}))
    counted = {"prompt_tokens": used.input, "completion_tokens": used.output, "total_tokens": used.input + used.output}
    last = chunk(finish="tool_calls" if index >= 0 else "stop")
    return sse(*chunks, last, {**chunk(), "choices": [], "usage": counted}, "[DONE]")


def _anthropic(pieces: list[Piece], step: int, used: Usage) -> bytes:
    out: list[Any] = [message_start(input_tokens=used.input)]
    for index, piece in enumerate(pieces):
        match piece:
            case Thought(text):
                out.append(block_start(index, {"type": "thinking", "thinking": "", "signature": ""}))
                out.append(block_delta(index, {"type": "thinking_delta", "thinking": text}))
            case Call():
                block = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
                out.append(block_start(index, block))
                deltas = [{"type": "input_json_delta", "partial_json": part} for part in piece.cut(step)]
                out.extend(block_delta(index, delta) for delta in deltas)
            case _:
                out.append(block_start(index, {"type": "text", "text": ""}))
                out.append(block_delta(index, {"type": "text_delta", "text": piece}))
        out.append(block_stop(index))
    return named(*out, *message_end("tool_use" if _called(pieces) else "end_turn", output_tokens=used.output))


def _responses(pieces: list[Piece], step: int, used: Usage) -> bytes:
    out = responses.begun()
    for place, piece in enumerate(pieces):
        match piece:
            case Thought(text):
                item = {**responses.reasoning(text), "id": f"i{place}"}
                out.append(responses.added(place, {**item, "summary": []}))
                out.append(responses.delta("reasoning_summary_text", place, text, summary_index=0))
                out.append(responses.done(place, item))
            case Call():
                out += responses.called(place, piece.id, piece.name, *piece.cut(step))
            case _:
                out += responses.spoken(place, piece)
    counted = {"input_tokens": used.input, "output_tokens": used.output, "total_tokens": used.input + used.output}
    items = [event["item"] for event in out if event["type"] == "response.output_item.done"]
    return responses.sent(*out, responses.ended(*items, usage=counted))


def _gemini(pieces: list[Piece], step: int, used: Usage) -> bytes:
    out: list[Any] = []
    for piece in pieces:
        match piece:
            case Thought(text):
                part: dict[str, Any] = {"text": text, "thought": True}
            case Call(call_id, name, arguments):
                part = {"functionCall": {"id": call_id, "name": name, "args": arguments}}
            case _:
                part = {"text": piece}
        out.append({"candidates": [{"content": {"role": "model", "parts": [part]}}]})
    counted = {"promptTokenCount": used.input, "candidatesTokenCount": used.output}
    return sse(*out, {"candidates": [{"finishReason": "STOP"}], "usageMetadata": counted})


def _cohere(pieces: list[Piece], step: int, used: Usage) -> bytes:
    out: list[Any] = [{"type": "message-start", "delta": {"message": {"role": "assistant"}}}]
    for index, piece in enumerate(pieces):
        match piece:
            case Thought(text):
                out.append(_cohere_delta("content-delta", index, content={"thinking": text}))
            case Call():
                function = {"name": piece.name, "arguments": ""}
                call = {"id": piece.id, "type": "function", "function": function}
                out.append(_cohere_delta("tool-call-start", index, tool_calls=call))
                parts = [{"function": {"arguments": part}} for part in piece.cut(step)]
                out.extend(_cohere_delta("tool-call-delta", index, tool_calls=part) for part in parts)
            case _:
                out.append(_cohere_delta("content-delta", index, content={"text": piece}))
    counted = {"billed_units": {"input_tokens": used.input, "output_tokens": used.output}}
    finish = "TOOL_CALL" if _called(pieces) else "COMPLETE"
    return named(*out, {"type": "message-end", "delta": {"finish_reason": finish, "usage": counted}})


def _cohere_delta(kind: str, index: int, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


def _bedrock(pieces: list[Piece], step: int, used: Usage) -> bytes:
    out: list[bytes] = []
    for index, piece in enumerate(pieces):
        deltas: list[Any]
        match piece:
            case Thought(text):
                deltas = [{"reasoningContent": {"text": text}}]
            case Call():
                start = {"toolUse": {"toolUseId": piece.id, "name": piece.name}}
                out.append(frames.event("contentBlockStart", {"contentBlockIndex": index, "start": start}))
                deltas = [{"toolUse": {"input": part}} for part in piece.cut(step)]
            case _:
                deltas = [{"text": piece}]
        bodies = [{"contentBlockIndex": index, "delta": delta} for delta in deltas]
        out.extend(frames.event("contentBlockDelta", body) for body in bodies)
    out.append(frames.event("messageStop", {"stopReason": "tool_use" if _called(pieces) else "end_turn"}))
    counted = {"inputTokens": used.input, "outputTokens": used.output}
    return b"".join([*out, frames.event("metadata", {"usage": counted})])


ANSWERS: dict[str, Callable[[list[Piece], int, Usage], bytes]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "responses": _responses,
    "gemini": _gemini,
    "cohere": _cohere,
    "bedrock": _bedrock,
}


def _of_neutral(messages: tuple[Message, ...]) -> list[Any]:
    return [found for message in messages for part in message.parts if (found := _part(message.role.value, part))]


def _part(role: str, part: Any) -> Any:
    match part:
        case Text(text=text):
            return (role, text)
        case Image(data=data) | Media(data=data):
            return (role, "media", data)
        case ToolCall(id=call_id, name=name, arguments=arguments):
            return ("call", call_id, name, json.loads(arguments or "{}"))
        case ToolResult(call_id=call_id, parts=parts):
            return ("result", call_id, "".join(inner.text for inner in parts if isinstance(inner, Text)))
        case _:
            return None


def _read_openai(body: dict[str, Any]) -> list[Any]:
    flat: list[Any] = []
    for message in body["messages"]:
        role, content = message["role"], message.get("content") or ""
        if role == "tool":
            flat.append(("result", message["tool_call_id"], content))
            continue
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            media = part["type"] == "image_url"
            flat.append((role, "media", part["image_url"]["url"].split(",")[1]) if media else (role, part["text"]))
        asked = [(call["id"], call["function"]) for call in message.get("tool_calls") or ()]
        flat.extend(("call", i, function["name"], json.loads(function["arguments"])) for i, function in asked)
    return flat


def _read_anthropic(body: dict[str, Any]) -> list[Any]:
    flat = [("system", block["text"]) for block in body.get("system") or ()]
    for turn in body["messages"]:
        for block in turn["content"]:
            match block["type"]:
                case "text":
                    flat.append((turn["role"], block["text"]))
                case "image":
                    flat.append((turn["role"], "media", block["source"]["data"]))
                case "tool_use":
                    flat.append(("call", block["id"], block["name"], block["input"]))
                case _:
                    text = "".join(inner["text"] for inner in block["content"])
                    flat.append(("result", block["tool_use_id"], text))
    return flat


def _read_responses(body: dict[str, Any]) -> list[Any]:
    flat: list[Any] = [("system", body["instructions"])] if body.get("instructions") else []
    for item in body["input"]:
        match item.get("type", "message"):
            case "function_call":
                flat.append(("call", item["call_id"], item["name"], json.loads(item["arguments"])))
            case "function_call_output":
                output = item["output"]
                text = output if isinstance(output, str) else "".join(part["text"] for part in output)
                flat.append(("result", item["call_id"], text))
            case _:
                content = item["content"]
                role = "system" if item["role"] == "developer" else item["role"]
                for part in [{"text": content}] if isinstance(content, str) else content:
                    media = "image_url" in part
                    flat.append((role, "media", part["image_url"].split(",")[1]) if media else (role, part["text"]))
    return flat


def _read_gemini(body: dict[str, Any]) -> list[Any]:
    chat = generate_content.ask_of(body, stream=False).chat
    assert chat is not None
    flat = _of_neutral(chat.messages)
    return [(*one[:2], json.loads(one[2])["output"]) if one[0] == "result" else one for one in flat]


def _read_bedrock(body: dict[str, Any]) -> list[Any]:
    return _of_neutral(converse.chat_of(body, stream=False).messages)


CONVERSATIONS: dict[str, Callable[[dict[str, Any]], list[Any]]] = {
    "openai": _read_openai,
    "anthropic": _read_anthropic,
    "responses": _read_responses,
    "gemini": _read_gemini,
    "cohere": _read_openai,  # OpenAI's words, as far as the conversation goes
    "bedrock": _read_bedrock,
}
