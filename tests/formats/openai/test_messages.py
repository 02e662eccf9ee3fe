from gateway.core.chat import Image, Json, Media, Message, Part, Role, Text, Thinking, ToolCall, ToolResult
from gateway.formats.openai.messages import message_fields, write_messages


def said(parts: tuple[Part, ...], *quirks: str) -> dict[str, Json]:
    (message,) = write_messages([Message(Role.ASSISTANT, parts)], frozenset(quirks))
    return message


def test_gives_reasoning_back_where_the_server_reads_it() -> None:
    parts: tuple[Part, ...] = (Thinking("Hm."), Text("a"))
    head = {"role": "assistant", "content": "a"}
    assert said(parts) == {**head, "reasoning_content": "Hm."}
    assert said(parts, "thoughts_in_reasoning", "reasoning_details") == {**head, "reasoning": "Hm."}
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    assert said(parts, "thoughts_in_content")["content"] == [thinking, {"type": "text", "text": "a"}]
    call = ToolCall("c", "f", "{}")
    assert said((Thinking("Hm."), call), "thoughts_in_content")["content"] == [thinking]


def test_gives_signed_reasoning_back_in_details() -> None:
    parts: tuple[Part, ...] = (Thinking("Hm.", "S", format="anthropic"), Thinking("", redacted="R"), Text("a"))
    assert said(parts, "reasoning_details")["reasoning_details"] == [
        {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, "text": "Hm.", "signature": "S"},
        {"type": "reasoning.encrypted", "data": "R", "format": "unknown", "index": 1},
    ]


def test_writes_every_part_it_can_say() -> None:
    parts = (
        Text("a"),
        Text(""),
        Image(url="https://x/y", detail="low"),
        Image(data="AA==", media_type="image/png"),
        Media("audio", "AA==", media_type="audio/mp3"),
        Media("audio", "AA=="),
        Media("file", "w7w=", media_type="text/plain"),
        Media("file", "AA==", media_type="application/pdf"),
        Thinking("no user thinks aloud"),
    )
    assert write_messages([Message(Role.USER, parts, "ann")]) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                {"type": "text", "text": "ü"},
                {
                    "type": "file",
                    "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,AA=="},
                },
            ],
            "name": "ann",
        }
    ]


def test_writes_one_message_for_each_tool_result_and_none_for_nothing() -> None:
    history = [
        Message(Role.SYSTEM, (Text(""),)),
        Message(Role.ASSISTANT, (Thinking("t"), Text("a"), ToolCall("1", "f", "")), "bot"),
        Message(Role.TOOL, (ToolResult("1", (Text("b"), Text("c"))), ToolResult("2", ()))),
        Message(Role.ASSISTANT, (Thinking("only"),)),
    ]
    function = {"name": "f", "arguments": "{}"}
    assert write_messages(history) == [
        {
            "role": "assistant",
            "content": "a",
            "reasoning_content": "t",
            "tool_calls": [{"id": "1", "type": "function", "function": function}],
            "name": "bot",
        },
        {"role": "tool", "tool_call_id": "1", "content": "bc"},
        {"role": "tool", "tool_call_id": "2", "content": ""},
    ]


def test_names_what_cannot_be_said() -> None:
    parts = (Image(url="https://x/y"), Media("file", url="https://x/z"), ToolResult("1", (Text("a"), Image(data="A"))))
    message = Message(Role.USER, parts)
    assert message_fields([message], frozenset()) == {"file_url", "tool_result.media"}
    assert message_fields([message], frozenset({"no_image_url"})) == {"image_url", "file_url", "tool_result.media"}
