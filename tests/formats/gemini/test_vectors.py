"""Recorded traffic of Gemini, at AI Studio and at Vertex, replayed in process.

What the writer makes of a recorded request's meaning is what was recorded, but for `tests/support/normal_others.py`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import FinishReason
from gateway.core.failure import FailureKind
from gateway.formats import registry
from gateway.formats.sse import SseDecoder
from tests.support.formats import ask, chat_calls, chat_text, context, endpoint, events, relay
from tests.support.generate_content import ask_of, camel
from tests.support.normal import Compared, compare
from tests.support.normal_others import GEMINI_FREE as FREE
from tests.support.normal_others import GEMINI_REQUESTS
from tests.support.recorded import gemini as recorded
from tests.support.recorded import gemini_endpoint as at
from tests.support.vectors import Exchange, needs_vectors

pytestmark = needs_vectors
GEMINI = registry.wire_format("gemini")
# What no client can ask for: Google's own tools, its filters, labels, odds of tokens, a schema of its older kind.
BEYOND = {
    "googleSearch", "fileSearch", "codeExecution", "urlContext", "modelArmorConfig", "labels", "responseLogprobs",
    "responseSchema", "includeServerSideToolInvocations", "toolCall", "toolResponse", "parameters", "executableCode",
}  # fmt: skip
WITH_AN_EMPTY_TURN = {"test_google/test_google_model_empty_assistant_response#0"}  # it is left out (cases.md H3)


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {key for name, inner in value.items() for key in {name} | (set() if name in FREE else keys_of(inner))}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def test_has_enough_to_say_something() -> None:
    found = recorded("generateContent", "streamGenerateContent")
    ways = Counter((one.path.rsplit(":", 1)[1], one.status) for one in found)
    assert ways == {("generateContent", 200): 149, ("generateContent", 400): 2, ("streamGenerateContent", 200): 6}


def requests() -> Compared:
    return compare(_written(), GEMINI_REQUESTS)


def _written() -> Iterator[tuple[str, Any, Any]]:
    for one in recorded("generateContent", "streamGenerateContent"):
        request = camel(one.request)
        if keys_of(request) & BEYOND or several_names(request) or one.name in WITH_AN_EMPTY_TURN:
            continue
        asked = ask_of(request, stream=one.path.endswith("streamGenerateContent"))
        yield one.name, request, json.loads(GEMINI.build(asked, at(one), None).body)


def test_writes_every_recorded_request_that_a_client_can_ask_for() -> None:
    found = requests()
    assert (found.number, found.failures, found.idle()) == (131, [], [])


def several_names(request: dict[str, Any]) -> bool:
    """Whether it allows several tools and forbids the others."""
    calling = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    return len(calling.get("allowedFunctionNames") or ()) > 1


def told(body: bytes) -> tuple[str, list[tuple[str, Any]]]:
    """Text and calls of a recorded answer."""
    parts = [
        part
        for candidate in json.loads(body).get("candidates") or ()
        for part in (candidate.get("content") or {}).get("parts") or ()
    ]
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return text, [(call["name"], call["args"]) for call in calls]


def test_reads_every_whole_answer() -> None:
    finishes: Counter[FinishReason | None] = Counter()
    for one in recorded("generateContent"):
        if one.status != 200:
            continue
        rendered = GEMINI.reply(ask(), at(one), one.body, context())
        shown = json.loads(rendered.body)["choices"][0]["message"]
        calls = [call["function"] for call in shown.get("tool_calls") or ()]
        found = shown["content"] or "", [(call["name"], json.loads(call["arguments"])) for call in calls]
        assert found == told(one.body), one.name
        finishes[rendered.finish] += 1
        signatures = [entry["signature"] for entry in shown.get("reasoning_details") or () if "signature" in entry]
        assert signatures == [
            part["thoughtSignature"]
            for candidate in json.loads(one.body).get("candidates") or ()
            for part in (candidate.get("content") or {}).get("parts") or ()
            if "thoughtSignature" in part
        ], one.name
    assert finishes == {FinishReason.STOP: 72, FinishReason.TOOL_CALLS: 76, FinishReason.CONTENT_FILTER: 1}


def test_reads_the_usage_of_every_answer() -> None:
    for one in recorded("generateContent"):
        if one.status != 200:
            continue
        usage = GEMINI.reply(ask(), at(one), one.body, context()).usage
        counted = json.loads(one.body)["usageMetadata"]
        total = counted.get("totalTokenCount", 0)
        assert (0 if usage is None else usage.input + usage.output) == total, one.name
        assert (0 if usage is None else usage.reasoning) == counted.get("thoughtsTokenCount", 0)


def stream_of(one: Exchange) -> tuple[Any, bytes]:
    stream = relay(ask({"stream": True}), at(one))
    return stream, stream.feed(one.body) + stream.end()


def upstream(one: Exchange) -> list[dict[str, Any]]:
    decoder = SseDecoder()
    return [json.loads(event.data) for event in (*decoder.feed(one.body), *decoder.end())]


def test_reads_every_stream() -> None:
    for one in recorded("streamGenerateContent"):
        stream, out = stream_of(one)
        parts = [told(json.dumps(event).encode()) for event in upstream(one)]
        assert chat_text(events(out)) == "".join(text for text, _ in parts), one.name
        calls = [(name, json.loads(arguments)) for _, _, name, arguments in chat_calls(events(out))]
        assert calls == [call for _, found in parts for call in found], one.name
        last = upstream(one)[-1]["usageMetadata"]
        assert stream.failure is None
        assert stream.usage.input + stream.usage.output == last["totalTokenCount"], one.name
        assert not stream.usage.estimated


def test_understands_every_error_answer() -> None:
    kinds = set()
    for one in recorded("generateContent"):
        if one.status != 200:
            failure = GEMINI.failure(one.status, one.headers, one.body, 0.0)
            assert failure.error is not None
            kinds.add((failure.status, failure.kind, failure.error.type))
    assert kinds == {(400, FailureKind.REJECTED, "INVALID_ARGUMENT")}


def test_writes_and_reads_every_recorded_embedding() -> None:
    compared = 0
    for one in recorded("batchEmbedContents"):
        requests = one.request["requests"]
        texts = [request["content"]["parts"][0]["text"] for request in requests]
        body = {"input": texts, "dimensions": requests[0].get("outputDimensionality")}
        asked = embed(body)
        where = endpoint("gemini")
        where = Endpoint(where.id, "g", "m", one.path.rsplit("/", 1)[1].split(":")[0], "m", "gemini")
        sent = json.loads(GEMINI.build(asked, where, None).body)
        wanted = [{key: value for key, value in request.items() if key != "taskType"} for request in requests]
        assert sent == {"requests": wanted}, one.name
        rendered = GEMINI.reply(asked, where, one.body, context())
        answer = json.loads(one.body)
        assert [item["embedding"] for item in json.loads(rendered.body)["data"]] == [
            item["values"] for item in answer["embeddings"]
        ]
        counted = (answer.get("usageMetadata") or {}).get("promptTokenCount")
        assert rendered.usage is not None
        assert counted in (None, rendered.usage.input)
        assert rendered.usage.estimated == (counted is None)
        compared += 1
    assert compared == 11


def embed(body: dict[str, Any]) -> Ask:
    kept = {key: value for key, value in body.items() if value is not None}
    return ask(kept, Surface.EMBEDDINGS)
