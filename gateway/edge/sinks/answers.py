"""A kept answer as people read it: the JSON of a whole one as it came, the events of a stream as what they told."""

from collections.abc import Sequence
from typing import Any

from gateway.core.ask import Surface
from gateway.core.chat import Json
from gateway.core.decision import Decision
from gateway.edge.genai_messages import messages_out
from gateway.formats import codec


def answer_of(decision: Decision) -> Json:
    """The answer's JSON; of a stream a chat completion, whichever surface it was of; what cannot be read, as its text.

    None where the record has none.
    """
    text = (decision.texts or {}).get("response")
    if not isinstance(text, str):
        return None
    try:
        return codec.loads(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        pass
    told = messages_out(Surface(decision.surface), text)
    [reply] = [{"parts": []}] if told is None else codec.loads(told.encode())
    if not reply["parts"]:
        return text
    return {"choices": [{"index": 0, "message": _message(reply["parts"]), "finish_reason": reply["finish_reason"]}]}


def _message(parts: Sequence[Any]) -> dict[str, Json]:
    message: dict[str, Json] = {
        "role": "assistant",
        "content": "".join(part["content"] for part in parts if part["type"] == "text") or None,
    }
    if thought := "".join(part["content"] for part in parts if part["type"] == "reasoning"):
        message["reasoning_content"] = thought
    if calls := [_call(part) for part in parts if part["type"] == "tool_call"]:
        message["tool_calls"] = calls
    return message


def _call(part: dict[str, Any]) -> dict[str, Json]:
    function = {"name": part["name"], "arguments": codec.dumps(part["arguments"]).decode()}
    return {"id": part["id"], "type": "function", "function": function}
