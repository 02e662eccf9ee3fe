"""The survey draws from a conversation what routing reads, once."""

import pytest

from gateway.core.ask import (
    APART,
    SHORT_TEXT,
    EmbedRequest,
    Surface,
    Survey,
    survey_chat,
    survey_embed,
    texts_of,
)
from gateway.core.catalog import AUDIO, JSON_SCHEMA, PDF, TOOLS, VISION, Operation
from gateway.core.chat import (
    ChatRequest,
    Image,
    Media,
    Message,
    Reasoning,
    ResponseFormat,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    ToolSpec,
)
from tests.support.builders import a_user_message, an_ask


def surveyed(*messages: Message, **fields: object) -> Survey:
    return survey_chat(ChatRequest(messages=messages, **fields))  # type: ignore[arg-type]


def test_draws_the_facts_of_a_plain_conversation() -> None:
    survey = surveyed(
        Message(Role.SYSTEM, (Text("Be brief."),)),
        a_user_message("What is SSE?"),
        Message(Role.ASSISTANT, (Text("A format."),)),
        a_user_message("Of what?"),
        max_tokens=50,
    )
    assert survey == Survey(
        prompt="Of what?",
        opening="What is SSE?",
        repeated=("Be brief.", "What is SSE?"),
        turns=1,
        texts=("Be brief.", "What is SSE?", "A format.", "Of what?"),
        chars=38,
        images=0,
        media=0,
        remote=False,
        needs=frozenset(),
        prefix_hash=survey.prefix_hash,
        signed_by=frozenset(),
        max_tokens=50,
        reasoning=False,
    )


def test_joins_the_texts_of_the_last_user_message() -> None:
    survey = surveyed(Message(Role.USER, (Text("Look:"), Image(url="http://x/y.png"), Text("what is it?"))))
    assert survey.prompt == "Look:\nwhat is it?"


def test_reads_an_earlier_message_where_the_last_one_has_no_text() -> None:
    survey = surveyed(a_user_message("Describe it"), Message(Role.USER, (Image(data="AA=="),)))
    assert survey.prompt == "Describe it"


def test_survives_a_conversation_without_a_user() -> None:
    survey = surveyed(Message(Role.ASSISTANT, (ToolCall("1", "f", "{}"),)))
    assert (survey.prompt, survey.opening, survey.repeated) == ("", "", ())


@pytest.mark.parametrize(
    ("part", "needs", "remote"),
    [
        (Image(url="http://x/y.png"), {VISION}, True),
        (Image(data="AA=="), {VISION}, False),
        (Media("audio", data="AA=="), {AUDIO}, False),
        (Media("file", data="AA=="), {PDF}, False),
        (Media("file", file_id="f1"), {PDF}, True),
    ],
)
def test_says_what_a_part_needs_and_that_nobody_can_read_it(part: Image | Media, needs: set[str], remote: bool) -> None:
    survey = surveyed(Message(Role.USER, (part,)))
    assert (survey.needs, survey.remote, survey.unreadable) == (needs, remote, True)


def test_looks_into_the_results_of_tools() -> None:
    result = ToolResult("1", (Text("12 degrees"), Image(data="AA==")))
    survey = surveyed(a_user_message("Weather?"), Message(Role.TOOL, (result,)))
    assert (survey.images, survey.texts) == (1, ("Weather?", "12 degrees"))


def test_counts_tool_specifications_and_schemas_as_text_that_every_turn_repeats() -> None:
    tools = surveyed(
        a_user_message("Hello"),
        tools=(ToolSpec("find", "finds", {"type": "object"}),),
        response_format=ResponseFormat("json_schema", schema={"type": "object"}),
    )
    assert tools.needs == {TOOLS, JSON_SCHEMA}
    assert tools.texts[1:] == ("find finds {'type': 'object'}", "{'type': 'object'}")
    assert tools.repeated == tools.texts


def test_needs_no_schema_for_a_mere_json_object() -> None:
    assert surveyed(a_user_message("Hello"), response_format=ResponseFormat("json_object")).needs == frozenset()


@pytest.mark.parametrize(
    ("thinking", "bound"),
    [
        (Thinking("hm", signature="s", format="anthropic"), {"anthropic"}),
        (Thinking("", redacted="x", format="anthropic"), {"anthropic"}),
        (Thinking("hm", signature="s"), set()),
        (Thinking("hm", format="anthropic"), set()),
    ],
)
def test_is_bound_by_signed_reasoning_alone(thinking: Thinking, bound: set[str]) -> None:
    assert surveyed(Message(Role.ASSISTANT, (thinking,))).signed_by == bound


@pytest.mark.parametrize(
    ("reasoning", "wanted"), [(None, False), (Reasoning("none"), False), (Reasoning("low"), True), (Reasoning(), True)]
)
def test_knows_whether_reasoning_is_asked_for(reasoning: Reasoning | None, wanted: bool) -> None:
    assert surveyed(a_user_message("Hello"), reasoning=reasoning).reasoning is wanted


def test_names_a_conversation_by_its_opening() -> None:
    first = surveyed(a_user_message("Hello"))
    later = surveyed(a_user_message("Hello"), Message(Role.ASSISTANT, (Text("Hi"),)), a_user_message("And now?"))
    other = surveyed(a_user_message("Good evening"))
    assert first.prefix_hash == later.prefix_hash != other.prefix_hash


def test_names_a_conversation_with_half_an_emoji() -> None:
    assert surveyed(a_user_message("\ud83d")).prefix_hash


def test_surveys_embeddings() -> None:
    survey = survey_embed(EmbedRequest(("one", "three"), token_inputs=10))
    assert (survey.prompt, survey.texts, survey.chars) == ("one", ("one", "three"), 48)
    assert survey_embed(EmbedRequest((), token_inputs=10)).prompt == ""


@pytest.mark.parametrize("surface", list(Surface))
def test_says_what_an_endpoint_must_be_able_to_do(surface: Surface) -> None:
    others = {
        Surface.EMBEDDINGS: Operation.EMBEDDINGS,
        Surface.RERANK: Operation.RERANK,
        Surface.MODERATIONS: Operation.MODERATION,
        Surface.IMAGES: Operation.IMAGE,
        Surface.SPEECH: Operation.SPEECH,
        Surface.TRANSCRIPTIONS: Operation.TRANSCRIPTION,
        Surface.TRANSLATIONS: Operation.TRANSCRIPTION,
    }
    assert surface.operation is others.get(surface, Operation.CHAT)


def test_knows_whether_the_client_wants_usage_in_its_stream() -> None:
    asked = an_ask(stream=True, stream_options={"include_usage": True})
    embed = an_ask({"model": "m", "input": "x"}, Surface.EMBEDDINGS)
    assert (asked.include_usage, an_ask(stream=True).include_usage, embed.include_usage) == (True, False, False)


def test_finds_every_text_of_a_body_wherever_it_stands() -> None:
    long = "x" * SHORT_TEXT
    body = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": long}], "name": "jane@example.com"}],
        "metadata": {"555-12-3456": None, "ok": True},
        "card": 4111111111111111,
        "n": 2,
        "temperature": 0.5,
    }
    whole = APART.join(sorted({"4111111111111111", "555-12-3456", "content", "jane@example.com", "messages",
                               "metadata", "temperature"}))  # fmt: skip
    assert texts_of(body) == [long, whole]


def test_finds_nothing_where_nothing_stands() -> None:
    assert texts_of({}) == []
    assert texts_of([True, None, 1.5, 12, "short"]) == []
