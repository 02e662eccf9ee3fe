"""What may differ between recorded traffic in Anthropic's format and what the neutral form made of it."""

from typing import Any

from tests.support.normal import Rule, at, everywhere, without


def _text_blocks(value: Any) -> Any:
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


def _as_blocks(path: str) -> Any:
    return at(path, _text_blocks)


def _joined(turns: Any) -> Any:
    found: list[dict[str, Any]] = []
    for turn in turns:
        if found and found[-1]["role"] == turn["role"]:
            found[-1] = {**found[-1], "content": [*found[-1]["content"], *turn["content"]]}
        else:
            found.append(turn)
    return found


def _system_first(value: Any) -> Any:
    turns = [turn for turn in value["messages"] if turn["role"] != "system"]
    moved = [block for turn in value["messages"] if turn["role"] == "system" for block in turn["content"]]
    return {**value, "system": [*value.get("system", ()), *moved], "messages": turns} if moved else value


def _unforced(value: Any) -> Any:
    forced = (value.get("tool_choice") or {}).get("type") in ("any", "tool")
    return {key: one for key, one in value.items() if key != "thinking"} if forced else value


def _with_effort(value: Any) -> Any:
    """What `output_config.effort` alone means to us."""
    if (value.get("output_config") or {}).get("effort") and "thinking" not in value:
        return {**value, "thinking": {"type": "adaptive"}}
    return value


def _no_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if one is not None}


REQUESTS = (
    Rule("stream: false", "a whole answer is what is given without it", [without("stream", False)]),
    Rule("texts as blocks", "a string is a block of text", [
        _as_blocks("system"), _as_blocks("messages[].content"), _as_blocks("messages[].content[].content")]),
    Rule("system texts in the middle", "most models take them only at the top", [_system_first]),
    Rule("turns of one side", "the API joins them itself; results of calls must stand in one turn", [
        at("messages", _joined)]),
    Rule("is_error: false", "the default", [without("messages[].content[].is_error", False)]),
    Rule("empty descriptions of tools", "said as none (cases.md H9)", [without("tools[].description", "")]),
    Rule("effort alone", "it asks for thinking, as the effort of every other surface does", [_with_effort]),
    Rule(
        "thinking with a forced tool",
        "documented as refused, so left out and named in x-pointsman-dropped; this recording shows Opus 4.6 taking it",
        [_unforced],
    ),
    Rule("hints", "named in x-pointsman-dropped: no other format has them", [
        without("cache_control"), without("tools[].defer_loading"), without("thinking.display")]),
)  # fmt: skip


def _own_blocks(content: Any) -> Any:
    return [block for block in content if block["type"] in ("text", "thinking", "redacted_thinking", "tool_use")]


def _texts_joined(content: Any) -> Any:
    found: list[dict[str, Any]] = []
    for block in content:
        if found and block.keys() == found[-1].keys() == {"type", "text"}:
            found[-1] = {**block, "text": found[-1]["text"] + block["text"]}
        else:
            found.append(block)
    return found


_HOST = ("service_tier", "inference_geo", "iterations", "server_tool_use", "cache_creation")

ANSWERS = (
    Rule("null fields", "null says nothing", [everywhere(_no_nulls, ("input",))]),
    Rule("notes of the host", "about how it was served; only clients of the same format get them", [
        without("container"), without("context_management"), *(without(f"usage.{one}") for one in _HOST)]),
    Rule("zero thinking tokens", "zero says nothing", [
        without("usage.output_tokens_details", {"thinking_tokens": 0})]),
    Rule("who called", "a call by the model itself is every call of other formats", [
        without("content[].caller", {"type": "direct"})]),
    Rule("blocks of tools that ran there", "only a client of the same format can ask for them", [
        at("content", _own_blocks)]),
    Rule("citations", "quotes of documents and searches; only clients of the same format get them", [
        without("content[].citations")]),
    Rule("neighbouring texts", "one text in pieces; the pieces were for citations", [at("content", _texts_joined)]),
)  # fmt: skip
