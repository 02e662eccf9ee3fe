"""Who is too slow is left in time for another, and only content counts as an answer."""

from collections.abc import Mapping

import pytest

from gateway.core.catalog import REASONING, Timeouts
from gateway.core.failure import FailureKind
from gateway.core.policy import Limits, Route
from tests.support.builders import START_S, a_provider, a_world, an_endpoint
from tests.support.openai_scripts import DONE, ROLE, SSE, a_chunk, a_stream, an_answer, event, says
from tests.support.scripted_upstream import HANG, Script, Status
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

PING = b": ping\n\n"


def two(
    first: Script, second: Script | None = None, limits: Limits | None = None, caps: frozenset[str] = frozenset(),
    **timeouts: float,
) -> Walking:  # fmt: skip
    slow = a_provider("alpha", timeouts=Timeouts(**timeouts))
    routes = (Route("default", limits=limits or Limits()),)
    world = a_world(an_endpoint("alpha/m", caps=caps), "beta/m", providers=[slow], routes=routes)
    return Walking(world, {"alpha": [first], "beta": [second or a_stream("Hello")]})


def attempt(walking: Walking, number: int = 0) -> Mapping[str, object]:
    row: Mapping[str, object] = walking.row["attempts"][number]
    return row


@pytest.mark.case("B2")
async def test_a_stream_without_a_first_token_is_cancelled_at_its_limit_and_counts_for_the_breaker() -> None:
    walking = two([SSE, HANG], first_token_s=2.0)
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", "first_token_timeout"), ("beta/m", "ok")])
    assert walking.upstream.calls[0].aborted_s == START_S + 2.0
    assert walking.upstream.calls[1].at_s == START_S + 2.0
    assert walking.book.verdict("alpha/m", START_S + 2.0).badness > 0


@pytest.mark.case("B2")
async def test_silence_before_the_head_of_a_stream_is_a_first_token_timeout_as_well() -> None:
    walking = two([HANG], first_token_s=2.0)
    await walking.ask(stream=True)
    assert attempt(walking)["outcome"] == "first_token_timeout"


async def test_a_head_that_the_upstream_client_gave_up_waiting_for_is_one_too() -> None:
    walking = two([FailureKind.ANSWER_TIMEOUT])
    await walking.ask(stream=True)
    assert attempt(walking)["outcome"] == "first_token_timeout"


@pytest.mark.case("B3")
@pytest.mark.parametrize(
    "alive", [PING, ROLE, event({"choices": []}), a_chunk({"content": ""}), a_chunk({"content": None})]
)
async def test_only_content_stops_the_first_token_timer(alive: bytes) -> None:
    walking = two([*[alive, 1.0] * 30, *a_stream("late")], first_token_s=10.0)
    sink = await walking.ask(stream=True)
    assert (sink.text, attempt(walking)["duration_ms"]) == ("Hello", 10_000.0)


@pytest.mark.case("B3")
@pytest.mark.parametrize(
    "content",
    [
        {"content": "x"},
        {"reasoning_content": "hm"},
        {"refusal": "no"},
        {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f", "arguments": ""}}]},
    ],
)
async def test_every_kind_of_content_stops_the_first_token_timer(content: dict[str, object]) -> None:
    walking = two([ROLE, 1.0, a_chunk(content), 15.0, a_chunk({}, "stop"), DONE], first_token_s=10.0)
    await walking.ask(stream=True)
    assert (walking.outcomes, walking.row["ttft_ms"]) == ([("alpha/m", "ok")], 1_000.0)


@pytest.mark.case("B3")
async def test_endless_metadata_beyond_what_is_held_ends_at_the_first_token_limit_too() -> None:
    walking = two([*[ROLE, 1.0] * 500, *a_stream("late")], first_token_s=100.0)
    sink = await walking.ask(stream=True)
    assert (sink.text, sink.ended, walking.outcomes) == ("", True, [("alpha/m", "partial")])
    assert (attempt(walking)["duration_ms"], attempt(walking)["ttft_ms"]) == (100_000.0, None)
    assert sink.events[-1]["error"]["code"] == "first_token_timeout"


async def test_content_beyond_what_is_held_stops_the_first_token_timer() -> None:
    walking = two([*[ROLE, 1.0] * 70, says("Hi"), 29.0, says("!"), 29.0, *a_stream("")[-3:]], first_token_s=80.0)
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.outcomes) == ("Hi!", [("alpha/m", "ok")])


