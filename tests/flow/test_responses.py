"""The walk of a request on `/v1/responses`: the same as of any other, over endpoints that speak it and that do not."""

from typing import Any

import pytest

from gateway.core.ask import Surface
from gateway.core.failure import FailureKind
from tests.support.builders import a_world, an_endpoint
from tests.support.openai_scripts import a_stream, an_answer
from tests.support.recording_sink import RecordingSink
from tests.support.responses import assembled, begun, ended, message, said_in_response, sent, spoken
from tests.support.scripted_upstream import Script, Status
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

SSE = Status(200, (("content-type", "text/event-stream"),))
BODY: dict[str, Any] = {"model": "auto", "stream": True, "input": "Hi"}
QUOTA = {"type": "error", "code": "insufficient_quota", "message": "You exceeded your current quota", "param": None}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
SEARCH = {"type": "web_search"}
ALSO = {"also_speaks": ("responses",)}


def natively(*texts: str) -> Script:
    return [SSE, sent(*begun(), *spoken(0, *texts), ended(message("".join(texts), name="msg_0")))]


def two(first: Script, second: Script | None = None) -> Walking:
    """Two endpoints that speak the format themselves, the cheap one playing `first`."""
    world = a_world(an_endpoint("alpha/m", api="responses"), an_endpoint("beta/m", api="openai", **ALSO))
    return Walking(world, {"alpha": [first], "beta": [second or natively("Hel", "lo")]})


async def send(walking: Walking, **fields: Any) -> RecordingSink:
    return await walking.send({**BODY, **fields}, surface=Surface.RESPONSES)


def text(sink: RecordingSink) -> str:
    return said_in_response(assembled([event for event in sink.events if event["type"] != "error"]))[0]


def asked(walking: Walking, place: int = -1) -> tuple[str, dict[str, Any]]:
    call = walking.upstream.calls[place]
    return call.path, call.body


@pytest.mark.case("A3")
async def test_a_quota_error_after_start_up_events_is_a_failed_attempt_and_one_stream() -> None:
    walking = two([SSE, sent(*begun(), QUOTA)])
    sink = await send(walking)
    assert (sink.status, text(sink)) == (200, "Hello")
    assert walking.outcomes == [("alpha/m", "billing"), ("beta/m", "ok")]
    assert sum(event["type"] == "response.created" for event in sink.events) == 1


@pytest.mark.case("A5")
async def test_fails_over_when_the_socket_closes_without_a_byte() -> None:
    walking = two([FailureKind.DISCONNECTED])
    sink = await send(walking)
    assert (sink.status, text(sink)) == (200, "Hello")
    assert walking.outcomes == [("alpha/m", "disconnected"), ("beta/m", "ok")]


@pytest.mark.case("A5")
async def test_fails_over_to_an_endpoint_that_does_not_speak_it() -> None:
    world = a_world(an_endpoint("alpha/m", api="responses"), "beta/m")
    walking = Walking(world, {"alpha": [[SSE, sent(*begun(), QUOTA)]], "beta": [a_stream("Hel", "lo")]})
    sink = await send(walking)
    assert (text(sink), walking.outcomes) == ("Hello", [("alpha/m", "billing"), ("beta/m", "ok")])
    assert sink.events[-1]["response"]["store"] is False


@pytest.mark.case("A9")
async def test_an_error_after_content_is_one_event_with_its_number_and_a_failed_row() -> None:
    walking = two([SSE, sent(*begun(), *spoken(0, "Hel"), QUOTA)])
    sink = await send(walking)
    assert [event["type"] for event in sink.events].count("error") == 1
    last = sink.events[-1]
    assert (last["type"], last["sequence_number"], last["code"]) == ("error", len(sink.events) - 1, "billing")
    assert (walking.row["outcome"], walking.outcomes) == ("partial", [("alpha/m", "partial")])


@pytest.mark.case("G2")
async def test_a_stream_without_its_last_event_never_ends_cleanly() -> None:
    walking = two([SSE, sent(*begun(), *spoken(0, "Hel"))])
    sink = await send(walking)
    assert (sink.events[-1]["type"], sink.events[-1]["code"]) == ("error", "truncated")
    assert walking.row["outcome"] == "partial"


