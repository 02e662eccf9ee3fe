"""Whatever the pair of surface and wire format, the meaning arrives: texts, calls, finish, usage."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.usage import Usage
from gateway.formats.arguments import read_arguments
from tests.support.formats import (
    ask,
    block_delta,
    block_start,
    block_stop,
    calls,
    chat_calls,
    chat_text,
    chunk,
    endpoint,
    events,
    message_blocks,
    message_end,
    message_start,
    named,
    outgoing_body,
    relay,
    sse,
)

OPENAI, ANTHROPIC = endpoint("openai"), endpoint("anthropic")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
ARGUMENTS = st.dictionaries(NAME, st.one_of(st.integers(-99, 99), TEXT, st.booleans(), st.none()), max_size=3)
PIECES = st.lists(st.one_of(TEXT, st.tuples(NAME, ARGUMENTS)), min_size=1, max_size=6)
CUTS = st.lists(st.integers(0, 5_000), max_size=6)


def cut(text: str, sizes: int) -> list[str]:
    return [text[i : i + sizes] for i in range(0, len(text), sizes)]


def openai_stream(pieces: list[Any], step: int, used: Usage) -> bytes:
    chunks: list[Any] = [chunk({"role": "assistant", "content": ""})]
    index = -1
    for piece in pieces:
        if isinstance(piece, str):
            chunks.append(chunk({"content": piece}))
            continue
        index += 1
        name, arguments = piece
        chunks.append(calls({"index": index, "id": f"c{index}", "function": {"name": name, "arguments": ""}}))
        parts = cut(json.dumps(arguments) if arguments else "", step)
        chunks.extend(calls({"index": index, "function": {"arguments": part}}) for part in parts)
    counted = {"prompt_tokens": used.input, "completion_tokens": used.output, "total_tokens": used.input + used.output}
    last = chunk(finish="tool_calls" if index >= 0 else "stop")
    return sse(*chunks, last, {**chunk(), "choices": [], "usage": counted}, "[DONE]")


def anthropic_stream(pieces: list[Any], step: int, used: Usage) -> bytes:
    out: list[Any] = [message_start(input_tokens=used.input)]
    number = 0
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            out += [block_start(index, {"type": "text", "text": ""})]
            out += [block_delta(index, {"type": "text_delta", "text": piece}), block_stop(index)]
            continue
        name, arguments = piece
        out += [block_start(index, {"type": "tool_use", "id": f"c{number}", "name": name, "input": {}})]
        for part in cut(json.dumps(arguments) if arguments else "", step):
            out += [block_delta(index, {"type": "input_json_delta", "partial_json": part})]
        out += [block_stop(index)]
        number += 1
    return named(*out, *message_end("tool_use" if number else "end_turn", output_tokens=used.output))


def said(surface: Surface, out: list[Any]) -> tuple[str, list[tuple[str, str, Any]]]:
    """Text and calls (id, name, arguments) as a client of the surface understands them."""
    if surface is Surface.CHAT:
        return chat_text(out), [(i, name, read_arguments(arguments)) for _, i, name, arguments in chat_calls(out)]
    blocks = message_blocks(out)
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    return text, [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]


@given(PIECES, st.integers(1, 9), st.integers(1, 10**6), st.integers(1, 10**5), CUTS)
def test_streams_mean_the_same_on_every_surface_however_they_are_cut(
    pieces: list[Any], step: int, prompt: int, output: int, cuts: list[int]
) -> None:
    used = Usage(input=prompt, output=output)
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    asked = [piece for piece in pieces if not isinstance(piece, str)]
    wanted = text, [(f"c{index}", name, arguments) for index, (name, arguments) in enumerate(asked)]
    digests = set()
    for at, upstream in (
        (OPENAI, openai_stream(pieces, step, used)),
        (ANTHROPIC, anthropic_stream(pieces, step, used)),
    ):
        for surface in (Surface.CHAT, Surface.MESSAGES):
            stream = relay(ask({"stream": True}, surface), at)
            places = [0, *sorted(min(place, len(upstream)) for place in cuts), len(upstream)]
            out = b"".join(stream.feed(upstream[a:b]) for a, b in itertools.pairwise(places)) + stream.end()
            assert stream.failure is None
            assert said(surface, events(out)) == wanted
            assert stream.finish is (FinishReason.TOOL_CALLS if asked else FinishReason.STOP)
            assert stream.usage == used
            digests.add(stream.text_digest)
    assert len(digests) == 1


TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("user"), TEXT),
        st.tuples(st.just("assistant"), TEXT),
        st.tuples(st.just("call"), NAME, ARGUMENTS, TEXT),
    ),
    min_size=1,
    max_size=6,
)


def as_chat(turns: list[Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    for index, turn in enumerate(turns):
        if turn[0] != "call":
            messages.append({"role": turn[0], "content": turn[1]})
            continue
        function = {"name": turn[1], "arguments": json.dumps(turn[2])}
        call = {"id": f"c{index}", "type": "function", "function": function}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{index}", "content": turn[3]})
    return [*messages, {"role": "user", "content": "?"}]


def meaning(messages: list[dict[str, Any]]) -> list[Any]:
    """A conversation in OpenAI's shape as a flat list of what was said, neighbours of one side joined."""
    flat: list[Any] = []
    for message in messages:
        content = message.get("content") or ""
        if not isinstance(content, str):
            content = "".join(part["text"] for part in content)
        if message["role"] == "tool":
            flat.append(("result", message["tool_call_id"], content))
        elif content:
            if flat and flat[-1][0] == message["role"]:
                content = flat.pop()[1] + content
            flat.append((message["role"], content))
        asked = [(call["id"], call["function"]) for call in message.get("tool_calls") or ()]
        flat.extend(("call", i, function["name"], json.loads(function["arguments"])) for i, function in asked)
    return flat


@given(TURNS)
def test_conversations_survive_the_way_to_anthropic_and_back(turns: list[Any]) -> None:
    messages = as_chat(turns)
    there = outgoing_body(ask({"messages": messages}), ANTHROPIC, 100)
    roles = [turn["role"] for turn in there["messages"]]
    assert all(a != b for a, b in itertools.pairwise(roles))
    for turn in there["messages"]:
        kinds = [block["type"] == "tool_result" for block in turn["content"]]
        assert kinds == sorted(kinds, reverse=True)
    body = {"system": there["system"], "messages": there["messages"]}
    back = outgoing_body(ask(body, Surface.MESSAGES), OPENAI)["messages"]
    assert meaning(back) == meaning(messages)
