"""The real `openai` SDK on `/v1/responses`: translated by two wire formats, and untranslated by llama.cpp."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import yaml
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel

from loadtest.faults import Fault
from tests.support.llama import Llama, needs_llama
from tests.support.running_gateway import RunningGateway, running_gateway, until

MODELS = ("sim-pro/pro-1", "sim-claude/claude-sim-mid")
MATH = "What is 12 * 12?"
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
each_format = pytest.mark.parametrize("model", MODELS)


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture
async def client(running: RunningGateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=running.url + "/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def said(model: str) -> str:
    vendor, _, name = model.partition("/")
    return f"12 * 12 = 144.\n— {name} at {vendor}"


def check_order(events: list[ResponseStreamEvent]) -> None:
    """Numbers without a gap, one id, and items that begin before they are spoken of and end before the response."""
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert {event.response.id for event in events if hasattr(event, "response")} == {events[0].response.id}  # type: ignore[union-attr]
    opened: dict[int, str] = {}
    done: dict[int, str] = {}
    for event in events:
        if event.type == "response.output_item.added":
            assert event.output_index == len(opened)
            opened[event.output_index] = event.item.id  # type: ignore[assignment]
        elif event.type == "response.output_item.done":
            done[event.output_index] = event.item.id  # type: ignore[assignment]
        elif hasattr(event, "item_id"):
            assert opened[event.output_index] == event.item_id
            assert event.output_index not in done
    assert done == opened


@each_format
async def test_answers_whole(client: openai.AsyncOpenAI, running: RunningGateway, model: str) -> None:
    reply = await client.responses.create(model=model, input=MATH, instructions="Be brief.", metadata={"a": "b"})
    assert reply.output_text == said(model)
    assert (reply.object, reply.model, reply.status) == ("response", model.partition("/")[2], "completed")
    assert (reply.instructions, reply.metadata, (reply.model_extra or {})["store"]) == ("Be brief.", {"a": "b"}, False)
    billed = running.vendors[model.partition("/")[0]].bill()["by_model"][model.partition("/")[2]]
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (billed["input_tokens"], billed["output_tokens"])
    row = await running.row()
    assert (row["surface"], (reply.usage.model_extra or {})["cost"]) == ("responses", pytest.approx(row["cost_usd"]))


@each_format
async def test_streams_what_it_would_answer_whole(client: openai.AsyncOpenAI, model: str) -> None:
    events = [event async for event in await client.responses.create(model=model, input=MATH, stream=True)]
    check_order(events)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == said(model)
    last = events[-1]
    assert last.type == "response.completed"
    assert (last.response.output_text, last.response.status) == (said(model), "completed")
    assert last.response.usage is not None
    assert last.response.usage.output_tokens > 10


@each_format
async def test_serves_the_streaming_helper(client: openai.AsyncOpenAI, model: str) -> None:
    async with client.responses.stream(model=model, input=MATH) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_response()
    assert final.output_text == said(model)
    assert kinds[-1] == "response.completed"


@each_format
async def test_calls_tools_and_answers_their_results(client: openai.AsyncOpenAI, model: str) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
    reply = await client.responses.create(model=model, input=[asked], tools=[WEATHER])
    call = reply.output[-1]
    assert call.type == "function_call"
    assert (call.name, json.loads(call.arguments), call.status) == ("get_weather", {"city": "Paris"}, "completed")
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny."}
    history: Any = [asked, *(item.model_dump(exclude_none=True) for item in reply.output), result]
    final = await client.responses.create(model=model, input=history, tools=[WEATHER])
    assert final.output_text.startswith("The tool says: Sunny.")


@each_format
async def test_streams_parallel_tool_calls(client: openai.AsyncOpenAI, model: str) -> None:
    asked = "Use get_weather in parallel for Paris and Rome"
    stream = await client.responses.create(model=model, input=asked, tools=[WEATHER], stream=True)
    events = [event async for event in stream]
    check_order(events)
    last = events[-1]
    assert last.type == "response.completed"
    calls = [item for item in last.response.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_weather"]
    assert len({call.call_id for call in calls}) == 2
    told = [event.arguments for event in events if event.type == "response.function_call_arguments.done"]
    assert told == [call.arguments for call in calls]
    assert all("city" in json.loads(arguments) for arguments in told)


@each_format
async def test_fills_a_schema(client: openai.AsyncOpenAI, model: str) -> None:
    reply = await client.responses.parse(model=model, input="Extract: Ada is 36", text_format=Person)
    assert isinstance(reply.output_parsed, Person)


@each_format
async def test_says_where_it_was_cut(client: openai.AsyncOpenAI, model: str) -> None:
    cut = await client.responses.create(model=model, input="Count to 9", max_output_tokens=2)
    assert cut.incomplete_details is not None
    assert (cut.status, cut.incomplete_details.reason, cut.output_text) == ("incomplete", "max_output_tokens", "1 2")


async def test_thinks_aloud_where_the_model_does(client: openai.AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model="pro-thinker", input=MATH, stream=True, reasoning={"effort": "low", "summary": "auto"}
    )
    events = [event async for event in stream]
    check_order(events)
    assert any(event.type == "response.reasoning_summary_text.delta" for event in events)
    last = events[-1]
    assert last.type == "response.completed"
    assert [item.type for item in last.response.output] == ["reasoning", "message"]
    assert last.response.usage is not None
    assert last.response.usage.output_tokens_details.reasoning_tokens


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        ({"previous_response_id": "resp_1"}, openai.BadRequestError, "previous_response_id"),
        ({"conversation": "conv_1"}, openai.BadRequestError, "conversation"),
        ({"background": True}, openai.BadRequestError, "background"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, openai.BadRequestError, "item_reference"),
        ({"tools": [{"type": "web_search"}]}, openai.BadRequestError, "web_search"),
        ({"input": []}, openai.BadRequestError, "input is missing"),
        ({"model": "gpt-9"}, openai.NotFoundError, "gpt-9"),
    ],
)
async def test_refuses_what_nobody_here_can_express(
    client: openai.AsyncOpenAI, asked: dict[str, Any], kind: type[openai.APIStatusError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        await client.responses.create(**{"model": "auto", "input": MATH, **asked})


async def test_refuses_what_refers_to_its_own_answers(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model="auto", input=MATH)
    with pytest.raises(openai.BadRequestError, match="send the conversation in input"):
        await client.responses.create(model="auto", input="Why?", previous_response_id=first.id)
    reference: Any = {"type": "item_reference", "id": first.output[0].id}
    with pytest.raises(openai.BadRequestError, match="store: false"):
        await client.responses.create(model="auto", input=[reference])
    with pytest.raises(openai.NotFoundError, match="not stored here"):
        await client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError, match="not stored here"):
        await client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError, match="not stored here"):
        await client.responses.cancel(first.id)


@pytest.mark.case("A3")
@each_format
async def test_raises_in_the_middle_of_a_stream(
    client: openai.AsyncOpenAI, running: RunningGateway, model: str
) -> None:
    vendor = running.vendors[model.partition("/")[0]]
    await vendor.fault(Fault(error_event_after=3, message="The engine fell over."))
    stream = await client.responses.create(model=model, input=MATH, stream=True)
    numbers: list[int] = []

    async def read() -> None:
        async for event in stream:
            numbers.append(event.sequence_number)  # noqa: PERF401 - kept although it breaks

    with pytest.raises(openai.APIError, match="The engine fell over") as caught:
        await read()
    assert numbers == list(range(len(numbers)))
    assert isinstance(caught.value.body, dict)
    assert (await running.row())["outcome"] == "partial"


async def test_leaves_a_stream_early(client: openai.AsyncOpenAI, running: RunningGateway) -> None:
    await running.vendors["sim-fast"].fault(Fault(stall_after_events=3))
    stream = await client.responses.create(model="sim-fast/open-8b", input=MATH, stream=True)
    async for event in stream:
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    assert (await running.row())["outcome"] == "cancelled"
    await until(lambda: running.gateway.counts.active == 0)


# -- llama.cpp, which has this API itself ------------------------------------------------------------------------------


@pytest.fixture
async def native(chat_server: Llama) -> AsyncIterator[RunningGateway]:
    """One server under three names: asked in both formats, in chat completions alone, in responses alone."""
    both = chat_server.provider()
    providers = {"both": {**both, "also_speaks": ["responses"]}, "chat": both, "only": {**both, "api": "responses"}}
    async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
        yield running


@needs_llama
@pytest.mark.parametrize("provider", ["both", "chat", "only"])
async def test_serves_the_same_by_llama_whoever_translates(native: RunningGateway, provider: str) -> None:
    async with openai.AsyncOpenAI(base_url=native.url + "/v1", api_key="any", max_retries=0) as sdk:
        model = f"{provider}/tiny"
        whole = await sdk.responses.create(model=model, input="hello world", max_output_tokens=16, temperature=0)
        stream = await sdk.responses.create(
            model=model, input="hello world", max_output_tokens=16, temperature=0, stream=True
        )
        events = [event async for event in stream]
        chat = await sdk.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "hello world"}], max_tokens=16, temperature=0
        )
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert whole.output_text == text == chat.choices[0].message.content
    assert (whole.model, text != "") == ("tiny", True)
    assert whole.id.startswith("resp_pm_") == (provider == "chat")  # else the server's own
    rows = [await native.row(number) for number in (1, 2, 3)]
    assert {(row["endpoint"], row["outcome"], row["usage"]["output"]) for row in rows} == {(model, "ok", 16)}
    assert rows[0]["cost_usd"] == pytest.approx((rows[0]["usage"]["input"] + 2 * 16) / 1e6)
