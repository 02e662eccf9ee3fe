from typing import Any

import pytest

from gateway.core.catalog import Endpoint
from gateway.core.chat import ChatRequest, Message, Reasoning, Role, Text, ToolChoice, ToolResult
from gateway.formats.anthropic.thinking import is_lost, write_thinking
from tests.support.formats import endpoint

BUDGET = endpoint("anthropic", caps=("reasoning",))
ADAPTIVE = endpoint("anthropic", caps=("reasoning",), quirks=frozenset({"adaptive_thinking"}))
PLAIN = endpoint("anthropic", caps=())


def chat(reasoning: Reasoning | None, **more: Any) -> ChatRequest:
    return ChatRequest((Message(Role.USER, (Text("hi"),)),), reasoning=reasoning, **more)


@pytest.mark.parametrize(
    ("at", "reasoning", "written"),
    [
        (BUDGET, None, {}),
        (BUDGET, Reasoning("none"), {}),
        (ADAPTIVE, None, {}),
        (ADAPTIVE, Reasoning("none"), {"thinking": {"type": "disabled"}}),
        (PLAIN, Reasoning("high"), {}),
        (BUDGET, Reasoning("minimal"), {"thinking": {"type": "enabled", "budget_tokens": 1_024}}),
        (BUDGET, Reasoning("medium"), {"thinking": {"type": "enabled", "budget_tokens": 5_000}}),
        (BUDGET, Reasoning("max"), {"thinking": {"type": "enabled", "budget_tokens": 9_500}}),
        (BUDGET, Reasoning(adaptive=True), {"thinking": {"type": "enabled", "budget_tokens": 5_000}}),
        (BUDGET, Reasoning(budget_tokens=50_000), {"thinking": {"type": "enabled", "budget_tokens": 9_999}}),
        (ADAPTIVE, Reasoning(adaptive=True), {"thinking": {"type": "adaptive"}}),
        (ADAPTIVE, Reasoning("xhigh"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}),
        (ADAPTIVE, Reasoning(None, 4_000), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (ADAPTIVE, Reasoning(None, 9_000), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}),
        (ADAPTIVE, Reasoning(None, 32_000), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
    ],
)
def test_asks_for_the_reasoning_that_was_meant(
    at: Endpoint, reasoning: Reasoning | None, written: dict[str, Any]
) -> None:
    assert write_thinking(chat(reasoning), at, 10_000) == written


def test_finds_no_room_under_the_least_budget() -> None:
    assert write_thinking(chat(Reasoning("high")), BUDGET, 1_024) == {}


@pytest.mark.parametrize("mode", ["required", "named"])
def test_loses_reasoning_to_a_forced_tool(mode: str) -> None:
    assert is_lost(chat(Reasoning("high"), tool_choice=ToolChoice(mode, "f")), ADAPTIVE)
    assert not is_lost(chat(Reasoning("high"), tool_choice=ToolChoice("auto")), ADAPTIVE)


def test_loses_reasoning_where_results_have_no_calls() -> None:
    orphan = ChatRequest((Message(Role.TOOL, (ToolResult("1", ()),)),), reasoning=Reasoning("high"))
    assert is_lost(orphan, BUDGET)
    assert not is_lost(orphan, ADAPTIVE)
