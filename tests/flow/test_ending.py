"""When the process must end, what is cut off says so: a stream by one event of its own surface, the rest by a 503."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.decision import Considered
from gateway.core.extras import Extras
from gateway.flow.consider import Planner
from gateway.flow.ports import ClientGone
from gateway.flow.stage import Client, Moment
from tests.support.builders import START_S, a_provider, a_world
from tests.support.openai_scripts import ROLE, a_stream, an_answer, says
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import HANG, Script
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

TOLD = "the gateway is shutting down; send the request again"
ENDLESS: Script = [ROLE, *[says("four"), 0.2] * 100]
SHOWN = {"endpoint": "alpha/m", "kind": "shutdown"}
INNER = {"message": TOLD, "type": "api_error", "param": None, "code": "shutdown", "metadata": SHOWN}
SAID = [{"role": "user", "content": "Hi"}]
CHOICE = {"index": 0, "finish_reason": "error"}


class SlowReader(RecordingSink):
    """A client that stops reading when the stream is about to end, or at an event of an error."""

    async def chunk(self, data: bytes) -> None:
        await super().chunk(data)
        if b"[DONE]" in data or b'"error"' in data:
            await asyncio.Event().wait()


async def cut(walking: Walking, asked: Coroutine[Any, Any, RecordingSink], after_s: float) -> RecordingSink:
    """What a client gets whose request still runs when the process must end, after so many seconds."""
    asking = asyncio.ensure_future(asked)
    await asyncio.sleep(after_s)
    walking.walk.ending.begin()
    asking.cancel()
    sink = await asking
    assert asking.cancelling() == 0
    return sink


async def ended(script: Script, after_s: float, *, sink: RecordingSink | None = None, **fields: Any) -> Walking:
    walking = Walking(a_world("alpha/m", "beta/m"), {"alpha": [script], "beta": [an_answer()]})
    await cut(walking, walking.ask("x" * 400, sink=sink, **fields), after_s)
    return walking


@pytest.mark.parametrize(
    ("surface", "last"),
    [
        (Surface.CHAT, {"choices": [CHOICE | {"delta": {}}], "error": INNER}),
        (Surface.COMPLETIONS, {"choices": [CHOICE | {"text": ""}], "error": INNER}),
        (
            Surface.MESSAGES,
            {
                "type": "error",
                "error": {"type": "api_error", "message": TOLD, "code": "shutdown", "metadata": SHOWN},
            },
        ),
        (
            Surface.RESPONSES,
            {"type": "error", "code": "shutdown", "message": TOLD, "param": None, "sequence_number": 7, "error": INNER},
        ),
    ],
)
async def test_a_stream_ends_with_one_error_event_of_its_surface(surface: Surface, last: dict[str, Any]) -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [ENDLESS]})
    asked: dict[Surface, dict[str, Any]] = {
        Surface.COMPLETIONS: {"prompt": "Hi"},
        Surface.RESPONSES: {"input": "Hi"},
        Surface.MESSAGES: {"messages": SAID, "max_tokens": 9},
    }
    body = {"model": "auto", "stream": True, **asked.get(surface, {"messages": SAID})}
    sink = await cut(walking, walking.send(body, surface=surface), 0.5)
    assert {key: sink.events[-1].get(key) for key in last} == last
    assert (sink.body.count(TOLD.encode()), sink.ended) == (2 if surface is Surface.RESPONSES else 1, True)
    assert walking.upstream.calls[0].aborted_s == START_S + 0.5
    assert (walking.row["outcome"], walking.row["status"], walking.row["error"]) == ("partial", 200, TOLD)
    assert walking.outcomes == [("alpha/m", "partial")]


async def test_what_was_seen_of_a_stream_is_recorded_and_nobody_is_to_blame() -> None:
    walking = await ended(ENDLESS, 0.5, stream=True)
    [attempt] = walking.row["attempts"]
    assert (attempt["outcome"], attempt["status"], attempt["error"]) == ("partial", 200, TOLD)
    assert walking.row["usage"] == {
        "input": 104, "cached_input": 0, "cache_write": 0, "output": 3, "reasoning": 0, "estimated": True,
    }  # fmt: skip
    assert walking.book.verdict("alpha/m", START_S + 0.5).badness == 0
    assert walking.walk.parts.lines["alpha"].load.attempts == 0


async def test_where_an_answer_is_billed_to_its_end_the_most_it_can_cost_is_recorded() -> None:
    walking = Walking(a_world("alpha/m", providers=[a_provider("alpha", cancellable=False)]), {"alpha": [ENDLESS]})
    await cut(walking, walking.ask(stream=True, max_tokens=900), 0.5)
    assert (walking.row["outcome"], walking.row["usage"]["output"]) == ("partial", 900)


@pytest.mark.parametrize(
    ("script", "stream"),
    [([20.0, *an_answer()], False), ([HANG], True), ([ROLE, HANG], True)],
    ids=["whole", "stream without a head", "stream without content"],
)
async def test_before_the_commit_point_it_is_a_503_that_says_when_to_come_back(script: Script, stream: bool) -> None:
    sink = RecordingSink()
    walking = await ended(script, 1.0, sink=sink, stream=stream)
    assert (sink.status, sink.headers["retry-after"], sink.error["code"]) == (503, "1", "overloaded")
    assert (sink.error["message"], "x-should-retry" in sink.headers) == (TOLD, False)
    assert walking.upstream.tried == ["alpha/m"]
    assert walking.upstream.calls[0].aborted_s == START_S + 1.0
    assert (walking.row["outcome"], walking.row["status"], walking.row["error"]) == ("failed", 503, TOLD)
    assert walking.outcomes == [("alpha/m", "shutdown")]
    assert walking.book.verdict("alpha/m", START_S + 1.0).badness == 0


class StillReading(Planner):
    """Reads a large request for personal data, and is not done for a while."""

    async def considered(self, ask: Ask, extras: Extras, client: Client, moment: Moment) -> Considered:
        await asyncio.sleep(60.0)
        return await super().considered(ask, extras, client, moment)


@pytest.mark.interpreted
async def test_a_request_that_has_no_plan_yet_gets_the_503_too() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [an_answer()]})
    planner = StillReading(walking.world, walking.book.health, walking.keys.missing)
    walking.walk.parts = replace(walking.walk.parts, planner=planner)
    sink = await cut(walking, walking.ask(), 1.0)
    assert (sink.status, sink.error["message"]) == (503, TOLD)
    assert (walking.row["outcome"], walking.row["status"], walking.upstream.tried) == ("failed", 503, [])


async def test_a_client_that_does_not_read_is_cut_and_its_row_still_names_the_shutdown() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [ENDLESS]})
    asking = asyncio.ensure_future(walking.ask(stream=True, sink=SlowReader()))
    await asyncio.sleep(0.5)
    walking.walk.ending.begin()
    asking.cancel()
    await asyncio.sleep(1.0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (walking.row["outcome"], walking.row["status"], walking.row["error"]) == ("partial", 200, TOLD)


async def test_a_stream_that_came_to_its_end_is_not_given_a_second_one() -> None:
    sink = SlowReader()
    walking = await ended(a_stream("Hello"), 1.0, sink=sink, stream=True)
    assert (sink.events[-1], TOLD.encode() in sink.body, sink.ended) == ("[DONE]", False, True)
    assert (walking.row["outcome"], walking.row["error"]) == ("partial", TOLD)


async def test_a_client_that_leaves_while_others_are_cut_off_is_one_that_left() -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": [ENDLESS]})
    walking.walk.ending.begin()
    with pytest.raises(ClientGone):
        await walking.ask(stream=True, sink=RecordingSink(leave_after=2))
    assert (walking.row["outcome"], walking.row["error"]) == ("cancelled", "the client left")
