"""Recorded traffic of the formats that have a client surface, through the neutral form and back into its own format.

What may differ is listed, with reasons, in `tests/support/normal_*.py`; each rule there is needed by some exchange.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.core.chat import ChatReply
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.anthropic.reply import read_reply as read_anthropic
from gateway.formats.anthropic.stream import AnthropicDecoder
from gateway.formats.openai.reply import read_reply as read_openai
from gateway.formats.openai.stream import OpenAIDecoder
from gateway.formats.relay import translate
from gateway.formats.surface import Ending
from tests.support import normal_anthropic, normal_openai
from tests.support.assembly import chat_answer, message_answer
from tests.support.formats import context, events
from tests.support.normal import Compared, compare
from tests.support.recorded import accepted, streams, upstream_events, wholes
from tests.support.vectors import Exchange, needs_vectors

pytestmark = needs_vectors
Pairs = Iterator[tuple[str, Any, Any]]
OWN = {Surface.CHAT: "openai", Surface.MESSAGES: "anthropic"}
OTHER = {Surface.CHAT: Surface.MESSAGES, Surface.MESSAGES: Surface.CHAT}
READERS: dict[str, Callable[[bytes, str], tuple[ChatReply, Usage | None]]] = {
    "openai": read_openai,
    "anthropic": read_anthropic,
}
REQUEST_RULES = {"openai": normal_openai.REQUESTS, "anthropic": normal_anthropic.REQUESTS}
ANSWER_RULES = {"openai": normal_openai.ANSWERS, "anthropic": normal_anthropic.ANSWERS}


def conversations(api: str) -> Iterator[tuple[Exchange, Ask, Endpoint]]:
    """Of this format: what was asked, as if a client of another surface had."""
    for exchange, asked, at in accepted():
        if OWN.get(asked.surface) == api == at.api:
            quirks = frozenset(_quirks(exchange.request))
            yield exchange, replace(asked, surface=OTHER[asked.surface]), replace_quirks(at, quirks)


def replace_quirks(at: Endpoint, quirks: frozenset[str]) -> Endpoint:
    return Endpoint(at.id, at.provider, at.model, at.upstream_id, at.base_model, at.api, caps=at.caps, quirks=quirks)


def _quirks(request: dict[str, Any]) -> Iterator[str]:
    """What the catalog knows of such a model."""
    if "none" in (request.get("reasoning_effort"), _openrouters(request.get("reasoning"))):
        yield "reasoning_none"
    if (request.get("thinking") or {}).get("type") == "adaptive" or (request.get("output_config") or {}).get("effort"):
        yield "adaptive_thinking"


def _openrouters(reasoning: Any) -> str:
    if not isinstance(reasoning, dict):
        return ""
    return "none" if reasoning.get("enabled") is False else str(reasoning.get("effort"))


def expressible(api: str) -> list[tuple[Exchange, Ask, Endpoint]]:
    form = registry.wire_format(api)
    return [one for one in conversations(api) if not form.inexpressible(one[1], one[2]).fields]


def requests(api: str) -> Compared:
    return compare(_requests(api), REQUEST_RULES[api])


def _requests(api: str) -> Pairs:
    for exchange, asked, at in expressible(api):
        sent = registry.wire_format(api).build(asked, at, asked.survey.max_tokens)
        yield exchange.name, exchange.request, json.loads(sent.body)


def answers(api: str) -> Compared:
    return compare([*_wholes(api), *_streams(api)], ANSWER_RULES[api])


def _wholes(api: str) -> Pairs:
    for exchange, asked, at in wholes():
        if OWN.get(asked.surface) == api == at.api:
            answer, usage = READERS[api](exchange.body, "reply-1")
            ending = Ending(answer.finish, answer.stop_sequence, usage)
            shown = registry.surface(asked.surface).encode(asked, answer, ending)
            yield exchange.name, json.loads(exchange.body), json.loads(shown)


def _streams(api: str) -> Pairs:
    """Both assembled as the SDKs do, since another portioning says the same."""
    assembled = chat_answer if api == "openai" else message_answer
    for exchange, asked, at in streams():
        if OWN.get(asked.surface) == api == at.api:
            decoder = OpenAIDecoder("reply-1") if api == "openai" else AnthropicDecoder()
            asked = replace(asked, chat=replace(asked.chat, include_usage=True))  # what is told is compared
            relay = translate(asked, registry.surface(asked.surface), context(lambda _: None), decoder)
            out = events(relay.feed(exchange.body) + relay.end())
            if relay.failure is None:
                yield exchange.name, assembled(upstream_events(exchange)), assembled(out)


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_requests_survive_the_neutral_form(api: str) -> None:
    found = requests(api)
    assert (found.failures, found.idle()) == ([], [])


@pytest.mark.parametrize("api", ["openai", "anthropic"])
def test_answers_survive_the_neutral_form(api: str) -> None:
    found = answers(api)
    assert (found.failures, found.idle()) == ([], [])
