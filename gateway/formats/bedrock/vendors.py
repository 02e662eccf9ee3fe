"""What Converse leaves to each vendor's models: reasoning, top_k and cache points.

Sources: AWS's user guide on Claude's extended thinking, Nova 2's reasoning and gpt-oss; recorded exchanges for Qwen.
"""

from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json
from gateway.formats.anthropic.thinking import asked, is_lost, write_thinking

CACHING = frozenset({"anthropic", "amazon"})  # others refuse a cache point
_VENDORS = frozenset({"anthropic", "amazon", "qwen", "openai"})
_NOVA_EFFORTS = {"low": "low"}  # else medium: "high" forbids a token limit, and we set one
_EFFORTS = {"minimal": "low", "xhigh": "high", "max": "high"}


def vendor(upstream_id: str) -> str:
    """`us.anthropic.claude-…` and `anthropic.claude-…` are both anthropic's; "" for others, and for ARNs."""
    return next((part for part in upstream_id.split(".")[:2] if part in _VENDORS), "")


def vendor_fields(chat: ChatRequest, endpoint: Endpoint, max_tokens: int | None) -> tuple[dict[str, Json], set[str]]:
    """`additionalModelRequestFields`, and what had to be left out."""
    lost: set[str] = set()
    maker = vendor(endpoint.upstream_id)
    fields = _reasoning(chat, endpoint, maker, max_tokens)
    if asked(chat) is not None and not fields:
        lost.add("reasoning")
    if chat.top_k is not None:
        if maker == "anthropic" and "thinking" not in fields:
            fields["top_k"] = chat.top_k
        elif maker == "amazon":
            fields["inferenceConfig"] = {"topK": chat.top_k}
        else:
            lost.add("top_k")
    return fields, lost


def _reasoning(chat: ChatRequest, endpoint: Endpoint, maker: str, max_tokens: int | None) -> dict[str, Json]:
    wanted = asked(chat)
    if maker == "anthropic":
        return {} if is_lost(chat, endpoint) else write_thinking(chat, endpoint, max_tokens or endpoint.max_output or 0)
    if wanted is None or REASONING not in endpoint.caps:
        return {}
    effort = wanted.effort or "medium"
    effort = _EFFORTS.get(effort, effort)
    match maker:
        case "qwen":
            return {"reasoning_config": effort}
        case "openai":
            return {"reasoning_effort": effort}
        case "amazon":
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": _NOVA_EFFORTS.get(effort, "medium")}}
        case _:
            return {}
