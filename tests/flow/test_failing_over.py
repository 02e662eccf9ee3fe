"""Before the commit point a failure is invisible; after it nothing is ever replayed."""

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Operation
from gateway.core.failure import FailureKind
from tests.support.builders import a_world, an_endpoint
from tests.support.openai_scripts import (
    ROLE,
    SSE,
    a_chunk,
    a_stream,
    an_answer,
    an_embedding,
    an_error,
    event,
    says,
)
from tests.support.scripted_upstream import Script, Status
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

OVERLOADED = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
QUOTA = event({"error": {"code": "insufficient_quota", "message": "You exceeded your current quota", "type": "x"}})
HTML = [Status(502, (("content-type", "text/html"),)), b"<html><body><h1>502 Bad Gateway</h1></body></html>"]


def two(first: Script, second: Script | None = None) -> Walking:
    """A dear, healthy provider behind a cheap one that plays `first`."""
    return Walking(a_world("alpha/m", "beta/m"), {"alpha": [first], "beta": [second or a_stream("Hel", "lo")]})


@pytest.mark.case("A1")
async def test_an_error_as_the_first_event_of_a_stream_is_a_failed_attempt() -> None:
    walking = two([SSE, OVERLOADED])
    sink = await walking.ask(stream=True)
    assert (sink.status, sink.text, sink.ended) == (200, "Hello", True)
    assert walking.outcomes == [("alpha/m", "overloaded"), ("beta/m", "ok")]
    assert walking.book.verdict("alpha/m", 1_000.0).badness > 0  # the breaker counts it


ANTHROPIC_START = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant",'
    b'"content":[],"model":"up","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)


def anthropic_says(text: str) -> bytes:
    delta = f'{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}'
    return f"event: content_block_delta\ndata: {delta}\n\n".encode()


ANTHROPIC_END = (
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":7}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
MESSAGES_BODY = {"model": "auto", "max_tokens": 100, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}


def two_anthropics(first: Script) -> Walking:
    world = a_world(an_endpoint("alpha/m", api="anthropic"), an_endpoint("beta/m", api="anthropic"))
    healthy = [SSE, ANTHROPIC_START, anthropic_says("Hello"), ANTHROPIC_END]
    return Walking(world, {"alpha": [first], "beta": [healthy]})


@pytest.mark.case("A2")
async def test_an_error_after_mere_metadata_on_messages_is_a_failed_attempt() -> None:
    walking = two_anthropics([SSE, ANTHROPIC_START, OVERLOADED])
    sink = await walking.send(MESSAGES_BODY, surface=Surface.MESSAGES)
    assert sink.text == "Hello"
    assert sum(one["type"] == "message_start" for one in sink.events) == 1
    assert walking.outcomes == [("alpha/m", "overloaded"), ("beta/m", "ok")]


@pytest.mark.case("A2")
async def test_an_error_after_content_on_messages_is_one_event_of_its_shape_and_a_failed_row() -> None:
    walking = two_anthropics([SSE, ANTHROPIC_START, anthropic_says("Hel"), OVERLOADED])
    sink = await walking.send(MESSAGES_BODY, surface=Surface.MESSAGES)
    assert sink.text == "Hel"
    assert [one for one in sink.events if one["type"] == "error"] == [sink.events[-1]]
    assert sink.events[-1]["error"]["message"] == "Overloaded"
    assert (walking.row["outcome"], walking.outcomes) == ("partial", [("alpha/m", "partial")])
    assert walking.book.verdict("alpha/m", 1_000.0).badness > 0


@pytest.mark.case("A3")
async def test_a_quota_error_after_start_up_events_is_a_failed_attempt_and_one_stream() -> None:
    walking = two([ROLE, ROLE, QUOTA])
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", "billing"), ("beta/m", "ok")])
    assert sum("role" in one["choices"][0]["delta"] for one in sink.events if isinstance(one, dict)) == 1


@pytest.mark.case("A4")
async def test_a_status_is_known_before_the_client_gets_a_head() -> None:
    walking = two(an_error(429, retry_after="7"))
    sink = await walking.ask(stream=True)
    assert (sink.status, sink.text, sink.headers["x-pointsman-attempts"]) == (200, "Hello", "2")


COMPLETION = {"id": "c", "object": "text_completion", "created": 1, "model": "up"}
BODIES = {
    Surface.CHAT: {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "Hi"}]},
    Surface.COMPLETIONS: {"model": "auto", "stream": True, "prompt": "Hi"},
    Surface.MESSAGES: MESSAGES_BODY,
}