@pytest.mark.case("B4")
async def test_an_attempt_leaves_time_for_another_within_the_deadline_and_is_the_providers_timeout() -> None:
    walking = two([HANG], [0.1, *an_answer("Hello")], answer_s=10.0, limits=Limits(deadline_s=10.0))
    sink = await walking.ask()
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", "answer_timeout"), ("beta/m", "ok")])
    assert attempt(walking)["duration_ms"] == 5_000.0
    assert walking.row["latency_ms"] == 5_100.0


@pytest.mark.case("B4")
async def test_a_body_that_drips_leaves_time_for_another_as_well() -> None:
    walking = two([Status(), *[b" ", 1.0] * 100], an_answer("Hello"), limits=Limits(deadline_s=20.0))
    sink = await walking.ask()
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", "answer_timeout"), ("beta/m", "ok")])
    assert walking.upstream.calls[0].aborted_s == START_S + 10.0


async def test_a_clients_haste_is_not_held_against_the_provider() -> None:
    walking = two([HANG], an_answer())
    await walking.ask(headers={"x-pointsman-deadline": "1"})
    assert (attempt(walking)["outcome"], attempt(walking)["duration_ms"]) == ("answer_timeout", 500.0)
    assert walking.book.verdict("alpha/m", START_S + 1).badness == 0


async def test_the_last_candidate_has_the_rest_of_the_deadline_and_then_it_is_over() -> None:
    walking = two([HANG], [HANG], limits=Limits(deadline_s=8.0))
    sink = await walking.ask()
    assert (sink.status, walking.row["latency_ms"]) == (503, 8_000.0)
    assert [one.at_s - START_S for one in walking.upstream.calls] == [0.0, 4.0]


async def test_a_request_can_shorten_the_deadline_and_not_lengthen_it() -> None:
    walking = two([HANG], [HANG], limits=Limits(deadline_s=8.0))
    await walking.ask(headers={"x-pointsman-deadline": "100"})
    assert walking.row["latency_ms"] == 8_000.0


async def test_the_deadline_ends_at_the_commit_point() -> None:
    walking = two([ROLE, 3.0, *[says("x"), 20.0] * 10, *a_stream("")[-3:]], limits=Limits(deadline_s=10.0))
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.row["outcome"], walking.row["latency_ms"]) == ("x" * 10, "ok", 203_000.0)


async def test_a_stream_that_falls_silent_is_cut_off_after_its_idle_limit() -> None:
    walking = two([ROLE, says("Hel"), 29.0, PING, 29.0, says("lo"), HANG], idle_s=30.0)
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.row["outcome"]) == ("Hello", "partial")
    assert (walking.row["latency_ms"], sink.events[-1]["error"]["code"]) == (88_000.0, "idle_timeout")


async def test_the_total_limit_ends_even_a_lively_stream_and_blames_nobody() -> None:
    walking = two([ROLE, *[says("x"), 10.0] * 100], limits=Limits(total_s=35.0))
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.row["outcome"], walking.row["latency_ms"]) == ("xxxx", "partial", 35_000.0)
    assert sink.events[-1]["error"]["code"] == "total_timeout"
    assert walking.book.verdict("alpha/m", START_S + 35).badness == 0


@pytest.mark.parametrize(
    ("caps", "fields", "limit_s"),
    [
        (frozenset(), {}, 20.0),
        (frozenset({REASONING}), {}, 120.0),
        (frozenset(), {"reasoning_effort": "high"}, 120.0),
    ],
)
async def test_reasoning_has_more_time_for_its_first_token(
    caps: frozenset[str], fields: dict[str, object], limit_s: float
) -> None:
    walking = two([SSE, *[PING, 10.0] * 100], caps=caps)
    await walking.ask(stream=True, **fields)
    assert attempt(walking)["duration_ms"] == limit_s * 1_000
