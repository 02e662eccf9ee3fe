"""Habits of OpenAI-compatible servers, each beside what was recorded of it where something was."""

import json
from typing import Any

from gateway.core.ask import Surface
from gateway.core.chat import Message, Role, Text, Thinking
from gateway.formats import registry
from gateway.formats.openai.messages import write_messages
from tests.support.formats import ask, endpoint, outgoing_body
from tests.support.vectors import exchanges, needs_vectors

COMPLETION = {"model": "m", "prompt": "hi", "seed": 7, "user": "u-1"}


def test_says_seed_and_user_as_the_server_knows_them() -> None:
    asked = ask(COMPLETION, Surface.COMPLETIONS)
    plain, mistral = endpoint(), endpoint(quirks=frozenset({"random_seed", "no_user"}))
    sent = outgoing_body(asked, plain)
    assert (sent["seed"], sent["user"]) == (7, "u-1")
    sent = outgoing_body(asked, mistral)
    assert sent["random_seed"] == 7
    assert {"seed", "user"}.isdisjoint(sent)
    assert registry.wire_format("openai").inexpressible(asked, mistral).hints == {"user"}


def blocks_of(host: str) -> list[list[dict[str, Any]]]:
    """Contents of the model's turns, in parts, as a server took them back."""
    return [
        message["content"]
        for one in exchanges()
        if one.host == host and one.path.endswith("/chat/completions") and one.status == 200
        for message in one.request["messages"]
        if message["role"] == "assistant" and isinstance(message.get("content"), list)
    ]


@needs_vectors
def test_mistral_took_reasoning_back_as_we_write_it() -> None:
    (found,) = [blocks for blocks in blocks_of("api.mistral.ai") if any(one["type"] == "thinking" for one in blocks)]
    (thought, said) = (next(one for one in found if one["type"] == kind) for kind in ("thinking", "text"))
    first = thought["thinking"][0]
    turn = Message(Role.ASSISTANT, (Thinking(first["text"]), Text(said["text"])))
    (written,) = write_messages([turn], frozenset({"thoughts_in_content"}))
    assert written["content"] == [{**thought, "thinking": [first]}, said]


@needs_vectors
def test_hosts_that_answer_in_reasoning_are_the_ones_told_in_it() -> None:
    told = {
        one.host
        for one in exchanges()
        if one.path.endswith("/chat/completions") and one.status == 200 and not one.streamed
        for choice in json.loads(one.body).get("choices") or ()
        if (choice.get("message") or {}).get("reasoning")
    }
    assert {"api.groq.com", "openrouter.ai"} <= told
    assert told.isdisjoint({"api.mistral.ai", "api.z.ai", "router.huggingface.co"})