@pytest.mark.case("A5")
@pytest.mark.parametrize("surface", BODIES)
async def test_every_surface_fails_over_when_the_socket_closes_without_a_byte(surface: Surface) -> None:
    walking = two([FailureKind.DISCONNECTED])
    sink = await walking.send(BODIES[surface], surface=surface)
    assert (sink.status, sink.text) == (200, "Hello")
    assert walking.outcomes == [("alpha/m", "disconnected"), ("beta/m", "ok")]


@pytest.mark.case("A6")
async def test_nothing_is_replayed_once_the_client_has_content() -> None:
    walking = two([ROLE, says("Hel"), FailureKind.TRUNCATED])
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.upstream.tried) == ("Hel", ["alpha/m"])
    last = sink.events[-1]
    assert (last["choices"][0]["finish_reason"], last["error"]["code"]) == ("error", "truncated")
    assert sink.events.count("[DONE]") == 0
    assert (walking.row["outcome"], walking.row["status"]) == ("partial", 200)


@pytest.mark.case("A8")
async def test_an_html_error_page_of_an_embeddings_route_fails_over_and_never_shows() -> None:
    world = a_world(
        an_endpoint("alpha/e", operation=Operation.EMBEDDINGS, base_model="e"),
        an_endpoint("beta/e", operation=Operation.EMBEDDINGS, base_model="e"),
    )
    body = {"model": "e", "input": "text"}
    walking = Walking(world, {"alpha": [HTML], "beta": [an_embedding(), HTML]})
    sink = await walking.send(body, surface=Surface.EMBEDDINGS)
    assert (sink.status, sink.json["data"][0]["embedding"]) == (200, [0.5, 0.25])
    failed = await walking.send(body, surface=Surface.EMBEDDINGS)
    assert (failed.status, failed.error["code"]) == (503, "all_attempts_failed")
    assert b"<" not in failed.body


@pytest.mark.case("A9")
async def test_an_error_in_a_translated_stream_is_no_clean_end() -> None:
    world = a_world(an_endpoint("alpha/m", api="anthropic"))
    script = [SSE, ANTHROPIC_START, anthropic_says("Hel"), anthropic_says("lo"), OVERLOADED]
    walking = Walking(world, {"alpha": [script]})
    sink = await walking.ask(stream=True)
    assert sink.text == "Hello"
    assert sink.events[-1]["error"]["message"] == "Overloaded"
    reasons = [one["choices"][0]["finish_reason"] for one in sink.events if isinstance(one, dict) and one["choices"]]
    assert [reason for reason in reasons if reason] == ["error"]


@pytest.mark.case("A11")
async def test_a_timeout_after_the_provider_took_the_request_is_no_second_try_there_and_shows_both_costs() -> None:
    walking = two([400.0], an_answer())
    sink = await walking.ask(max_tokens=10)
    assert (sink.status, walking.upstream.tried) == (200, ["alpha/m", "beta/m"])
    first, second = walking.row["attempts"]
    assert (first["outcome"], second["outcome"]) == ("answer_timeout", "ok")
    assert first["cost_usd"] > 0
    assert walking.row["cost_usd"] == first["cost_usd"] + second["cost_usd"]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([FailureKind.UNREACHABLE], "unreachable"),
        ([FailureKind.CONNECT_TIMEOUT], "connect_timeout"),
        (an_error(401, "bad key"), "credential"),
        (an_error(402), "billing"),
        (an_error(403), "credential"),
        (an_error(404), "not_found"),
        (an_error(408), "server_error"),
        (an_error(413), "too_large"),
        (an_error(425), "overloaded"),
        (an_error(429), "rate_limited"),
        (an_error(500), "server_error"),
        (an_error(503), "overloaded"),
        (an_error(529), "overloaded"),
        (HTML, "server_error"),
        ([Status(), b"<html>welcome</html>"], "malformed"),
        ([Status(), b'{"id": "c1", "choi'], "malformed"),
        ([Status(), b'{"id"', FailureKind.TRUNCATED], "truncated"),
        ([Status(), b'{"error": {"message": "boom", "type": "server_error"}}'], "server_error"),
    ],
)
async def test_a_whole_answer_that_is_none_fails_over(script: Script, outcome: str) -> None:
    walking = two(script, an_answer("Hello"))
    sink = await walking.ask()
    assert (sink.status, sink.text) == (200, "Hello")
    assert walking.outcomes == [("alpha/m", outcome), ("beta/m", "ok")]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ([SSE, b"<html>gone</html>"], "malformed"),
        ([SSE, b"data: {nonsense\n\n"], "malformed"),
        ([SSE], "truncated"),
        ([ROLE], "truncated"),
        ([ROLE, a_chunk({}, "error")], "server_error"),
        ([Status(), b'{"error": {"message": "boom", "code": 500}}'], "server_error"),
    ],
)
async def test_a_stream_that_breaks_before_its_content_fails_over(script: Script, outcome: str) -> None:
    walking = two(script)
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", outcome), ("beta/m", "ok")])


