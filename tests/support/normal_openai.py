"""What may differ between recorded traffic in OpenAI's chat format and what the neutral form made of it."""

from typing import Any

from tests.support.normal import Rule, at, everywhere, renamed, saying, without

_FREE = ("parameters", "schema", "arguments")  # the client's own JSON


def _no_nulls(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if one is not None}


def _texts_joined(message: Any) -> Any:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [part for part in content if part.get("type") != "text" or part.get("text")]
    if all(part.get("type") == "text" for part in kept) and len(kept) < 2:
        return {**message, "content": "".join(part["text"] for part in kept)}
    return {**message, "content": kept}


def _with_types(value: Any) -> Any:
    tools = [{"type": "function", **tool} for tool in value["tools"]] if value.get("tools") else value.get("tools")
    return value if tools is None else {**value, "tools": tools}


def _effort(value: Any) -> Any:
    """OpenRouter's `reasoning` as `reasoning_effort`."""
    asked = value.get("reasoning")
    if not isinstance(asked, dict):
        return value
    effort = asked.get("effort") or ("medium" if asked.get("enabled") else "none")
    return {**{key: one for key, one in value.items() if key != "reasoning"}, "reasoning_effort": effort}


def _one_name(message: Any) -> Any:
    thought = message.get("reasoning_content") or message.get("reasoning")
    kept = {key: one for key, one in message.items() if key not in ("reasoning_content", "reasoning")}
    return {**kept, "reasoning_content": thought} if thought else kept


REQUESTS = (
    Rule("null fields", "null asks for nothing", [everywhere(_no_nulls, _FREE)]),
    Rule("n: 1", "one answer is what is given without it", [without("n", 1)]),
    Rule("stream: false", "a whole answer is what is given without it", [without("stream", False)]),
    Rule("empty lists of tools", "no tools either way", [without("tools", []), without("messages[].tool_calls", [])]),
    Rule("stream_options", "the gateway asks for usage itself, for each stream", [without("stream_options")]),
    Rule(
        "max_completion_tokens", "the spelling is the endpoint's, by its quirks",
        [renamed("max_completion_tokens", "max_tokens")],
    ),
    Rule("role developer", "OpenAI's newer word for system", [saying("messages[].role", {"developer": "system"})]),
    Rule("empty descriptions of tools", "some servers refuse them (cases.md H9)", [
        without("tools[].function.description", "")]),
    Rule("types of tools", "Mistral's clients leave out that a tool is a function", [_with_types]),
    Rule("numbers of tool calls", "Mistral's clients number calls; order says the same", [
        without("messages[].tool_calls[].index")]),
    Rule("tool_choice: any", "Mistral's word for required", [saying("tool_choice", {"any": "required"})]),
    Rule("prefix: false", "Mistral's default", [without("messages[].prefix", False)]),
    Rule("empty texts", "an empty text says nothing, and some servers refuse it (cases.md H1)", [
        at("messages[]", _texts_joined), without("messages[].content", "")]),
    Rule("reasoning", "OpenRouter's object asks what reasoning_effort asks", [_effort]),
    Rule("hints to caches", "named in x-pointsman-dropped: no other format has them", [
        without("prompt_cache_key"), without("prompt_cache_options"),
        without("messages[].content[].prompt_cache_breakpoint")]),
)  # fmt: skip

# Of answers. What is about the model's own work (texts, calls, reasoning, how it ended, what it used) is compared.
_HOST = (
    "service_tier", "system_fingerprint", "provider", "request_id", "time_info", "usage_breakdown", "x_groq", "metrics",
    "prompt_filter_results", "prompt", "moderation",
    "choices[].native_finish_reason", "choices[].seed", "choices[].content_filter_results",
)  # fmt: skip
_FINER = (
    "accepted_prediction_tokens", "audio_tokens", "rejected_prediction_tokens", "text_tokens", "image_tokens",
    "video_tokens",
)  # fmt: skip
_TIMES = ("completion_time", "prompt_time", "queue_time", "total_time")


def _said(message: Any) -> Any:
    return {key: one for key, one in message.items() if one not in (None, [], "")}


def _typed_parts(message: Any) -> Any:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    thought = "".join(piece["text"] for part in content if part["type"] == "thinking" for piece in part["thinking"])
    said = "".join(part["text"] for part in content if part["type"] == "text")
    return {**message, "content": said, **({"reasoning_content": thought} if thought else {})}


