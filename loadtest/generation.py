"""From what is asked to what is answered: text or tool calls, cut to the limits, with exact usage.

Owns the rules that every wire format shares (when a tool is called, what `max_tokens` and `stop` cut off, what
is cached). The formats' files only spell the result.
"""

import json
from dataclasses import dataclass, replace
from itertools import islice

from loadtest import answers, tokens
from loadtest.asks import Ask, Tool, prefix_text
from loadtest.billing import Tokens
from loadtest.prompt_cache import BLOCK_TOKENS, PromptCache
from loadtest.quality import FLAWLESS, Quality
from loadtest.schemas import Sampler
from loadtest.verdicts import verdict


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. The name's tokens come with its beginning, the arguments' one by one."""

    id: str
    name: str
    arguments: tuple[str, ...]

    @property
    def name_tokens(self) -> int:
        return tokens.count(self.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, token by token. `finish` is "stop", "stop_sequence", "length" or "tool_calls"."""

    usage: Tokens
    finish: str
    thoughts: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    stop_sequence: str | None = None


def generate(ask: Ask, speaker: str, cache: PromptCache, quality: Quality = FLAWLESS) -> Answer:
    """Answers `ask`; `speaker` signs the text, unless answers differ in quality: then they are there to be judged.

    Never longer than `max_tokens` and the model's own limit.
    """
    limit = min(ask.max_tokens or ask.model.max_output, ask.model.max_output)
    thoughts = tuple(tokens.pieces(answers.thoughts(ask.question))[:limit]) if ask.reasons else ()
    wanted = _calls(ask)
    if wanted:
        calls, cut = _clip_calls(wanted, limit - len(thoughts))
        answer = Answer(Tokens(0), "length" if cut else "tool_calls", thoughts=thoughts, calls=calls)
    else:
        answer = _text_answer(ask, _text(ask, speaker, quality), thoughts, limit)
    return replace(answer, usage=_usage(ask, answer, cache))


def _text_answer(ask: Ask, whole: str, thoughts: tuple[str, ...], limit: int) -> Answer:
    text, stopped_by = _until_stop(whole, ask.stop)
    pieces = tokens.pieces(text)
    room = limit - len(thoughts)
    if len(pieces) > room:
        return Answer(Tokens(0), "length", thoughts=thoughts, text=tuple(pieces[:room]))
    finish = "stop" if stopped_by is None else "stop_sequence"
    return Answer(Tokens(0), finish, thoughts=thoughts, text=tuple(pieces), stop_sequence=stopped_by)


def _text(ask: Ask, speaker: str, quality: Quality) -> str:
    if ask.schema is not None:
        value = (
            Sampler(ask.schema, ask.question).value()
            if ask.schema
            else {"answer": answers.compose(ask.question, speaker)}
        )
        return json.dumps(value, ensure_ascii=False)
    last = ask.turns[-1] if ask.turns else None
    if last is not None and last.role == "tool":
        return answers.after_tools(last.text, speaker)
    text = _composed(ask, speaker, quality)
    return f"{ask.question}{text}" if ask.echo else text


def _composed(ask: Ask, speaker: str, quality: Quality) -> str:
    judged = verdict(ask.question)
    if judged is not None:
        return judged
    if not quality.rules:
        return answers.compose(ask.question, speaker)
    done_well = quality.does_well(ask.model.id, ask.question)
    return answers.unsigned(ask.question) if done_well else answers.poor(ask.question)


def _until_stop(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(text.index(stop), stop) for stop in stops if stop and stop in text]
    if not found:
        return text, None
    at, stop = min(found)
    return text[:at], stop


def _calls(ask: Ask) -> list[Call]:
    """The tools this answer calls: one if it must or the prompt names one, several if the prompt asks for several."""
    chosen = _chosen(ask)
    if not chosen:
        return []
    several = ask.tools.parallel and any(word in ask.question.lower() for word in ("parallel", "each", "both"))
    if several and len(chosen) == 1:
        chosen = chosen * 2
    elif not several:
        chosen = chosen[:1]
    serial = len(ask.turns)
    return [_call(ask, tool, f"call_{serial:03d}_{nth}", nth) for nth, tool in enumerate(chosen)]


def _chosen(ask: Ask) -> list[Tool]:
    offered, choice = list(ask.tools.offered), ask.tools.choice
    answered = bool(ask.turns) and ask.turns[-1].role == "tool"
    if choice == "none" or (answered and choice == "auto"):
        return []
    if choice.startswith("named:"):
        return [tool for tool in offered if tool.name == choice.removeprefix("named:")]
    question = ask.question.lower()
    named = [
        tool for tool in offered if tool.name.lower() in question or tool.name.lower().replace("_", " ") in question
    ]
    if named or choice == "required" or "tool" in question:
        return named or offered
    return []


def _call(ask: Ask, tool: Tool, call_id: str, nth: int) -> Call:
    value = Sampler(tool.schema or {"type": "object"}, ask.question, nth).value()
    return Call(call_id, tool.name, tuple(tokens.pieces(json.dumps(value, ensure_ascii=False))))


def _clip_calls(calls: list[Call], room: int) -> tuple[tuple[Call, ...], bool]:
    """The calls that fit into `room` tokens, the last one cut; and whether anything was cut."""
    kept: list[Call] = []
    for call in calls:
        room -= call.name_tokens
        if room < 0:
            return tuple(kept), True
        fitting = tuple(islice(call.arguments, room))
        kept.append(replace(call, arguments=fitting))
        if len(fitting) < len(call.arguments):
            return tuple(kept), True
        room -= len(fitting)
    return tuple(kept), False


def _usage(ask: Ask, answer: Answer, cache: PromptCache) -> Tokens:
    called = sum(call.name_tokens + len(call.arguments) for call in answer.calls)
    output = (len(answer.thoughts) + len(answer.text) + called) * ask.choices
    cached, written = _cache_tokens(ask, cache)
    return Tokens(
        input=ask.input_tokens,
        output=output,
        cached=cached,
        cache_write=written,
        reasoning=len(answer.thoughts) * ask.choices,
    )


def _cache_tokens(ask: Ask, cache: PromptCache) -> tuple[int, int]:
    """(read, written). Vendors that bill no writes cache every prompt; the others only what the client marked."""
    if ask.model.price.cache_write is None:
        if ask.model.price.cached_input is None:
            return 0, 0
        return cache.look_up(ask.model.id, ask.prompt), 0
    if ask.marked_turns is None:
        return 0, 0
    marked = prefix_text(ask.tools.offered, ask.turns[: ask.marked_turns])
    cached = cache.look_up(ask.model.id, marked)
    whole_blocks = tokens.count(marked) // BLOCK_TOKENS * BLOCK_TOKENS
    return cached, whole_blocks - cached
