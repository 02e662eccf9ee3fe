"""Whatever the pair of surface and wire format, the meaning arrives: texts, calls, reasoning, finish, usage."""

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.usage import Usage
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
from tests.support.responses import (
    assembled,
    begun,
    called,
    ended,
    function_call,
    message,
    said_in_response,
    sent,
    spoken,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
ARGUMENTS = st.dictionaries(NAME, st.one_of(st.integers(-99, 99), TEXT, st.booleans(), st.none()), max_size=3)
PIECES = st.lists(st.one_of(TEXT, st.tuples(NAME, ARGUMENTS)), min_size=1, max_size=6)
CUTS = st.lists(st.integers(0, 5_000), max_size=6)


def halves(text: str) -> list[str]:
    return [half for half in (text[: len(text) // 2], text[len(text) // 2 :]) if half]


def responses_stream(pieces: list[Any], used: Usage) -> bytes:
    out, items = begun(), []
    for place, piece in enumerate(pieces):
        if isinstance(piece, str):
            out += spoken(place, *halves(piece))
            items.append(message(piece, name=f"msg_{place}"))
        else:
            number = sum(item["type"] == "function_call" for item in items)
            arguments = json.dumps(piece[1]) if piece[1] else ""
            out += called(place, f"c{number}", piece[0], *halves(arguments))
            items.append(function_call(f"c{number}", piece[0], arguments, f"fc_{place}"))
    usage = {"input_tokens": used.input, "output_tokens": used.output, "total_tokens": used.input + used.output}
    return sent(*out, ended(*items, usage=usage))


def openai_stream(pieces: list[Any], used: Usage) -> bytes:
    chunks: list[Any] = [chunk({"role": "assistant", "content": ""})]
    number = -1
    for piece in pieces:
        if isinstance(piece, str):
            chunks.append(chunk({"content": piece}))
            continue
        number += 1
        chunks.append(calls({"index": number, "id": f"c{number}", "function": {"name": piece[0], "arguments": ""}}))
        parts = halves(json.dumps(piece[1]) if piece[1] else "")
        chunks.extend(calls({"index": number, "function": {"arguments": part}}) for part in parts)
    usage = {"prompt_tokens": used.input, "completion_tokens": used.output, "total_tokens": used.input + used.output}
    last = chunk(finish="tool_calls" if number >= 0 else "stop")
    return sse(*chunks, last, {**chunk(), "choices": [], "usage": usage}, "[DONE]")


def anthropic_stream(pieces: list[Any], used: Usage) -> bytes:
    out: list[Any] = [message_start(input_tokens=used.input)]
    number = 0
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            out += [block_start(index, {"type": "text", "text": ""})]
            out += [block_delta(index, {"type": "text_delta", "text": piece}), block_stop(index)]
            continue
        out += [block_start(index, {"type": "tool_use", "id": f"c{number}", "name": piece[0], "input": {}})]
        for part in halves(json.dumps(piece[1]) if piece[1] else ""):
            out += [block_delta(index, {"type": "input_json_delta", "partial_json": part})]
        out += [block_stop(index)]
        number += 1
    return named(*out, *message_end("tool_use" if number else "end_turn", output_tokens=used.output))


def said(surface: Surface, out: list[Any], native: bool) -> tuple[str, list[tuple[str, str, Any]]]:
    match surface:
        case Surface.CHAT:
            return chat_text(out), [(i, name, json.loads(text or "{}")) for _, i, name, text in chat_calls(out)]
        case Surface.MESSAGES:
            blocks = message_blocks(out)
            text = "".join(block["text"] for block in blocks if block["type"] == "text")
            uses = [block for block in blocks if block["type"] == "tool_use"]
            return text, [(block["id"], block["name"], block["input"]) for block in uses]
        case _:
            output = assembled(out)
            assert native or output == out[-1]["response"]["output"]
            return said_in_response(output)


@given(PIECES, st.integers(1, 10**6), st.integers(1, 10**5), CUTS)
def test_streams_mean_the_same_on_every_surface_however_they_are_cut(
    pieces: list[Any], prompt: int, output: int, cuts: list[int]
) -> None:
    used = Usage(input=prompt, output=output)
    asked = [piece for piece in pieces if not isinstance(piece, str)]
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    wanted = text, [(f"c{number}", name, arguments) for number, (name, arguments) in enumerate(asked)]
    digests = set()
    for api, surface, upstream in (
        ("responses", Surface.RESPONSES, responses_stream(pieces, used)),
        ("responses", Surface.CHAT, responses_stream(pieces, used)),
        ("responses", Surface.MESSAGES, responses_stream(pieces, used)),
        ("openai", Surface.RESPONSES, openai_stream(pieces, used)),
        ("anthropic", Surface.RESPONSES, anthropic_stream(pieces, used)),
    ):
        stream = relay(ask({"stream": True}, surface), endpoint(api))
        places = [0, *sorted(min(place, len(upstream)) for place in cuts), len(upstream)]
        out = b"".join(stream.feed(upstream[a:b]) for a, b in itertools.pairwise(places)) + stream.end()
        assert (stream.failure, stream.usage) == (None, used)
        assert said(surface, events(out), api == "responses") == wanted
        assert stream.finish is (FinishReason.TOOL_CALLS if asked else FinishReason.STOP)
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


def as_items(turns: list[Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    for place, turn in enumerate(turns):
        if turn[0] != "call":
            items.append({"role": turn[0], "content": turn[1]})
            continue
        items.append(function_call(f"c{place}", turn[1], json.dumps(turn[2])))
        items.append({"type": "function_call_output", "call_id": f"c{place}", "output": turn[3]})
    return [*items, {"role": "user", "content": "?"}]


def flat(items: list[dict[str, Any]]) -> list[Any]:
    """A conversation as what was said, neighbours of one side joined."""
    found: list[Any] = []
    for item in items:
        if item.get("type") == "function_call":
            found.append(("call", item["call_id"], item["name"], json.loads(item["arguments"])))
        elif item.get("type") == "function_call_output":
            found.append(("result", item["call_id"], item["output"]))
        else:
            content = item["content"]
            text = content if isinstance(content, str) else "".join(part["text"] for part in content)
            if found and found[-1][0] == item["role"]:
                text = found.pop()[1] + text
            found.append((item["role"], text))
    return found


@given(TURNS)
def test_conversations_survive_the_way_through_other_formats_and_back(turns: list[Any]) -> None:
    items = as_items(turns)
    asked = ask({"input": items}, Surface.RESPONSES)
    chat = outgoing_body(asked, endpoint("openai"))
    by_chat = outgoing_body(ask({"messages": chat["messages"]}), endpoint("responses"))
    claude = outgoing_body(asked, endpoint("anthropic"), 100)
    body = {"system": claude["system"], "messages": claude["messages"]}
    by_claude = outgoing_body(ask(body, Surface.MESSAGES), endpoint("responses"))
    wanted = flat(items)
    assert flat(by_chat["input"]) == wanted
    assert flat(by_claude["input"]) == wanted
