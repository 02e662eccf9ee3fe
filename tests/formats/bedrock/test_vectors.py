"""Recorded traffic of Bedrock, replayed in process.

What the writer makes of a recorded request's meaning is what was recorded, but for `tests/support/normal_others.py`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.failure import FailureKind
from gateway.formats.bedrock.claude import BedrockClaudeFormat
from gateway.formats.bedrock.format import BedrockFormat
from tests.support.converse import ask_of
from tests.support.formats import ask, chat_calls, chat_text, context, endpoint, events
from tests.support.normal import Compared, compare
from tests.support.normal_others import BEDROCK_REQUESTS
from tests.support.recorded import bedrock as recorded
from tests.support.recorded import bedrock_endpoint as at
from tests.support.vectors import needs_vectors

pytestmark = needs_vectors
CONVERSE = BedrockFormat()
CLAUDE = BedrockClaudeFormat()
BEYOND = {"video", "s3Location", "systemTool", "serviceTier", "promptVariables"}  # what no client can ask for


def quirks_of(request: dict[str, Any]) -> list[str]:
    thinking = (request.get("additionalModelRequestFields") or {}).get("thinking") or {}
    return ["adaptive_thinking"] if thinking.get("type") == "adaptive" else []


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {key for name, inner in value.items() for key in ({name} if name != "json" else set()) | keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def test_has_enough_to_say_something() -> None:
    ways = Counter((one.path.rsplit("/", 1)[1], one.status) for one, _ in recorded("converse", "converse-stream"))
    assert ways == {("converse", 200): 86, ("converse", 400): 4, ("converse-stream", 200): 5}


def requests() -> Compared:
    return compare(_written(), BEDROCK_REQUESTS)


def _written() -> Iterator[tuple[str, Any, Any]]:
    for one, model in recorded("converse", "converse-stream"):
        if one.status != 200 or keys_of({**one.request, "toolConfig": None, "system": None}) & BEYOND:
            continue
        if "systemTool" in keys_of(one.request.get("toolConfig")):
            continue
        asked = ask_of(one.request, stream=one.path.endswith("stream"))
        where = at(model, *quirks_of(one.request))
        assert not CONVERSE.inexpressible(asked, where).fields, one.name
        out = CONVERSE.build(asked, where, asked.survey.max_tokens)
        yield one.name, [unquote(one.path), one.request], [unquote(out.path), json.loads(out.body)]


def test_writes_every_recorded_request_that_a_client_can_ask_for() -> None:
    found = requests()
    assert (found.number, found.failures, found.idle()) == (83, [], [])


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


def run(body: bytes, model: str) -> tuple[bytes, Any]:
    relay = CONVERSE.stream_relay(minimal(stream=True), at(model), context())
    out = relay.feed(body) + relay.end()
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