async def test_goes_to_an_endpoint_in_the_clients_own_format_where_it_has_that() -> None:
    world = a_world(an_endpoint("alpha/m", **ALSO))
    walking = Walking(world, {"alpha": [natively("Hi"), an_answer("Hi")]})
    await send(walking, previous_response_id="resp_1", tools=[SEARCH])
    path, body = asked(walking)
    assert (path.endswith("/responses"), body["previous_response_id"], body["tools"]) == (True, "resp_1", [SEARCH])
    await walking.ask()
    assert asked(walking)[0].endswith("/chat/completions")


async def test_what_only_a_native_endpoint_can_say_chooses_it() -> None:
    world = a_world("alpha/m", an_endpoint("beta/m", **ALSO))
    walking = Walking(world, {"alpha": [], "beta": [natively("Hi")]})
    await send(walking, previous_response_id="resp_1")
    assert walking.outcomes == [("beta/m", "ok")]


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "prompt"])
async def test_what_lies_at_one_of_several_providers_needs_its_name(field: str) -> None:
    walking = two(natively("Hi"), natively("Hi"))
    for _ in range(2):  # the second time from memory
        sink = await send(walking, **{field: "kept_1"})
        assert (sink.status, sink.error["param"]) == (400, field)
        assert "alpha, beta could all be meant" in sink.error["message"]
    assert walking.upstream.calls == []
    await send(walking, model="beta/m", **{field: "kept_1"})
    assert walking.outcomes == [("beta/m", "ok")]
    await send(walking, provider={"only": ["alpha"]}, **{field: "kept_1"})
    assert walking.outcomes == [("alpha/m", "ok")]


async def test_what_lies_at_a_provider_goes_to_none_other_when_that_fails() -> None:
    walking = two([FailureKind.DISCONNECTED], natively("Hi"))
    sink = await send(walking, previous_response_id="resp_1", provider={"only": ["alpha"]})
    assert (sink.status, walking.outcomes) == (503, [("alpha/m", "disconnected")])


@pytest.mark.parametrize(
    ("field", "value"), [("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True)]
)
async def test_is_refused_by_name_where_no_endpoint_is_native(field: str, value: Any) -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": []})
    sink = await send(walking, **{field: value})
    assert (sink.status, sink.error["param"]) == (400, field)


async def test_tools_that_run_at_the_provider_choose_a_native_endpoint() -> None:
    world = a_world("alpha/m", an_endpoint("beta/m", **ALSO))
    walking = Walking(world, {"alpha": [], "beta": [natively("Hi")]})
    sink = await send(walking, tools=[FUNCTION, SEARCH])
    assert walking.outcomes == [("beta/m", "ok")]
    assert asked(walking)[1]["tools"] == [FUNCTION, SEARCH]
    assert "x-pointsman-dropped" not in sink.headers


async def test_an_agent_does_without_them_where_there_is_none() -> None:
    """Codex offers its model web_search and namespaces beside its functions, whatever the provider."""
    walking = Walking(a_world("alpha/m"), {"alpha": [a_stream("Hi"), a_stream("Hi")]})
    for _ in range(2):  # the second time from memory
        sink = await send(walking, tools=[FUNCTION, SEARCH, {"type": "namespace", "name": "mcp", "tools": []}])
        assert (text(sink), walking.outcomes) == ("Hi", [("alpha/m", "ok")])
        assert sink.headers["x-pointsman-dropped"] == "tools[].type=namespace,tools[].type=web_search"
        assert [tool["function"]["name"] for tool in asked(walking)[1]["tools"]] == ["f"]


@pytest.mark.parametrize(
    "demanding",
    [
        {"tools": [SEARCH]},
        {"tools": [FUNCTION, SEARCH], "tool_choice": "required"},
        {"tools": [FUNCTION, SEARCH], "tool_choice": {"type": "web_search"}},
        {"tools": [FUNCTION, SEARCH], "provider": {"require_parameters": True}},
    ],
)
async def test_nobody_does_without_what_was_demanded(demanding: dict[str, Any]) -> None:
    walking = Walking(a_world("alpha/m"), {"alpha": []})
    sink = await send(walking, **demanding)
    assert (sink.status, "web_search" in sink.error["message"]) == (400, True)
