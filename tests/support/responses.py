"""Responses and their events, as OpenAI sends them."""

import json
from collections.abc import Iterable
from typing import Any

Events = list[dict[str, Any]]
USED = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 29,
}


def response(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": "gpt-5.1-2025-11-13"}
    rest = {"output": list(output), "error": None, "incomplete_details": None, "usage": dict(USED), "vendor": 1}
    return {**head, **rest, **more}


def message(*texts: str, name: str = "msg_1", refusal: str | None = None) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    if refusal is not None:
        content.append({"type": "refusal", "refusal": refusal})
    return {"id": name, "type": "message", "role": "assistant", "status": "completed", "content": content}


def function_call(call_id: str, name: str, arguments: str, item: str = "fc_1") -> dict[str, Any]:
    return {"id": item, "type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def reasoning(*summaries: str, sealed: str | None = None, content: Iterable[str] = ()) -> dict[str, Any]:
    item: dict[str, Any] = {"id": "rs_1", "type": "reasoning"}
    item["summary"] = [{"type": "summary_text", "text": text} for text in summaries]
    if content:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in content]
    return item if sealed is None else {**item, "encrypted_content": sealed}


def begun() -> Events:
    started = response(status="in_progress", usage=None)
    return [{"type": "response.created", "response": started}, {"type": "response.in_progress", "response": started}]


def added(place: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": place, "item": item}


def done(place: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": place, "item": item}


def delta(kind: str, place: int, text: Any, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": place, "item_id": f"i{place}", "delta": text, **more}


def ended(*output: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": response(*output, status=status, **more)}


def spoken(place: int, *texts: str) -> Events:
    """The events of a message."""
    item = message("".join(texts), name=f"msg_{place}")
    pieces = [delta("output_text", place, text, item_id=item["id"]) for text in texts]
    return [added(place, {**item, "content": []}), *pieces, done(place, item)]


def called(place: int, call_id: str, name: str, *arguments: str) -> Events:
    """The events of a tool call."""
    item = function_call(call_id, name, "".join(arguments), f"fc_{place}")
    pieces = [delta("function_call_arguments", place, text, item_id=item["id"]) for text in arguments]
    return [added(place, {**item, "arguments": ""}), *pieces, done(place, item)]


def sent(*events: dict[str, Any]) -> bytes:
    """Events with names and numbers, as they come from upstream."""
    out = b""
    for number, event in enumerate(events):
        numbered = {"type": event["type"], "sequence_number": number, **event}
        out += f"event: {event['type']}\ndata: {json.dumps(numbered, separators=(',', ':'))}\n\n".encode()
    return out


def assembled(events: Iterable[Any]) -> list[dict[str, Any]]:
    """Output items as a client assembles them from the events; fails where these contradict each other."""
    items: dict[int, dict[str, Any]] = {}
    pieces: dict[tuple[int, str], str] = {}
    for number, event in enumerate(events):
        assert event["sequence_number"] == number
        kind, place = event["type"], event.get("output_index")
        if kind == "response.output_item.added":
            assert place == len(items)
            items[place] = event["item"]
        elif kind.endswith(".delta"):
            what = kind.removeprefix("response.").removesuffix(".delta")
            assert items[place]["id"] == event["item_id"]
            pieces[place, what] = pieces.get((place, what), "") + event["delta"]
        elif kind == "response.output_item.done":
            assert items[place]["id"] == event["item"]["id"]
            items[place] = event["item"]
    output = [items[place] for place in sorted(items)]
    for (place, what), text in pieces.items():
        assert text == _texts(output[place], what), (place, what)
    return output


def _texts(item: dict[str, Any], what: str) -> str:
    match what:
        case "function_call_arguments":
            return str(item["arguments"])
        case "reasoning_summary_text":
            return "".join(part["text"] for part in item["summary"])
        case "refusal":
            return "".join(part.get("refusal", "") for part in item["content"])
        case _:
            return "".join(part.get("text", "") for part in item["content"])


def said_in_response(output: Iterable[dict[str, Any]]) -> tuple[str, list[tuple[str, str, Any]]]:
    """Text and calls (id, name, arguments) of output items."""
    text, calls = "", []
    for item in output:
        if item["type"] == "message":
            text += "".join(part.get("text") or "" for part in item["content"])
        elif item["type"] == "function_call":
            calls.append((item["call_id"], item["name"], json.loads(item["arguments"] or "{}")))
    return text, calls
