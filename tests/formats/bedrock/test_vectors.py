"""Recorded traffic of Bedrock, replayed in process.

What the writer makes of a recorded request's meaning is what was recorded, but for the normalisations of `normal`:
empty objects and blank texts are left out (the API refuses some of them), `status: success` is the default, JSON in
tool results is written as text, and names of documents keep only what the API allows.
"""

import json
from collections import Counter
from typing import Any
from urllib.parse import unquote

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.failure import FailureKind
from gateway.formats.bedrock.claude import BedrockClaudeFormat
from gateway.formats.bedrock.format import BedrockFormat
from tests.support.converse import ask_of
from tests.support.formats import ask, chat_calls, chat_text, context, endpoint, events
from tests.support.vectors import Exchange, exchanges, needs_vectors

pytestmark = needs_vectors
CONVERSE = BedrockFormat()
CLAUDE = BedrockClaudeFormat()
BEYOND = {"video", "s3Location", "systemTool", "serviceTier", "promptVariables"}  # what no client can ask for
PLACES = 200


def recorded(*ways: str) -> list[tuple[Exchange, str]]:
    """Exchanges of these operations, with their model."""
    found = [(one, one.path.split("/")) for one in exchanges() if "bedrock-runtime" in one.host]
    return [(one, unquote(steps[2])) for one, steps in found if steps[3] in ways]


def at(model: str, *quirks: str) -> Endpoint:
    caps = frozenset({"tools", "json_schema", "reasoning"})
    return Endpoint("b/m", "b", model, model, model, "bedrock", caps=caps, max_output=64_000, quirks=frozenset(quirks))


def quirks_of(request: dict[str, Any]) -> list[str]:
    thinking = (request.get("additionalModelRequestFields") or {}).get("thinking") or {}
    return ["adaptive_thinking"] if thinking.get("type") == "adaptive" else []


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {key for name, inner in value.items() for key in ({name} if name != "json" else set()) | keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def normal(value: Any) -> Any:
    """A request without what is the same said otherwise."""
    if isinstance(value, list):
        return [one for inner in value if (one := normal(inner)) != {"text": ""}]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"text"}:
        return {"text": value["text"] if str(value["text"]).strip() else ""}
    if value.keys() == {"json"}:
        return {"text": json.dumps(value["json"])}
    kept = {key: normal(inner) for key, inner in value.items() if key not in ("status", "inputSchema")}
    kept |= {key: value[key] for key in ("inputSchema",) if key in value}
    kept |= {"status": "error"} if value.get("status") == "error" else {}
    return {key: inner for key, inner in kept.items() if inner not in ({}, [], None) or key in ("input", "auto", "any")}


def test_has_enough_to_say_something() -> None:
    ways = Counter((one.path.rsplit("/", 1)[1], one.status) for one, _ in recorded("converse", "converse-stream"))
    assert ways == {("converse", 200): 86, ("converse", 400): 4, ("converse-stream", 200): 5}


def test_writes_every_recorded_request_that_a_client_can_ask_for() -> None:
    compared = 0
    for one, model in recorded("converse", "converse-stream"):
        if one.status != 200 or keys_of({**one.request, "toolConfig": None, "system": None}) & BEYOND:
            continue
        if "systemTool" in keys_of(one.request.get("toolConfig")):
            continue
        asked = ask_of(one.request, stream=one.path.endswith("stream"))
        where = at(model, *quirks_of(one.request))
        assert not CONVERSE.inexpressible(asked, where).fields, one.name
        out = CONVERSE.build(asked, where, asked.survey.max_tokens)
        assert unquote(out.path) == unquote(one.path), one.name
        wanted = {key: value for key, value in one.request.items() if key != "requestMetadata"}
        assert normal(json.loads(out.body)) == normal(wanted), one.name
        compared += 1
    assert compared == 83


def minimal(*, stream: bool = False) -> Ask:
    return ask({"stream": stream, "stream_options": {"include_usage": True}} if stream else {})


def said(body: dict[str, Any]) -> tuple[str, list[tuple[str, str, Any]]]:
    blocks = body["output"]["message"]["content"]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    text = "".join(block.get("text", "") for block in blocks)
    return text, [(call["toolUseId"], call["name"], call["input"]) for call in calls]


def test_says_what_every_recorded_answer_said() -> None:
    for one, model in recorded("converse"):
        if one.status != 200:
            continue
        told = json.loads(one.body)
        rendered = CONVERSE.reply(minimal(), at(model), one.body, context())
        message = json.loads(rendered.body)["choices"][0]["message"]
        calls = [
            (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls") or ()
        ]
        assert (message.get("content") or "", calls) == said(told), one.name
        assert rendered.usage is not None, one.name
        assert rendered.usage.input + rendered.usage.output == told["usage"]["totalTokens"], one.name
        assert rendered.usage.cached_input == told["usage"].get("cacheReadInputTokens", 0)
        assert rendered.usage.cache_write == told["usage"].get("cacheWriteInputTokens", 0)


def run(body: bytes, model: str, cut: int = 0) -> tuple[bytes, Any]:
    relay = CONVERSE.stream_relay(minimal(stream=True), at(model), context())
    out = relay.feed(body[:cut]) + relay.feed(body[cut:]) + relay.end()
    return out, (relay.failure, relay.usage, relay.finish, relay.text_digest, relay.finished)


def test_reads_every_recorded_stream_to_its_end() -> None:
    for one, model in recorded("converse-stream"):
        out, (failure, usage, _, _, finished) = run(one.body, model)
        assert (failure, finished) == (None, True), one.name
        assert usage is not None, one.name
        written = events(out)
        assert chat_text(written) or chat_calls(written), one.name
        for _, _, _, arguments in chat_calls(written):
            json.loads(arguments)


def test_reads_streams_the_same_at_every_cut() -> None:
    for one, model in recorded("converse-stream"):
        whole = run(one.body, model)
        for cut in range(1, len(one.body), max(1, len(one.body) // PLACES)):
            assert run(one.body, model, cut) == whole, (one.name, cut)


def test_reads_the_first_frames_the_same_at_every_byte() -> None:
    for one, model in recorded("converse-stream")[:2]:
        body = one.body[:2_000]
        whole = run(body, model)
        assert all(run(body, model, cut) == whole for cut in range(1, len(body)))


def test_understands_every_recorded_refusal() -> None:
    kinds = Counter(
        CONVERSE.failure(one.status, one.headers, one.body, 0.0).kind
        for one, _ in recorded("converse", "count-tokens")
        if one.status != 200
    )
    assert kinds == {FailureKind.NOT_FOUND: 2, FailureKind.REJECTED: 5}


def test_asks_claude_as_was_recorded() -> None:
    compared = 0
    for one, model in recorded("invoke"):
        if "anthropic_version" not in one.request:
            continue
        where = endpoint("bedrock-anthropic")
        where = Endpoint(where.id, where.provider, model, model, model, where.api)
        asked = ask({**one.request, "model": "m"}, Surface.MESSAGES)
        out = CLAUDE.build(asked, where, asked.survey.max_tokens)
        assert unquote(out.path) == unquote(one.path)
        assert json.loads(out.body) == one.request, one.name
        rendered = CLAUDE.reply(asked, where, one.body, context())
        assert json.loads(rendered.body)["content"] == json.loads(one.body)["content"]
        compared += 1
    assert compared == 1
