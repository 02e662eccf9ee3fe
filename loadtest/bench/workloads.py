"""What is measured: the rows, and the requests that make them.

Prompts differ from request to request and fall into several tasks, so that no cache of one text can flatter anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Literal

import orjson

from loadtest.bench.canned import Pace

Unit = Literal["request", "event"]

_PROMPTS = 16
_OPENINGS = (
    "Please write a friendly note to my neighbour about the parcels.",
    "Summarize the minutes below in three sentences for the board.",
    "Translate the following paragraph into French, keeping its tone.",
    "What is the capital of Mongolia, and how many people live there?",
    "Refactor this function so that it reads the file only once.",
    "Prove that the sum of two even numbers is even, step by step.",
    "Classify this review as positive, negative or neutral.",
    "Draft an email to anna.berg@northwind-traders.com: the delivery of 14 May is late.",
)
_SENTENCES = (
    "The train from Hamburg arrives at 9:40 and leaves again at 10:05.",
    "Nobody had expected so many visitors on a rainy Tuesday.",
    "Order 4711 holds 12 chairs, 3 tables and one lamp.",
    "She keeps her notes in a blue folder beside the window.",
    "The budget for 2026 grew by 3.5 percent over last year.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: this load, put on each of `servers` in turn."""

    id: str
    title: str
    unit: Unit
    prompt_bytes: int
    connections: int
    servers: tuple[str, ...]
    pace: Pace | None = None  # of streams; None: whole replies


JSON_SMALL = "json-small"  # the row that `--check` looks at
SEEING = "seeing"  # the one that `--check-seeing` looks at
YARDSTICK = "nginx"
PLAIN, SCANNING = "gateway", "gateway+detect"
SOURCES = "gateway as sources"  # interpreted, where the others are compiled
SEEN, UNSEEN = "gateway+traces", "gateway-unseen"  # of the row `SEEING`

# 32 connections keep a server busy, one lets it wait for every request.
# The paces keep every server below one core, so that events reach it one by one and cannot pile up into one read.
ROWS = (
    Row(JSON_SMALL, "whole reply, 200 B prompt", "request", 200, 32, (YARDSTICK, PLAIN, SOURCES, SCANNING)),
    Row("json-1k", "whole reply, 1 KB prompt", "request", 1000, 32, (YARDSTICK, PLAIN, SCANNING)),
    Row("json-one", "whole reply, one request at a time", "request", 200, 1, (YARDSTICK, PLAIN)),
    Row(SEEING, "what seeing costs, 200 B prompt", "request", 200, 32, (YARDSTICK, UNSEEN, SEEN)),
    Row("sse-1", "stream, one event per write", "event", 200, 32, (YARDSTICK, PLAIN), Pace(200, 1, 5.0)),
    Row("sse-20", "stream, 20 events per write", "event", 200, 32, (YARDSTICK, PLAIN), Pace(200, 20, 25.0)),
)


def open_streams(streams: int) -> Row:
    """Many slow streams at a time, ten events per second each: what a stream costs by being open."""
    title = f"{streams} open streams, 10 events/s each"
    return Row("streams", title, "event", 200, streams, (YARDSTICK, PLAIN), Pace(1200, 1, 100.0))


def bodies(row: Row) -> list[bytes]:
    """The request bodies of a row, to be sent in turn."""
    return [_body(prompt, row.pace) for prompt in prompts(row.prompt_bytes)]


def prompts(size_bytes: int) -> Iterator[str]:
    """`_PROMPTS` different texts of exactly that many bytes (at least 100)."""
    for number in range(_PROMPTS):
        sentences = islice(cycle(_SENTENCES), number % len(_SENTENCES), None)
        text = f"{_OPENINGS[number % len(_OPENINGS)]} ({number})"
        while len(text) < size_bytes:
            text = f"{text} {next(sentences)}"
        yield text[:size_bytes]


def vocabulary() -> list[str]:
    """The words that the prompts are made of."""
    return sorted({word for text in (*_OPENINGS, *_SENTENCES) for word in text.split()})


def _body(prompt: str, pace: Pace | None) -> bytes:
    asked: dict[str, object] = {
        "model": "auto",
        "messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": prompt}],
        "max_tokens": 300,
    }
    if pace is not None:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return orjson.dumps(asked)
