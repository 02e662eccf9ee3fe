"""Whatever the pair of surface and wire format, the meaning arrives: texts, thoughts, calls, finish, usage, turns."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.chat import FinishReason
from gateway.core.usage import Usage
from gateway.formats import registry
from gateway.formats.arguments import read_arguments
from tests.support.formats import ask, chat_calls, chat_text, endpoint, events, message_blocks, outgoing_body, relay
from tests.support.meanings import ANSWERS, CONVERSATIONS, Call, Piece, Thought
from tests.support.responses import assembled, said_in_response

TEXT = st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12)
NAME = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
ARGUMENTS = st.dictionaries(NAME, st.one_of(st.integers(-99, 99), TEXT, st.booleans(), st.none()), max_size=3)
PIECES = st.lists(st.one_of(TEXT, st.builds(Thought, TEXT), st.tuples(NAME, ARGUMENTS)), min_size=1, max_size=6)
CUTS = st.lists(st.integers(0, 5_000), max_size=6)
SURFACES = (Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES)
EVERY_FORMAT = pytest.mark.parametrize("api", ANSWERS)


def test_every_wire_format_that_is_no_hosts_variant_is_here() -> None:
    own = {api for api in registry.wire_formats() if "-" not in api}
    assert ANSWERS.keys() == CONVERSATIONS.keys() == own


def said(surface: Surface, out: list[Any]) -> tuple[str, str, list[tuple[str, str, Any]]]:
    """Text, thoughts and calls (id, name, arguments) as a client of the surface understands them."""
    match surface:
        case Surface.CHAT:
            found = [chunk["choices"][0]["delta"] for chunk in out if isinstance(chunk, dict) and chunk["choices"]]
            thought = "".join(delta.get("reasoning_content") or "" for delta in found)
            calls = [(i, name, read_arguments(arguments)) for _, i, name, arguments in chat_calls(out)]
            return chat_text(out), thought, calls
        case Surface.MESSAGES:
            blocks = message_blocks(out)
            text = "".join(block["text"] for block in blocks if block["type"] == "text")
            thought = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
            calls = [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
            return text, thought, calls
        case _:
            items = assembled(out)
            text, calls = said_in_response(items)
            thoughts = [item["summary"] for item in items if item["type"] == "reasoning"]
            return text, "".join(part["text"] for summary in thoughts for part in summary), calls


def answer_of(drawn: list[Any]) -> list[Piece]:
    """Calls get their ids."""
    return [Call(f"c{n}", *piece) if isinstance(piece, tuple) else piece for n, piece in enumerate(drawn)]


@EVERY_FORMAT
@given(PIECES, st.integers(1, 9), st.integers(1, 10**6), st.integers(1, 10**5), CUTS)
def test_streams_mean_the_same_on_every_surface_however_they_are_cut(
    api: str, drawn: list[Any], step: int, prompt: int, output: int, cuts: list[int]
) -> None:
    used, pieces = Usage(input=prompt, output=output), answer_of(drawn)
    upstream = ANSWERS[api](pieces, step, used)
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    asked = [(piece.id, piece.name, piece.arguments) for piece in pieces if isinstance(piece, Call)]
    digests = set()
    for surface in SURFACES:
        stream = relay(ask({"stream": True}, surface), endpoint(api))
        places = [0, *sorted(min(place, len(upstream)) for place in cuts), len(upstream)]
        out = b"".join(stream.feed(upstream[a:b]) for a, b in itertools.pairwise(places)) + stream.end()
        assert stream.failure is None
        assert said(surface, events(out)) == (text, thought, asked)
        assert stream.finish is (FinishReason.TOOL_CALLS if asked else FinishReason.STOP)
        assert stream.usage == used
        digests.add(stream.text_digest)
    assert len(digests) == 1


TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("user"), TEXT),
        st.tuples(st.just("image"), TEXT),
        st.tuples(st.just("assistant"), TEXT),
        st.tuples(st.just("calls"), st.lists(st.tuples(NAME, ARGUMENTS, TEXT), min_size=1, max_size=3)),
    ),
    min_size=1,
    max_size=6,
)
PIXEL = "iVBORw0="


def as_chat(turns: list[Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    for index, (kind, told) in enumerate(turns):
        if kind == "image":
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
            messages.append({"role": "user", "content": [{"type": "text", "text": told}, image]})
        elif kind == "calls":
            made = [
                {"id": f"c{index}_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
                for n, (name, given, _) in enumerate(told)
            ]
            messages.append({"role": "assistant", "content": None, "tool_calls": made})
            results = [one[2] for one in told]
            messages += [
                {"role": "tool", "tool_call_id": f"c{index}_{n}", "content": text} for n, text in enumerate(results)
            ]
        else:
            messages.append({"role": kind, "content": told})
    return [*messages, {"role": "user", "content": "?"}]


def as_messages(turns: list[Any]) -> list[dict[str, Any]]:
    """The same conversation as a client of the messages surface has it: all results of a turn's calls in one."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "u"}]
    for index, (kind, told) in enumerate(turns):
        if kind == "image":
            image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
            messages.append({"role": "user", "content": [{"type": "text", "text": told}, image]})
        elif kind == "calls":
            uses = [
                {"type": "tool_use", "id": f"c{index}_{n}", "name": name, "input": given}
                for n, (name, given, _) in enumerate(told)
            ]
            results = [
                {"type": "tool_result", "tool_use_id": f"c{index}_{n}", "content": one[2]} for n, one in enumerate(told)
            ]
            messages += [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]
        else:
            messages.append({"role": kind, "content": told})
    return [*messages, {"role": "user", "content": "?"}]