def _details(message: Any) -> Any:
    """Reasoning as its texts and signatures, wherever the message has it."""
    found = message.get("reasoning_details")
    kept = {key: one for key, one in message.items() if key != "reasoning_details"}
    if not found:
        return kept
    texts = "".join(one.get("text") or one.get("summary") or "" for one in found)
    signed = [one.get("signature") or one.get("data") for one in found if one.get("signature") or one.get("data")]
    return {**kept, **({"reasoning_content": texts} if texts else {}), **({"signed": signed} if signed else {})}


def _cached(usage: Any) -> Any:
    """Cached and reasoning tokens in OpenAI's places; zeros say nothing."""
    prompt = {key: one for key, one in (usage.get("prompt_tokens_details") or {}).items() if one}
    output = {key: one for key, one in (usage.get("completion_tokens_details") or {}).items() if one}
    cached = usage.get("num_cached_tokens") or usage.get("cached_tokens") or usage.get("prompt_cache_hit_tokens")
    if cached:
        prompt["cached_tokens"] = cached
    gone = ("num_cached_tokens", "cached_tokens", "prompt_cache_hit_tokens", "prompt_cache_miss_tokens")
    kept = {key: one for key, one in usage.items() if key not in gone}
    return {**kept, "prompt_tokens_details": prompt, "completion_tokens_details": output}


def _hidden(usage: Any) -> Any:
    hidden = usage["total_tokens"] - usage["prompt_tokens"] - usage["completion_tokens"]
    if hidden <= 0:
        return usage
    details = {**usage.get("completion_tokens_details", {}), "reasoning_tokens": hidden}
    return {**usage, "completion_tokens": usage["completion_tokens"] + hidden, "completion_tokens_details": details}


def _finished(choice: Any) -> Any:
    reason = choice.get("finish_reason") or "stop"
    calls = choice["message"].get("tool_calls")
    return {**choice, "finish_reason": "tool_calls" if reason == "stop" and calls else reason}


ANSWERS = (
    Rule("null fields", "null says nothing", [everywhere(_no_nulls, _FREE)]),
    Rule("empty fields of messages", "an empty text or list says nothing", [
        at("choices[].message", _said), without("choices[].logprobs", {}),
        without("choices[].message.function_call", {"arguments": "", "name": ""})]),
    Rule("created", "the gateway's clock", [without("created")]),
    Rule("missing ids", "the gateway's own where the answer or a call has none", [
        without("id", "", "reply-1"), without("choices[].message.tool_calls[].id", "", "call_reply-1_0")]),
    Rule("notes of the host", "about how it was served; only clients of the same format get them", [
        without(path) for path in _HOST]),
    Rule("times in usage", "about how it was served", [without(f"usage.{one}") for one in _TIMES]),
    Rule("finer counts", "kinds of tokens that no price tells apart", [
        *(without(f"usage.prompt_tokens_details.{one}") for one in _FINER),
        *(without(f"usage.completion_tokens_details.{one}") for one in _FINER)]),
    Rule("places of counts", "cached tokens have four names; zeros say nothing", [at("usage", _cached)]),
    Rule("counts beside the completion", "Google's compatible endpoint leaves reasoning out of the completion", [
        at("usage", _hidden)]),
    Rule("costs of the host", "recorded beside ours (provider_cost_usd); proof 3 compares them", [
        without("usage.cost"), without("usage.cost_details"), without("usage.is_byok"),
        without("usage.server_tool_use_details")]),
    Rule("places of reasoning", "reasoning, reasoning_content, typed parts and details say the same", [
        at("choices[].message", _typed_parts), at("choices[].message", _one_name),
        at("choices[].message", _details)]),
    Rule("annotations", "quotes of the host's own search; only clients of the same format get them", [
        without("choices[].message.annotations"), without("choices[].message.executed_tools")]),
    Rule("sound", "only a client of the same format can ask for it", [without("choices[].message.audio")]),
    Rule("Google's signatures", "its native format carries them", [
        without("choices[].message.thought_signature"), without("choices[].message.extra_content"),
        without("choices[].message.tool_calls[].extra_content")]),
    Rule("types and numbers of calls", "Mistral leaves out the type and counts", [
        without("choices[].message.tool_calls[].type", "function"), without("choices[].message.tool_calls[].index"),
        without("choices[].message.tool_calls[].custom", {"input": "", "name": ""})]),
    Rule("calls without arguments", "an empty object (cases.md E7)", [
        at("choices[].message.tool_calls[].function", lambda one: {"arguments": "{}", **one})]),
    Rule("finish reasons", "an answer that is whole has stopped; with a call, it stopped for it (cases.md G1)", [
        at("choices[]", _finished)]),
)  # fmt: skip
