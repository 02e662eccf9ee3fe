"""Reasoning as Anthropic is asked for it: a thinking budget, or an effort on models that decide themselves.

Shares of the output cap per effort are OpenRouter's documented ones; 1,024 is the API's least budget.
"""

from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, Reasoning, Role, Thinking, ToolCall

LEAST_BUDGET = 1_024
_SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8, "xhigh": 0.95, "max": 0.95}
_MOST_BUDGET = 32_000
_EFFORTS = {"minimal": "low"}  # the API knows no lower one


def asked(chat: ChatRequest) -> Reasoning | None:
    """The reasoning wanted; None where none is wanted."""
    wanted = chat.reasoning
    return None if wanted is None or wanted.effort == "none" else wanted


def is_lost(chat: ChatRequest, endpoint: Endpoint) -> bool:
    """Whether reasoning was asked for and cannot be had.

    The API refuses thinking with a forced tool, and (with a budget) in a tool loop whose calls came without thinking.
    """
    if asked(chat) is None:
        return False
    forced = chat.tool_choice is not None and chat.tool_choice.mode in ("required", "named")
    if REASONING not in endpoint.caps or forced:
        return True
    return "adaptive_thinking" not in endpoint.quirks and _in_bare_tool_loop(chat)


def write_thinking(chat: ChatRequest, endpoint: Endpoint, max_tokens: int) -> dict[str, Json]:
    """Fields for the body; empty where reasoning is not asked for, cannot be had, or finds no room."""
    wanted = asked(chat)
    adaptive = "adaptive_thinking" in endpoint.quirks
    if wanted is None:
        off = adaptive and chat.reasoning is not None
        return {"thinking": {"type": "disabled"}} if off else {}
    if is_lost(chat, endpoint):
        return {}
    if adaptive:
        effort = wanted.effort or _effort_of(wanted.budget_tokens)
        fields: dict[str, Json] = {"thinking": {"type": "adaptive"}}
        if effort is not None:
            fields["output_config"] = {"effort": _EFFORTS.get(effort, effort)}
        return fields
    budget = wanted.budget_tokens or int(_SHARES[wanted.effort or "medium"] * max_tokens)
    budget = min(max(budget, LEAST_BUDGET), _MOST_BUDGET if wanted.budget_tokens is None else budget, max_tokens - 1)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget >= LEAST_BUDGET else {}


def _effort_of(budget: int | None) -> str | None:
    if budget is None:
        return None
    return "low" if budget <= 4_096 else "medium" if budget <= 16_384 else "high"


def _in_bare_tool_loop(chat: ChatRequest) -> bool:
    """Whether the conversation ends in tool results whose calls came without signed thinking."""
    if chat.messages[-1].role is not Role.TOOL:
        return False
    for message in reversed(chat.messages):
        if message.role is Role.ASSISTANT and any(isinstance(part, ToolCall) for part in message.parts):
            return not any(isinstance(part, Thinking) and (part.signature or part.redacted) for part in message.parts)
    return True
