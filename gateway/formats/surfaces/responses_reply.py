"""OpenAI responses: answers of other wire formats, written as the client expects them.

An answer says `store: false`, whatever was asked, since nothing is kept of it. Ids bear a mark by which a later request
that refers to one is told so.
"""

from collections.abc import Mapping

from gateway.core.chat import ChatReply, FinishReason, Json, Text, Thinking, ToolCall
from gateway.core.usage import Usage
from gateway.formats import codec
from gateway.formats.sealed_reasoning import seal
from gateway.formats.surface import ClientError, Ending, Identity
from gateway.formats.surfaces.responses_items import MARK

Item = dict[str, Json]

# Asked for, and said again in the answer; the second word is what happens where nothing is asked.
_ECHOED: Mapping[str, Json] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
_INCOMPLETE = {FinishReason.LENGTH: "max_output_tokens", FinishReason.CONTENT_FILTER: "content_filter"}


def write_usage(usage: Usage, cost_usd: float | None) -> dict[str, Json]:
    """As OpenAI counts: input includes what was cached, output includes reasoning."""
    shown: dict[str, Json] = {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached_input, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
    if cost_usd is not None:
        shown["cost"] = cost_usd
    return shown


def write_error(error: ClientError) -> dict[str, Json]:
    """One event of a stream. `error` repeats it, since some SDKs look there and others beside it."""
    inner: dict[str, Json] = {"type": error.type, "code": error.code, "message": error.message, "param": error.param}
    if error.extra:
        inner["metadata"] = dict(error.extra)
    told = {"code": error.code, "message": error.message, "param": error.param}
    return {"type": "error", **told, "sequence_number": error.place, "error": inner}


def item_id(identity: Identity, prefix: str, place: int) -> str:
    """Stable: the same item has it in every event of its stream."""
    return f"{prefix}_{MARK}{identity.id}_{place}"


def head(identity: Identity, asked: Mapping[str, Json]) -> dict[str, Json]:
    """A response that has only begun."""
    echoed = {key: usual if asked.get(key) is None else asked[key] for key, usual in _ECHOED.items()}
    reasoning = asked.get("reasoning") or {}
    return {
        "id": f"resp_{MARK}{identity.id}",
        "object": "response",
        "created_at": identity.created_s,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": identity.model,
        "output": [],
        "previous_response_id": None,
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "store": False,
        **echoed,
        "usage": None,
    }


def ended(begun: dict[str, Json], output: list[Item], refused: bool, ending: Ending) -> dict[str, Json]:
    """The response at its end; a model's own words of refusal complete it, a filter's cut does not."""
    reason = _INCOMPLETE.get(ending.finish)
    if ending.finish is FinishReason.REFUSAL and not refused:
        reason = "content_filter"
    status = "completed" if reason is None else "incomplete"
    if reason is not None and output and "status" in output[-1]:
        output[-1]["status"] = status
    return {
        **begun,
        "status": status,
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "usage": None if ending.usage is None else write_usage(ending.usage, ending.cost_usd),
    }


def message_item(name: str, content: list[Item]) -> Item:
    return {"id": name, "type": "message", "status": "completed", "role": "assistant", "content": content}


def text_part(text: str) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(text: str) -> Item:
    return {"type": "refusal", "refusal": text}


def reasoning_item(name: str, part: Thinking) -> Item:
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    item: Item = {"id": name, "type": "reasoning", "summary": summary}
    sealed = seal(part)
    if sealed is not None:
        item["encrypted_content"] = sealed
    return item


def call_item(name: str, call: ToolCall) -> Item:
    arguments = call.arguments or "{}"  # cases.md E7
    item = {"id": name, "type": "function_call", "status": "completed", "call_id": call.id, "name": call.name}
    return {**item, "arguments": arguments}


def write_reply(asked: Mapping[str, Json], reply: ChatReply, ending: Ending) -> bytes:
    identity = Identity(reply.id, reply.created_s or 0, reply.model)
    output: list[Item] = []
    content: list[Item] | None = None  # of the message that is being written
    for part in reply.parts:
        if isinstance(part, Text):
            if content is None:
                content = []
                output.append(message_item(item_id(identity, "msg", len(output)), content))
            content.append(text_part(part.text))
            continue
        content = None
        if isinstance(part, Thinking):
            output.append(reasoning_item(item_id(identity, "rs", len(output)), part))
        else:
            assert isinstance(part, ToolCall), "answers hold nothing else"
            output.append(call_item(item_id(identity, "fc", len(output)), part))
    if reply.refusal:
        output.append(message_item(item_id(identity, "msg", len(output)), [refusal_part(reply.refusal)]))
    return codec.dumps(ended(head(identity, asked), output, bool(reply.refusal), ending))
