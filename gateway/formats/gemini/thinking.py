"""Reasoning as Gemini is asked for it: a level from the third generation on, a budget of tokens before.

Sources: google-genai, `types.ThinkingConfig` and `types.ThinkingLevel`; Google's "OpenAI compatibility" for the budgets
of efforts, "Gemini thinking" for the least and the most that each model takes.
"""

import re

from gateway.core.catalog import REASONING, Endpoint
from gateway.core.chat import ChatRequest, Json, Reasoning

_OLDER = re.compile(r"gemini-[12](?![0-9])")
_BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
_LEVELS = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH", "max": "HIGH"}  # not every model: XHIGH
_LEVEL_BUDGETS = ((4_096, "LOW"), (16_384, "MEDIUM"))  # as with OpenAI's efforts
_MOST_SHARE = 0.8  # of the output cap: thoughts count in it, and an answer should follow them


def is_older(endpoint: Endpoint) -> bool:
    """Whether it is of a generation before the third: budgets instead of levels, and no signatures demanded."""
    return _OLDER.search(endpoint.upstream_id) is not None


def write_thinking(chat: ChatRequest, endpoint: Endpoint, max_output: int | None) -> dict[str, Json]:
    """`generationConfig` fields; empty where nothing was said of reasoning, or the model has none."""
    wanted = chat.reasoning
    if wanted is None or REASONING not in endpoint.caps:
        return {}
    if wanted.effort == "none":
        return least_thinking(endpoint)
    config: dict[str, Json] = {"includeThoughts": True}
    if is_older(endpoint):
        budget = _budget(wanted, endpoint, max_output)
        if budget is not None:
            config["thinkingBudget"] = budget
    else:
        level = _level(wanted, endpoint)
        if level is not None:
            config["thinkingLevel"] = level
    return {"thinkingConfig": config}


def least_thinking(endpoint: Endpoint) -> dict[str, Json]:
    """As little as the model can: only Flash of the second generation can do without."""
    if REASONING not in endpoint.caps:
        return {}
    if is_older(endpoint):
        return {"thinkingConfig": {"thinkingBudget": 128 if "pro" in endpoint.upstream_id else 0}}
    return {"thinkingConfig": {"thinkingLevel": _least_level(endpoint)}}


def _least_level(endpoint: Endpoint) -> str:
    return "MINIMAL" if "reasoning_minimal" in endpoint.quirks else "LOW"


def _level(wanted: Reasoning, endpoint: Endpoint) -> str | None:
    if wanted.effort == "minimal":
        return _least_level(endpoint)
    if wanted.effort is not None:
        return _LEVELS[wanted.effort]
    budget = wanted.budget_tokens
    if budget is None:
        return None  # adaptive: the model's own judgement
    return next((level for top, level in _LEVEL_BUDGETS if budget <= top), "HIGH")


def _budget(wanted: Reasoning, endpoint: Endpoint, max_output: int | None) -> int | None:
    """None: the model decides."""
    budget = wanted.budget_tokens
    if budget is None:
        if wanted.effort is None:
            return None
        budget = _BUDGETS[wanted.effort]
        if max_output is not None:
            budget = min(budget, int(_MOST_SHARE * max_output))
    elif max_output is not None:
        budget = min(budget, max_output - 1)
    pro = "pro" in endpoint.upstream_id
    least = 128 if pro else 512 if "lite" in endpoint.upstream_id else 1
    return min(max(budget, least), 32_768 if pro else 24_576)
