"""What may differ between recorded traffic of OpenAI's responses and what the neutral form made of it."""

from typing import Any

from tests.support.normal import Edit, Rule, at, saying, without

_TEXTS = ("input_text", "output_text", "text")


def _instructions(value: Any) -> Any:
    kept = {key: one for key, one in value.items() if key != "instructions"}
    if value.get("instructions"):
        kept["input"] = [{"role": "system", "content": value["instructions"]}, *value["input"]]
    return kept


def _parts(content: Any) -> Any:
    return [{"type": "input_text", "text": content}] if isinstance(content, str) else content


def _one_kind(content: Any) -> Any:
    return [{**part, "type": "text"} if part["type"] in _TEXTS else part for part in content]


def _said(content: Any) -> Any:
    """Without texts that say nothing."""
    return [part for part in content if part.get("text") != ""]


def _contents(edit: Edit) -> list[Edit]:
    """Of messages and of results."""

    def within(item: Any) -> Any:
        name = "output" if item.get("type") == "function_call_output" else "content"
        is_text = name == "output" or "role" in item
        return {**item, name: edit(item[name])} if is_text and name in item else item

    return [at("input[]", within)]


def _joined(items: Any) -> Any:
    found: list[Any] = []
    for item in items:
        if item.get("role") == "assistant" and found and found[-1].get("role") == "assistant":
            found[-1] = {**found[-1], "content": [*found[-1]["content"], *item["content"]]}
        elif "role" not in item or item["content"]:
            found.append(item)
    return found


def _reasoning(items: Any) -> Any:
    """Reasoning as its sealed and its readable part; what was never sealed cannot go back."""
    found = []
    for item in items:
        if item.get("type") != "reasoning":
            found.append(item)
        elif item.get("encrypted_content"):
            shown = "\n\n".join(part["text"] for part in item.get("content") or item["summary"])
            found.append({"sealed": item["encrypted_content"], "text": shown})
    return found


def _tool(tool: Any) -> Any:
    kept = {key: one for key, one in tool.items() if one not in (None, "")}
    return {**kept, "strict": bool(tool.get("strict"))}


def _empty(value: Any) -> Any:
    return {key: one for key, one in value.items() if one not in (None, {}, [], False)}


REQUESTS = (
    Rule("instructions", "a system message at the top", [_instructions]),
    Rule("types of messages", "an item with a role is a message", [without("input[].type", "message")]),
    Rule("names and states of items", "of the server that keeps them; we keep nothing", [
        without("input[].id"), without("input[].status"), without("input[].phase")]),
    Rule("contents as parts", "a string is one part of text", _contents(_parts)),
    Rule("types of texts", "input_text, output_text and text are told apart by who speaks", _contents(_one_kind)),
    Rule("empty texts", "an empty text says nothing, and some servers refuse it (cases.md H3)", _contents(_said)),
    Rule("annotations of texts", "quotes that the model itself was not given", [
        without("input[].content[].annotations"), without("input[].content[].logprobs")]),
    Rule("turns of one side", "neighbouring messages of the model are one", [at("input", _joined)]),
    Rule("reasoning", "what was not encrypted cannot go back; of two readable parts one is enough", [
        at("input", _reasoning)]),
    Rule("defaults of tools", "not strict and without a description, where nothing is said", [at("tools[]", _tool)]),
    Rule("what we say ourselves", "nothing is stored, and reasoning comes encrypted", [
        without("store"), without("include")]),
    Rule("hints", "named in x-pointsman-dropped: no other format has them", [
        without(name) for name in (
            "prompt_cache_key", "prompt_cache_options", "service_tier", "truncation", "metadata",
            "text.verbosity", "context_management",
        )]),
    Rule("the wish for a summary", "other formats show what they show of reasoning", [
        without("reasoning.summary"), without("reasoning.generate_summary")]),
    Rule("empty fields", "nothing is asked by them", [at("text", _empty), at("reasoning", _empty), _empty]),
)  # fmt: skip


def _own_items(items: Any) -> Any:
    return [item for item in items if item["type"] in ("message", "reasoning", "function_call")]


def _readable(items: Any) -> Any:
    """Reasoning as one readable text, and what is sealed; none where there is neither."""
    found = []
    for item in items:
        if item["type"] == "reasoning":
            shown = "".join(part["text"] for part in item.get("content") or ())
            shown = shown or "\n\n".join(part["text"] for part in item["summary"])
            item = {"type": "reasoning", "text": shown, "sealed": item.get("encrypted_content")}
            if not shown and not item["sealed"]:
                continue
        found.append(item)
    return found


def _counted(usage: Any) -> Any:
    return None if usage is None or not usage["total_tokens"] else usage


_ANSWERED = ("object", "status", "model", "output", "error", "incomplete_details", "usage")


def _answered(value: Any) -> Any:
    return {key: one for key, one in value.items() if key in _ANSWERED}


ANSWERS = (
    Rule("what was asked, and notes of the host", "what the client said itself; how it was served", [_answered]),
    Rule("ids of items", "ours, since the provider's are of no use elsewhere", [without("output[].id")]),
    Rule("states and phases of items", "an item of a whole answer is whole", [
        without("output[].status"), without("output[].phase")]),
    Rule("items of tools that ran there", "only a client of the same format can ask for them", [
        at("output", _own_items)]),
    Rule("annotations and logprobs", "only clients of the same format get them", [
        without("output[].content[].annotations"), without("output[].content[].logprobs")]),
    Rule("readable reasoning", "summaries and contents say it in one text or several", [at("output", _readable)]),
    Rule("whole answers that wait", "an answer in the background is asked for again by its id, at its provider alone", [
        saying("status", {"queued": "completed", "complete": "completed"})]),
    Rule("uncounted usage", "zeros are no count", [at("usage", _counted)]),
    Rule("cache_write_tokens: 0", "OpenAI's newer field", [
        without("usage.input_tokens_details.cache_write_tokens", 0)]),
    Rule("costs of the host", "recorded beside ours; proof 3 compares them", [
        without("usage.cost"), without("usage.cost_details"), without("usage.is_byok")]),
)  # fmt: skip
