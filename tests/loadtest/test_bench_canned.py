"""What the benchmark's upstream says, and the prompts that it is asked with."""

from typing import Any

import orjson
import pytest

from loadtest.bench.canned import Pace, stream, whole_reply
from loadtest.bench.measure import wrong_with
from loadtest.bench.workloads import JSON_SMALL, ROWS, bodies, open_streams, prompts


def unchunked(body: bytes) -> bytes:
    found = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        found, body = found + rest[:length], rest[length + 2 :]
    return found


def events_of(data: bytes) -> list[Any]:
    _, _, body = data.partition(b"\r\n\r\n")
    texts = [event.removeprefix(b"data: ") for event in unchunked(body).split(b"\n\n")[:-1]]
    assert texts[-1] == b"[DONE]"
    return [orjson.loads(text) for text in texts[:-1]]


def test_says_its_length_and_what_was_used() -> None:
    head, _, body = whole_reply().partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert orjson.loads(body)["usage"] == {"prompt_tokens": 60, "completion_tokens": 14, "total_tokens": 74}
    assert 300 < len(body) < 400


@pytest.mark.parametrize(("per_write", "writes"), [(1, [1] * 10), (4, [4, 4, 2]), (20, [10])])
def test_gathers_events_into_writes(per_write: int, writes: list[int]) -> None:
    assert [write.events for write in stream(Pace(10, per_write, 0.0))] == writes


@pytest.mark.parametrize("per_write", [1, 4, 20])
def test_streams_a_completion_with_its_usage_in_the_end(per_write: int) -> None:
    events = events_of(b"".join(write.data for write in stream(Pace(10, per_write, 0.0))))
    assert len(events) == 9  # and [DONE]
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    said = [event["choices"][0]["delta"]["content"] for event in events[1:7]]
    assert said == [" word0", " word1", " word2", " word3", " word4", " word5"]
    assert events[7]["choices"][0]["finish_reason"] == "stop"
    assert (events[8]["choices"], events[8]["usage"]["completion_tokens"]) == ([], 6)


@pytest.mark.parametrize("size_bytes", [200, 1000])
def test_asks_sixteen_different_prompts_of_one_size(size_bytes: int) -> None:
    texts = list(prompts(size_bytes))
    assert (len(set(texts)), {len(text.encode()) for text in texts}) == (16, {size_bytes})


def test_asks_streams_for_their_usage_so_that_every_server_is_sent_the_same_events() -> None:
    asked = [[orjson.loads(body).get("stream_options") for body in bodies(row)] for row in (*ROWS, open_streams(5))]
    assert asked == [[None] * 16] * 4 + [[{"include_usage": True}] * 16] * 3


def test_knows_a_reply_that_is_not_the_upstreams() -> None:
    whole = next(row for row in ROWS if row.id == JSON_SMALL)
    streamed = next(row for row in ROWS if row.id == "sse-1")
    assert streamed.pace is not None
    good = b"data: {}\n\n" * (streamed.pace.events - 1) + b"data: [DONE]\n\n"
    assert [
        wrong_with(whole, 200, b'{"usage": {"prompt_tokens": 1}}'),
        wrong_with(whole, 200, b"{}"),
        wrong_with(whole, 502, b"<html>"),
        wrong_with(streamed, 200, good),
        wrong_with(streamed, 200, good[10:]),
        wrong_with(streamed, 200, good.replace(b"[DONE]", b"[OVER]")),
    ] == [None, "no usage", "status 502", None, "199 events instead of 200", "no [DONE]"]
