"""The real `openai` SDK as a client, against the same and the other wire format."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from loadtest.faults import Fault
from tests.support.running_gateway import RunningGateway, until

MODELS = ("sim-pro/pro-1", "sim-claude/claude-sim-mid")  # the same format, the other one
MATH: list[Any] = [{"role": "user", "content": "What is 12 * 12?"}]
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()
SEES: list[Any] = [
    {"role": "user", "content": [{"type": "text", "text": "What is 2 + 2?"},
                                 {"type": "image_url", "image_url": {"url": PIXEL}}]},
]  # fmt: skip
WEATHER: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
each_format = pytest.mark.parametrize("model", MODELS)


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture
async def client(running: RunningGateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=running.url + "/v1", api_key="any", max_retries=0) as sdk:
        yield sdk


def named(model: str) -> str:
    """How the vendor of `model` signs its answers."""
    vendor, _, name = model.partition("/")
    return f"{name} at {vendor}"


@each_format
async def test_answers_whole(client: openai.AsyncOpenAI, running: RunningGateway, model: str) -> None:
    reply = await client.chat.completions.create(model=model, messages=MATH)
    assert reply.choices[0].message.content == f"12 * 12 = 144.\n— {named(model)}"
    assert (reply.object, reply.model, reply.choices[0].finish_reason) == (
        "chat.completion", model.partition("/")[2], "stop",
    )  # fmt: skip
    assert reply.usage is not None
    billed = running.vendors[model.partition("/")[0]].bill()["by_model"][model.partition("/")[2]]
    used = (reply.usage.prompt_tokens, reply.usage.completion_tokens)
    assert used == (billed["input_tokens"], billed["output_tokens"])
    assert reply.usage.total_tokens == sum(used)
    assert reply.usage.model_extra is not None
    assert reply.usage.model_extra["cost"] > 0


@each_format
async def test_streams_what_it_would_answer_whole(client: openai.AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(model=model, messages=MATH, stream=True)
    chunks = [chunk async for chunk in stream]
    assert all(len(chunk.choices) == 1 for chunk in chunks)  # case D4: no usage that was not asked for
    assert {(chunk.id, chunk.model, chunk.object) for chunk in chunks} == {
        (chunks[0].id, model.partition("/")[2], "chat.completion.chunk"),
    }  # fmt: skip
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == f"12 * 12 = 144.\n— {named(model)}"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]


@each_format
async def test_gives_usage_at_the_end_to_who_asks_for_it(client: openai.AsyncOpenAI, model: str) -> None:
    stream = await client.chat.completions.create(
        model=model, messages=MATH, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    used = [chunk for chunk in chunks if chunk.usage is not None]
    assert [one.choices for one in used] == [[]]
    assert used[0] is chunks[-1]
    assert used[0].usage is not None
    assert (used[0].usage.prompt_tokens, used[0].usage.completion_tokens > 10) == (10, True)


@each_format
async def test_calls_tools_and_answers_their_results(client: openai.AsyncOpenAI, model: str) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
    reply = await client.chat.completions.create(model=model, messages=[asked], tools=[WEATHER])
    call = (reply.choices[0].message.tool_calls or [])[0]
    assert call.type == "function"
    assert (reply.choices[0].finish_reason, call.function.name) == ("tool_calls", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    said: Any = reply.choices[0].message.model_dump(exclude_none=True)
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "Sunny."}
    final = await client.chat.completions.create(model=model, messages=[asked, said, result], tools=[WEATHER])
    assert (final.choices[0].message.content or "").startswith("The tool says: Sunny.")


@pytest.mark.case("E1")
@pytest.mark.case("E8")
@each_format
async def test_streams_parallel_tool_calls(client: openai.AsyncOpenAI, model: str) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather in parallel for Paris and Rome"}
    stream = await client.chat.completions.create(model=model, messages=[asked], tools=[WEATHER], stream=True)
    calls: dict[int, dict[str, str]] = {}
    async for chunk in stream:
        for delta in chunk.choices[0].delta.tool_calls or []:
            call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            assert delta.function is not None
            call["id"] += delta.id or ""
            call["name"] += delta.function.name or ""
            call["arguments"] += delta.function.arguments or ""
    assert sorted(calls) == [0, 1]
    assert [call["name"] for call in calls.values()] == ["get_weather", "get_weather"]
    assert len({call["id"] for call in calls.values()}) == 2
    assert all("city" in json.loads(call["arguments"]) for call in calls.values())


@each_format
async def test_fills_a_schema(client: openai.AsyncOpenAI, model: str) -> None:
    asked: Any = {"role": "user", "content": "Extract: Ada is 36"}
    reply = await client.chat.completions.parse(model=model, messages=[asked], response_format=Person)
    assert isinstance(reply.choices[0].message.parsed, Person)


@each_format
async def test_sees_images(client: openai.AsyncOpenAI, running: RunningGateway, model: str) -> None:
    reply = await client.chat.completions.create(model=model, messages=SEES)
    assert (reply.choices[0].message.content or "").startswith("2 + 2 = 4")
    sent = running.vendors[model.partition("/")[0]].requests()[0]["body"]
    assert base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()[:8] in sent


async def test_sends_images_only_where_they_are_seen(client: openai.AsyncOpenAI) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="auto", messages=SEES)
    assert raw.headers["x-pointsman-endpoint"] in ("sim-claude/claude-sim-mid", "sim-pro/pro-1")


@pytest.mark.case("H4")
@each_format
async def test_stops_where_it_is_told_to(client: openai.AsyncOpenAI, model: str) -> None:
    count: list[Any] = [{"role": "user", "content": "Count to 9"}]
    stopped = await client.chat.completions.create(model=model, messages=count, stop=["4"])
    cut = await client.chat.completions.create(model=model, messages=count, max_completion_tokens=2)
    found = [(one.choices[0].message.content, one.choices[0].finish_reason) for one in (stopped, cut)]
    assert found == [("1 2 3 ", "stop"), ("1 2", "length")]


async def test_embeds_as_the_sdk_asks_by_default(client: openai.AsyncOpenAI, running: RunningGateway) -> None:
    reply = await client.embeddings.create(model="sim-embed-1", input=["hello world", "good bye"])
    assert [len(one.embedding) for one in reply.data] == [256, 256]
    assert '"encoding_format":"base64"' in running.vendors["sim-cheap"].requests()[0]["body"].replace(" ", "")
    assert (reply.model, reply.usage.prompt_tokens) == ("sim-embed-1", 4)
    plain = await client.embeddings.create(model="sim-embed-1", input="hello world", encoding_format="float")
    assert plain.data[0].embedding == pytest.approx(reply.data[0].embedding, abs=1e-6)


async def test_embeds_with_another_provider_of_the_same_model(
    client: openai.AsyncOpenAI, running: RunningGateway
) -> None:
    await running.vendors["sim-cheap"].fault(Fault(status=500))
    raw = await client.embeddings.with_raw_response.create(model="sim-embed-1", input="hello")
    assert raw.headers["x-pointsman-endpoint"] == "sim-fast/sim-embed-1"
    with pytest.raises(openai.BadRequestError, match="name the model"):
        await client.embeddings.create(model="auto", input="hello")


async def test_completes_as_of_old(client: openai.AsyncOpenAI) -> None:
    whole = await client.completions.create(model="open-8b", prompt="Count to 5", max_tokens=40)
    stream = await client.completions.create(model="open-8b", prompt="Count to 5", max_tokens=40, stream=True)
    streamed = "".join([chunk.choices[0].text async for chunk in stream])
    assert (whole.choices[0].text, whole.object) == (streamed, "text_completion")
    assert streamed.startswith("1 2 3 4 5")


async def test_lists_models(client: openai.AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert {"auto", "tier:large", "pro-1", "sim-pro/pro-1"} <= set(names)
    assert (await client.models.retrieve("sim-pro/pro-1")).owned_by == "sim-pro"


async def test_shows_its_decision_in_headers(client: openai.AsyncOpenAI, running: RunningGateway) -> None:
    raw = await client.chat.completions.with_raw_response.create(
        model="auto", messages=MATH, extra_headers={"x-pointsman-tags": "team=a"}, extra_body={"session_id": "s-1"}
    )
    row = await running.row()
    ours = {name: value for name, value in raw.headers.items() if name.startswith("x-pointsman-")}
    cost = ours.pop("x-pointsman-cost")
    assert float(cost) == pytest.approx(row["cost_usd"])
    assert ours == {
        "x-pointsman-decision": row["id"], "x-pointsman-endpoint": row["endpoint"], "x-pointsman-route": "default",
        "x-pointsman-attempts": "1",
    }  # fmt: skip
    assert row["tags"] == {"team": "a"}
    reply = raw.parse()
    assert reply.model == row["endpoint"].partition("/")[2]


async def test_thinks_aloud_where_the_model_does(client: openai.AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="pro-thinker", messages=MATH, reasoning_effort="low")
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert reply.usage.completion_tokens_details.reasoning_tokens
    assert (reply.choices[0].message.model_extra or {})["reasoning_content"]


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "kind", "code"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError, "model_not_found"),
        ({"messages": "hello"}, openai.BadRequestError, "invalid_request"),
        ({"extra_headers": {"x-pointsman-tier": "huge"}}, openai.BadRequestError, "invalid_request"),
        ({"extra_headers": {"x-pointsman-max-cost": "0.0000001"}}, openai.APIStatusError, "cost_limit"),
        (
            {"model": "sim-cheap/open-8b", "extra_headers": {"x-pointsman-sensitivity": "pii"}},
            openai.UnprocessableEntityError,
            "no_eligible_endpoint",
        ),
    ],
)
async def test_raises_what_the_sdks_users_catch(
    client: openai.AsyncOpenAI, asked: dict[str, Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        await client.chat.completions.create(**{"model": "auto", "messages": MATH, **asked})
    assert caught.value.code == code
    assert caught.value.message


@pytest.mark.case("C2")
@pytest.mark.case("L1")
async def test_raises_a_rate_limit_with_the_time_to_wait(
    client: openai.AsyncOpenAI, running: RunningGateway
) -> None:
    await running.vendors["sim-pro"].fault(Fault(status=429, retry_after_s=30, message="Slow down, please."))
    with pytest.raises(openai.RateLimitError, match=r"Slow down, please\.") as caught:
        await client.chat.completions.create(model="sim-pro/pro-1", messages=MATH)
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 30


@pytest.mark.case("L2")
async def test_raises_what_the_provider_refused(client: openai.AsyncOpenAI, running: RunningGateway) -> None:
    message = "Invalid schema for response_format 'x'."
    for vendor in running.vendors.values():
        await vendor.fault(Fault(status=400, message=message, code="invalid_value"))
    with pytest.raises(openai.BadRequestError, match="Invalid schema") as caught:
        await client.chat.completions.create(model="auto", messages=MATH)
    row = await running.row()
    assert (caught.value.code, len(row["attempts"]), row["outcome"]) == ("invalid_value", 1, "rejected")


async def test_is_not_asked_again_by_a_client_that_would_retry(running: RunningGateway) -> None:
    for vendor in running.vendors.values():
        await vendor.fault(Fault(status=500))
    async with openai.AsyncOpenAI(base_url=running.url + "/v1", api_key="any", max_retries=5) as eager:
        with pytest.raises(openai.InternalServerError, match="all attempts failed") as caught:
            await eager.chat.completions.create(model="auto", messages=MATH)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(running.rows.kept) == 1


@pytest.mark.case("A9")
@each_format
async def test_raises_in_the_middle_of_a_stream(
    client: openai.AsyncOpenAI, running: RunningGateway, model: str
) -> None:
    vendor = running.vendors[model.partition("/")[0]]
    await vendor.fault(Fault(error_event_after=3, message="The engine fell over."))
    stream = await client.chat.completions.create(model=model, messages=MATH, stream=True)
    pieces: list[str] = []

    async def read() -> None:
        async for chunk in stream:
            pieces.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 - kept although it breaks

    with pytest.raises(openai.APIError, match="The engine fell over"):
        await read()
    assert "".join(pieces) == "12 * 12"
    assert (await running.row())["outcome"] == "partial"


async def test_leaves_a_stream_early(client: openai.AsyncOpenAI, running: RunningGateway) -> None:
    await running.vendors["sim-fast"].fault(Fault(stall_after_events=3))
    stream = await client.chat.completions.create(model="sim-fast/open-8b", messages=MATH, stream=True)
    async for _ in stream:
        break
    await stream.close()
    assert (await running.row())["outcome"] == "cancelled"
    await until(lambda: running.gateway.counts.active == 0)


# -- the synchronous client --------------------------------------------------------------------------------------------


def _synchronously(url: str, model: str) -> tuple[str | None, str, list[Any], str]:
    with openai.OpenAI(base_url=url + "/v1", api_key="any", max_retries=0) as client:
        whole = client.chat.completions.create(model=model, messages=MATH)
        chunks = list(client.chat.completions.create(model=model, messages=MATH, stream=True))
        asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
        called = client.chat.completions.create(model=model, messages=[asked], tools=[WEATHER])
        try:
            client.chat.completions.create(model="gpt-9", messages=MATH)
        except openai.NotFoundError as error:
            refused = error.message
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return whole.choices[0].message.content, streamed, called.choices[0].message.tool_calls or [], refused


@each_format
async def test_serves_the_synchronous_client(running: RunningGateway, model: str) -> None:
    whole, streamed, calls, refused = await asyncio.to_thread(_synchronously, running.url, model)
    assert whole == streamed == f"12 * 12 = 144.\n— {named(model)}"
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}]
    assert "gpt-9" in refused