def meaning(turns: list[Any]) -> list[Any]:
    flat: list[Any] = [("system", "s"), ("user", "u")]
    for index, (kind, told) in enumerate(turns):
        if kind == "image":
            flat += [("user", told), ("user", "media", PIXEL)]
        elif kind == "calls":
            flat += [("call", f"c{index}_{n}", name, given) for n, (name, given, _) in enumerate(told)]
            flat += [("result", f"c{index}_{n}", result) for n, (_, _, result) in enumerate(told)]
        else:
            flat.append((kind, told))
    return joined([*flat, ("user", "?")])


def joined(flat: list[Any]) -> list[Any]:
    """Neighbouring texts of one side as one: formats cut them differently."""
    out: list[Any] = []
    for one in flat:
        if out and len(one) == 2 and len(out[-1]) == 2 and out[-1][0] == one[0]:
            out[-1] = (one[0], out[-1][1] + one[1])
        elif one != (one[0], ""):
            out.append(one)
    return out


@EVERY_FORMAT
@given(TURNS)
def test_conversations_say_the_same_in_every_wire_format(api: str, turns: list[Any]) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    chat = ask({"messages": as_chat(turns), "tools": tools})
    uses = [{"name": "f", "input_schema": {"type": "object"}}]
    messages = ask({"system": "s", "messages": as_messages(turns), "tools": uses}, Surface.MESSAGES)
    for asked in (chat, messages):
        assert registry.wire_format(api).inexpressible(asked, endpoint(api)).fields == set()
        if asked.surface is Surface.MESSAGES and api == "anthropic":
            continue  # goes as it is
        found = CONVERSATIONS[api](outgoing_body(asked, endpoint(api), 100))
        assert joined(found) == meaning(turns)


@given(TURNS)
def test_turns_for_anthropic_alternate_and_begin_with_results(turns: list[Any]) -> None:
    there = outgoing_body(ask({"messages": as_chat(turns)}), endpoint("anthropic"), 100)
    roles = [turn["role"] for turn in there["messages"]]
    assert all(a != b for a, b in itertools.pairwise(roles))
    for turn in there["messages"]:
        kinds = [block["type"] == "tool_result" for block in turn["content"]]
        assert kinds == sorted(kinds, reverse=True)


@given(TURNS)
def test_results_for_gemini_follow_their_calls_in_order(turns: list[Any]) -> None:
    contents = outgoing_body(ask({"messages": as_chat(turns)}), endpoint("gemini"))["contents"]
    for turn, following in itertools.pairwise(contents):
        asked = [part["functionCall"]["id"] for part in turn["parts"] if "functionCall" in part]
        answered = [part["functionResponse"]["id"] for part in following["parts"] if "functionResponse" in part]
        assert asked == answered
