"""The real `anthropic` SDK as a client, against the same and the other wire format."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest

from loadtest.faults import Fault
from tests.support.running_gateway import RunningGateway

MODELS = ("sim-claude/claude-sim-mid", "sim-pro/pro-1")  # the same format, the other one
MATH: list[Any] = [{"role": "user", "content": "What is 12 * 12?"}]
WEATHER: Any = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 40).decode()
each_format = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
async def client(running: RunningGateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=running.url, api_key="any", max_retries=0) as sdk:
        yield sdk


def named(model: str) -> str:
    vendor, _, name = model.partition("/")
    return f"{name} at {vendor}"


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@each_format
async def test_answers_whole(client: anthropic.AsyncAnthropic, running: RunningGateway, model: str) -> None:
    reply = await client.messages.create(model=model, max_tokens=100, messages=MATH, system="Be brief.")
    assert text_of(reply) == f"12 * 12 = 144.\n— {named(model)}"
    assert (reply.type, reply.role, reply.model, reply.stop_reason) == (
        "message", "assistant", model.partition("/")[2], "end_turn",
    )  # fmt: skip
    billed = running.vendors[model.partition("/")[0]].bill()["by_model"][model.partition("/")[2]]
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (billed["input_tokens"], billed["output_tokens"])
    assert (reply.usage.model_extra or {})["cost"] > 0


@each_format
async def test_streams_what_it_would_answer_whole(client: anthropic.AsyncAnthropic, model: str) -> None:
    async with client.messages.stream(model=model, max_tokens=100, messages=MATH) as stream:
        kinds = [event.type async for event in stream]
        final = await stream.get_final_message()
    assert text_of(final) == f"12 * 12 = 144.\n— {named(model)}"
    assert (final.stop_reason, final.usage.input_tokens, final.usage.output_tokens > 10) == ("end_turn", 10, True)
    assert (kinds[0], kinds[-1], kinds.count("message_start")) == ("message_start", "message_stop", 1)


@each_format
async def test_calls_tools_and_answers_their_results(client: anthropic.AsyncAnthropic, model: str) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
    reply = await client.messages.create(model=model, max_tokens=100, messages=[asked], tools=[WEATHER])
    call = reply.content[-1]
    assert call.type == "tool_use"
    assert (reply.stop_reason, call.name, call.input) == ("tool_use", "get_weather", {"city": "Paris"})
    said: Any = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in reply.content]}
    result: Any = {
        "role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}],
    }  # fmt: skip
    final = await client.messages.create(
        model=model, max_tokens=100, messages=[asked, said, result], tools=[WEATHER]
    )
    assert text_of(final).startswith("The tool says: Sunny.")


@pytest.mark.case("E6")
@each_format
async def test_streams_parallel_tool_calls(client: anthropic.AsyncAnthropic, model: str) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather in parallel for Paris and Rome"}
    async with client.messages.stream(model=model, max_tokens=200, messages=[asked], tools=[WEATHER]) as stream:
        final = await stream.get_final_message()
    calls = [block for block in final.content if block.type == "tool_use"]
    assert ([call.name for call in calls], final.stop_reason) == (["get_weather", "get_weather"], "tool_use")
    assert len({call.id for call in calls}) == 2
    assert all("city" in dict(call.input) for call in calls)  # type: ignore[call-overload]  # an object


@pytest.mark.case("H6")
async def test_carries_signed_thinking_through_a_tool_round(
    client: anthropic.AsyncAnthropic, running: RunningGateway
) -> None:
    asked: Any = {"role": "user", "content": "Use get_weather for Paris"}
    options: Any = {
        "model": "claude-sim-large", "max_tokens": 3_000, "tools": [WEATHER],
        "thinking": {"type": "enabled", "budget_tokens": 1_024},
    }  # fmt: skip
    async with client.messages.stream(messages=[asked], **options) as stream:
        first = await stream.get_final_message()
    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    blocks = [block.model_dump(exclude_none=True) for block in first.content]
    call = first.content[1]
    assert call.type == "tool_use"
    history: list[Any] = [
        asked,
        {"role": "assistant", "content": blocks},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}]},
    ]
    raw = await client.messages.with_raw_response.create(messages=history, **options)
    assert raw.headers["x-pointsman-endpoint"] == "sim-claude/claude-sim-large"
    sent = running.vendors["sim-claude"].requests()[-1]["body"]
    assert f'"signature":"{blocks[0]["signature"]}"' in sent.replace('": "', '":"')


@each_format
async def test_fills_a_schema(client: anthropic.AsyncAnthropic, model: str) -> None:
    schema = {
        "type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"],
        "additionalProperties": False,
    }  # fmt: skip
    extra = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    asked: list[Any] = [{"role": "user", "content": "Extract: Ada is 36"}]
    reply = await client.messages.create(model=model, max_tokens=100, messages=asked, extra_body=extra)
    assert '"age"' in text_of(reply)


@each_format
async def test_sees_images(client: anthropic.AsyncAnthropic, running: RunningGateway, model: str) -> None:
    image: Any = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    asked: list[Any] = [{"role": "user", "content": [image, {"type": "text", "text": "What is 2 + 2?"}]}]
    reply = await client.messages.create(model=model, max_tokens=100, messages=asked)
    assert text_of(reply).startswith("2 + 2 = 4")
    assert PIXEL in running.vendors[model.partition("/")[0]].requests()[0]["body"]


@pytest.mark.case("H4")
@each_format
async def test_stops_where_it_is_told_to(client: anthropic.AsyncAnthropic, model: str) -> None:
    count: list[Any] = [{"role": "user", "content": "Count to 9"}]
    stopped = await client.messages.create(model=model, max_tokens=100, messages=count, stop_sequences=["4"])
    cut = await client.messages.create(model=model, max_tokens=2, messages=count)
    assert [(text_of(one), one.stop_reason) for one in (stopped, cut)][1] == ("1 2", "max_tokens")
    assert text_of(stopped) == "1 2 3 "


@each_format
async def test_counts_tokens(client: anthropic.AsyncAnthropic, running: RunningGateway, model: str) -> None:
    raw = await client.messages.with_raw_response.count_tokens(model=model, messages=MATH)
    row = await running.row()
    by = model if model.startswith("sim-claude") else "pointsman/estimate"
    assert (raw.headers["x-pointsman-endpoint"], row["cost_usd"], row["status"]) == (by, 0.0, 200)
    assert 5 <= (await raw.parse()).input_tokens <= 40


async def test_reads_what_a_prompt_cache_saved(client: anthropic.AsyncAnthropic, running: RunningGateway) -> None:
    system: list[Any] = [{"type": "text", "text": "rule " * 128, "cache_control": {"type": "ephemeral"}}]
    used = [
        (await client.messages.create(model="claude-sim-mid", max_tokens=5, system=system, messages=MATH)).usage
        for _ in range(2)
    ]
    found = [(one.cache_creation_input_tokens, one.cache_read_input_tokens) for one in used]
    assert found == [(128, 0), (0, 128)]
    rows = running.rows.kept
    assert [(row["usage"]["cache_write"], row["usage"]["cached_input"]) for row in rows] == [(128, 0), (0, 128)]
    assert rows[1]["cost_usd"] < rows[0]["cost_usd"]


async def test_lists_models(client: anthropic.AsyncAnthropic) -> None:
    assert {"auto", "claude-sim-mid"} <= {model.id async for model in client.models.list()}


@pytest.mark.parametrize(
    ("asked", "kind", "type_"),
    [
        ({"model": "claude-9"}, anthropic.NotFoundError, "not_found_error"),
        ({"messages": []}, anthropic.BadRequestError, "invalid_request_error"),
        ({"extra_headers": {"x-pointsman-route": "none"}}, anthropic.BadRequestError, "invalid_request_error"),
        (
            {"model": "claude-sim-mid", "extra_headers": {"x-pointsman-sensitivity": "pii"}},
            anthropic.UnprocessableEntityError,
            "invalid_request_error",
        ),
    ],
)
async def test_raises_what_the_sdks_users_catch(
    client: anthropic.AsyncAnthropic, asked: dict[str, Any], kind: type[anthropic.APIStatusError], type_: str
) -> None:
    with pytest.raises(kind) as caught:
        await client.messages.create(**{"model": "auto", "max_tokens": 9, "messages": MATH, **asked})
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", type_)


@pytest.mark.case("H8")
@pytest.mark.case("L2")
async def test_raises_what_the_other_formats_provider_refused(
    client: anthropic.AsyncAnthropic, running: RunningGateway
) -> None:
    await running.vendors["sim-pro"].fault(Fault(status=400, message="Invalid value: 'x'."))
    with pytest.raises(anthropic.BadRequestError, match="Invalid value") as caught:
        await client.messages.create(model="sim-pro/pro-1", max_tokens=9, messages=MATH)
    body: Any = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", "invalid_request_error")


async def test_is_not_asked_again_by_a_client_that_would_retry(running: RunningGateway) -> None:
    for vendor in running.vendors.values():
        await vendor.fault(Fault(status=529))
    async with anthropic.AsyncAnthropic(base_url=running.url, api_key="any", max_retries=5) as eager:
        with pytest.raises(anthropic.InternalServerError, match="all attempts failed"):
            await eager.messages.create(model="auto", max_tokens=9, messages=MATH)
    assert len(running.rows.kept) == 1


@pytest.mark.case("A2")
@each_format
async def test_raises_in_the_middle_of_a_stream(
    client: anthropic.AsyncAnthropic, running: RunningGateway, model: str
) -> None:
    vendor = running.vendors[model.partition("/")[0]]
    await vendor.fault(Fault(error_event_after=3, message="The engine fell over."))
    pieces: list[str] = []

    async def read() -> None:
        async with client.messages.stream(model=model, max_tokens=100, messages=MATH) as stream:
            async for piece in stream.text_stream:
                pieces.append(piece)  # noqa: PERF401 - kept although it breaks

    with pytest.raises(anthropic.APIError, match="The engine fell over"):
        await read()
    assert "".join(pieces) == "12 * 12"
    assert (await running.row())["outcome"] == "partial"


@pytest.mark.case("A2")
@each_format
async def test_falls_over_before_the_first_content(
    client: anthropic.AsyncAnthropic, running: RunningGateway, model: str
) -> None:
    await running.vendors[model.partition("/")[0]].fault(Fault(error_event_after=0))
    async with client.messages.stream(
        model=model, max_tokens=100, messages=MATH, extra_body={"models": ["sim-private/open-70b"]}
    ) as stream:
        final = await stream.get_final_message()
    assert text_of(final).endswith("open-70b at sim-private")


def _synchronously(url: str, model: str) -> tuple[str, str, int, str]:
    with anthropic.Anthropic(base_url=url, api_key="any", max_retries=0) as client:
        whole = client.messages.create(model=model, max_tokens=100, messages=MATH)
        with client.messages.stream(model=model, max_tokens=100, messages=MATH) as stream:
            streamed = "".join(stream.text_stream)
        counted = client.messages.count_tokens(model=model, messages=MATH)
        try:
            client.messages.create(model="claude-9", max_tokens=9, messages=MATH)
        except anthropic.NotFoundError as error:
            refused = error.message
    return text_of(whole), streamed, counted.input_tokens, refused


@each_format
async def test_serves_the_synchronous_client(running: RunningGateway, model: str) -> None:
    whole, streamed, counted, refused = await asyncio.to_thread(_synchronously, running.url, model)
    assert whole == streamed == f"12 * 12 = 144.\n— {named(model)}"
    assert counted > 0
    assert "claude-9" in refused
