"""What outlasts a drain: told by an error in its own shape, at both doors, and recorded; who does not read is cut."""

import asyncio
import json
from typing import Any

import pytest

from gateway.web import app
from tests.support.raw_client import RawAnswer, chat_body, chunked_request, read_answer, request
from tests.support.running_gateway import RunningGateway, events_of, until
from tests.web.test_lane_clients import ASK, PACED, SLOW_HEAD, STREAM, endless, gated
from tests.web.test_lane_limits import House

DOORS = pytest.mark.parametrize("asking", [request, chunked_request], ids=["lane", "aiohttp"])
TOLD = "the gateway is shutting down; send the request again"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The drain waits for nothing, and leaves all of its time to what it cuts off."""
    monkeypatch.setattr(app, "LAST_WORDS_S", 20.0)
    monkeypatch.setattr(app, "LAST_WORDS_SHARE", 1.0)


async def read_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> RawAnswer:
    answer = await read_answer(reader)
    writer.close()
    return answer


async def drained(running: RunningGateway) -> int:
    running.gateway.draining = True
    return await running.clients.drain(20.0)


def told(row: dict[str, Any]) -> tuple[str, int, str]:
    return row["outcome"], row["status"], row["error"]


@DOORS
@pytest.mark.usefixtures("at_once")
async def test_a_stream_ends_with_one_error_event_and_its_provider_is_dropped(asking: Any) -> None:
    async with gated(PACED) as (running, gate), running.connection() as (reader, writer):
        writer.write(asking(chat_body(stream=True)))
        await until(lambda: bytes(reader._buffer))  # the first content has come, the second waits
        answering = asyncio.create_task(read_answer(reader))
        assert await drained(running) == 1
        answer = await answering
        assert await reader.read() == b""
        await until(lambda: gate.cancelled == 1)
    *before, last = [json.loads(data) for data in events_of(answer.body.decode())]
    assert [event for event in before if "error" in event] == []
    assert (last["error"]["code"], last["error"]["message"]) == ("shutdown", TOLD)
    assert [told(row) for row in running.rows.kept] == [("partial", 200, TOLD)]


@DOORS
@pytest.mark.usefixtures("at_once")
async def test_a_request_that_has_no_answer_yet_gets_a_503_that_says_when_to_come_back(asking: Any) -> None:
    async with gated(SLOW_HEAD) as (running, gate), running.connection() as (reader, writer):
        writer.write(asking(chat_body()))
        await until(lambda: gate.arrived == 1)
        answering = asyncio.create_task(read_answer(reader))
        assert await drained(running) == 1
        answer = await answering
        assert await reader.read() == b""
        await until(lambda: gate.cancelled == 1)
    assert (answer.status, answer.headers["retry-after"], answer.headers["connection"]) == (503, "1", "close")
    assert answer.json["error"]["message"] == TOLD
    assert [told(row) for row in running.rows.kept] == [("failed", 503, TOLD)]


@DOORS
@pytest.mark.usefixtures("at_once")
async def test_a_request_whose_body_is_still_coming_gets_the_503_too(asking: Any) -> None:
    async with gated(PACED) as (running, _), running.connection() as (reader, writer):
        writer.write(asking(chat_body())[:-9])
        await until(lambda: running.gateway.counts.active == 1)
        answering = asyncio.create_task(read_and_leave(reader, writer))
        assert await drained(running) == 1
        answer = await answering
    assert (answer.status, answer.headers["retry-after"], answer.json["error"]["message"]) == (503, "1", TOLD)
    assert [told(row) for row in running.rows.kept] == [("rejected", 503, TOLD)]


@pytest.mark.usefixtures("at_once")
async def test_begins_no_request_that_was_sent_ahead() -> None:
    async with gated(PACED) as (running, _), running.connection() as (reader, writer):
        writer.write(STREAM + ASK)
        await until(lambda: bytes(reader._buffer))
        answering = asyncio.create_task(reader.read())
        assert await drained(running) == 1
        assert (await answering).count(b"HTTP/1.1") == 1
    assert [told(row) for row in running.rows.kept] == [("partial", 200, TOLD)]


async def test_leaves_what_can_still_end_by_itself_alone() -> None:
    async with gated(PACED) as (running, gate), running.connection() as (reader, writer):
        writer.write(chunked_request(chat_body(stream=True)))
        await until(lambda: gate.arrived == 1)
        draining = asyncio.create_task(drained(running))
        await asyncio.sleep(0)
        gate.open()
        answer = await read_answer(reader)
        assert (await draining, events_of(answer.body.decode())[-1]) == (0, "[DONE]")
    assert [row["outcome"] for row in running.rows.kept] == ["ok"]


@DOORS
async def test_a_client_that_does_not_read_does_not_hold_the_process(
    monkeypatch: pytest.MonkeyPatch, asking: Any
) -> None:
    monkeypatch.setattr(app, "LAST_WORDS_S", 0.05)
    monkeypatch.setattr(app, "FLUSH_LEAST_S", 0.05)
    async with endless() as (running, provider), running.connection() as (_, writer):
        writer.transport.pause_reading()
        writer.write(asking(chat_body(stream=True)))
        await until(lambda: provider.sent > 100)
        assert await running.clients.drain(0.1) == 1
        running.gateway.settle()
        assert [told(row) for row in running.rows.kept] == [("partial", 200, TOLD)]


@pytest.mark.interpreted
async def test_a_request_that_came_in_this_turn_is_begun_before_it_is_cancelled() -> None:
    house = House()
    house.lane.data_received(ASK)
    house.keeper.break_off()
    await house.turn()
    assert (house.desk.asked, house.desk.cancelled, house.counts.active) == ([chat_body()], 1, 0)


@pytest.mark.interpreted
async def test_closes_connections_on_which_nothing_is_asked() -> None:
    house = House()
    house.keeper.break_off()
    assert house.wire.told == ["close"]