@pytest.mark.parametrize("kind", [FailureKind.TRUNCATED, FailureKind.DISCONNECTED, FailureKind.MALFORMED])
async def test_after_the_commit_point_there_is_one_error_event_and_no_other_provider(kind: FailureKind) -> None:
    walking = two([ROLE, says("A"), says("B"), kind])
    sink = await walking.ask(stream=True)
    assert (sink.text, len(walking.upstream.calls), sink.ended) == ("AB", 1, True)
    assert sum("error" in one for one in sink.events if isinstance(one, dict)) == 1


async def test_metadata_is_held_back_until_content() -> None:
    walking = two([ROLE, 5.0, ROLE, 5.0, *a_stream("Hello")[1:]])
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.row["ttft_ms"]) == ("Hello", 10_000.0)
    assert sink.chunks[0].count(b"data: ") == 3  # both role chunks come with the first content


async def test_content_that_follows_more_metadata_than_is_held_arrives_all_the_same() -> None:
    walking = two([*[ROLE] * 100, *a_stream("Hello")[1:]])
    sink = await walking.ask(stream=True)
    assert (sink.text, walking.outcomes) == ("Hello", [("alpha/m", "ok")])


async def test_the_connection_of_a_finished_stream_is_given_back() -> None:
    walking = two([*a_stream("Hello"), 3.0])
    await walking.ask(stream=True)
    assert (walking.upstream.calls[0].released, walking.upstream.calls[0].aborted_s) == (True, None)


async def test_a_prompt_too_long_for_one_context_goes_only_to_larger_ones_even_behind_the_plan() -> None:
    sizes = {"alpha/m": 8_000, "beta/m": 8_000, "gamma/m": 4_000, "delta/m": 8_000, "eps/m": 32_000}
    world = a_world(*(an_endpoint(name, context=size) for name, size in sizes.items()))
    too_long = an_error(400, "maximum context length is 8000 tokens", "context_length_exceeded")
    walking = Walking(world, {"alpha": [too_long], "eps": [an_answer("Fits")]})
    sink = await walking.ask()
    assert (sink.text, walking.upstream.tried) == ("Fits", ["alpha/m", "eps/m"])
    assert walking.book.verdict("alpha/m", 1_000.0).badness == 0  # nobody is to blame


async def test_an_endpoint_of_unknown_context_is_not_known_to_be_smaller() -> None:
    world = a_world(an_endpoint("alpha/m", context=8_000), an_endpoint("beta/m", context=None))
    too_long = an_error(400, "too long", "context_length_exceeded")
    walking = Walking(world, {"alpha": [too_long], "beta": [an_answer("Fits")]})
    assert (await walking.ask()).text == "Fits"


async def test_no_fallbacks_means_one_attempt() -> None:
    walking = two(an_error(500), an_answer())
    sink = await walking.ask(provider={"allow_fallbacks": False})
    assert (sink.status, walking.upstream.tried) == (503, ["alpha/m"])


async def test_an_order_without_fallbacks_is_tried_in_full_and_nothing_else() -> None:
    world = a_world("alpha/m", "beta/m", "gamma/m")
    walking = Walking(world, {"alpha": [an_answer()], "beta": [an_error(500)], "gamma": [an_error(500)]})
    sink = await walking.ask(provider={"order": ["gamma", "beta"], "allow_fallbacks": False})
    assert (sink.status, walking.upstream.tried) == (503, ["gamma/m", "beta/m"])
