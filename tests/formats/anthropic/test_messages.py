from gateway.core.chat import Media, Message, Role, Text, ToolChoice, ToolResult
from gateway.formats.anthropic.messages import write_messages
from gateway.formats.anthropic.request import _tool_choice

EPHEMERAL = {"type": "ephemeral"}


def test_marks_failed_results_and_keeps_their_cache_points() -> None:
    result = ToolResult("1", (Text("no"),), is_error=True, cache=EPHEMERAL)
    _, turns = write_messages([Message(Role.TOOL, (result,))])
    block = {
        "type": "tool_result",
        "tool_use_id": "1",
        "content": [{"type": "text", "text": "no"}],
        "is_error": True,
        "cache_control": EPHEMERAL,
    }
    assert turns == [{"role": "user", "content": [block]}]


def test_puts_the_results_of_a_turn_first() -> None:
    messages = [Message(Role.USER, (Text("a"),)), Message(Role.TOOL, (ToolResult("1", ()), ToolResult("2", ())))]
    _, (turn,) = write_messages(messages)
    assert [block["type"] for block in turn["content"]] == ["tool_result", "tool_result", "text"]


def test_writes_documents_without_data_as_empty_text() -> None:
    _, turns = write_messages([Message(Role.USER, (Media("file", media_type="text/plain"),))])
    source = {"type": "text", "media_type": "text/plain", "data": ""}
    assert turns == [{"role": "user", "content": [{"type": "document", "source": source}]}]


def test_writes_tool_choices() -> None:
    assert _tool_choice(ToolChoice("none", parallel=False)) == {"type": "none"}
    assert _tool_choice(ToolChoice("required")) == {"type": "any"}
    assert _tool_choice(ToolChoice("named", "f", True)) == {
        "type": "tool",
        "name": "f",
        "disable_parallel_tool_use": False,
    }
