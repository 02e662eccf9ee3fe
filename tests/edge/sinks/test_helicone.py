"""Decision records in the words of Helicone's custom log API."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from gateway.edge.courier import Undelivered
from gateway.edge.sinks.helicone import LANES, Helicone, log_of, request_id
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.post import Post
from tests.support.decisions import ANSWERED, FEEDBACK, ID, REFUSED, TEXTS, numbered
from tests.support.receiver import Receiver, Reply, Sent, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def helicone(receiver: Receiver, key: str = "sk-helicone-1") -> Helicone:
    return Helicone(lambda: Post(receiver.url), SinkKey("helicone", "api-key", "KEY", {"KEY": key}, "/nowhere"))


def decision_in(sent: Sent) -> str:
    return json.loads(sent.body)["providerRequest"]["meta"]["Helicone-Property-Decision"]


LOG: dict[str, Any] = {
    "providerRequest": {
        "url": "custom-model-nopath",
        "json": {"model": "m2"},
        "meta": {
            "Helicone-Request-Id": request_id(ID),
            "Helicone-User-Id": "ann",
            "Helicone-Session-Id": "5e55",
            "Helicone-Session-Name": "support",
            "Helicone-Property-team": "kb",
            "Helicone-Property-user": "ann",
            "Helicone-Property-Decision": ID,
            "Helicone-Property-Surface": "chat",
            "Helicone-Property-Endpoint": "beta/m2",
            "Helicone-Property-Outcome": "ok",
            "Helicone-Property-Attempts": "2",
            "Helicone-Property-Cost-USD": "0.0021",
            "Helicone-Property-Saved-USD": "0.0021",
            "Helicone-Property-Route": "support",
            "Helicone-Property-Variant": "candidate",
            "Helicone-Property-Task": "code",
            "Helicone-Property-Tier": "medium",
            "Helicone-Property-Sensitivity": "internal",
        },
    },
    "providerResponse": {
        "status": 200,
        "headers": {},
        "json": {
            "model": "m2",
            "usage": {
                "prompt_tokens": 120, "completion_tokens": 300, "total_tokens": 420,
                "input": 120, "cached_input": 20, "cache_write": 5, "output": 300, "reasoning": 7, "estimated": False,
            },
        },
    },
    "timing": {
        "startTime": {"seconds": 1_764_000_000, "milliseconds": 500},
        "endTime": {"seconds": 1_764_000_001, "milliseconds": 422},
        "timeToFirstToken": 332,
    },
}  # fmt: skip


def test_tells_a_request_whole(receiver: Receiver) -> None:
    helicone(receiver).deliver([ANSWERED])
    [sent] = receiver.sent
    assert (sent.path, json.loads(sent.body)) == ("/custom/v1/log", LOG)
    assert sent.headers["authorization"] == "Bearer sk-helicone-1"
    assert sent.headers["content-type"] == "application/json"


def test_tells_what_was_refused_before_the_plan() -> None:
    assert log_of(REFUSED) == {
        "providerRequest": {
            "url": "custom-model-nopath",
            "json": {"model": "auto"},
            "meta": {
                "Helicone-Request-Id": request_id("00000000000000ff"),
                "Helicone-Property-Decision": "00000000000000ff",
                "Helicone-Property-Surface": "chat",
                "Helicone-Property-Outcome": "rejected",
                "Helicone-Property-Attempts": "0",
            },
        },
        "providerResponse": {"status": 400, "headers": {}, "json": {"model": "auto", "usage": None}},
        "timing": {
            "startTime": {"seconds": 1_764_000_000, "milliseconds": 500},
            "endTime": {"seconds": 1_764_000_000, "milliseconds": 501},
        },
    }


def test_has_texts_only_where_the_record_has_them() -> None:
    assert "canary" not in json.dumps(log_of(ANSWERED))
    log = log_of(replace(ANSWERED, texts=TEXTS))
    assert log["providerRequest"]["json"] == TEXTS["request"] | {"model": "m2"}
    assert log["providerResponse"]["json"] == json.loads(TEXTS["response"]) | LOG["providerResponse"]["json"]


@pytest.mark.parametrize(
    ("response", "answer"),
    [("said", {"text": "said"}), ("[1]", {"text": [1]}), ("\ud83d", {"text": "\ud83d"}), (None, {})],
)
def test_keeps_an_answer_that_is_no_object_as_a_text(response: str | None, answer: dict[str, Any]) -> None:
    texts = {"request": ["no object"], "response": response}
    log = log_of(replace(ANSWERED, surface="completions", texts=texts))
    assert log["providerResponse"]["json"] == answer | LOG["providerResponse"]["json"]
    assert log["providerRequest"]["json"] == {"model": "m2"}


def test_puts_only_into_meta_what_a_header_may_hold() -> None:
    tags = (("Größe: x", "北京\r\nX-Evil: 1"), ("long", "y" * 1_000))
    meta = log_of(replace(ANSWERED, tags=tags))["providerRequest"]["meta"]
    assert meta["Helicone-Property-Gr--e--x"] == "????X-Evil: 1"
    assert meta["Helicone-Property-long"] == "y" * 256
    assert all(value.isascii() and value.isprintable() for value in meta.values())


def test_names_a_request_by_the_same_uuid_each_time() -> None:
    assert request_id(ID) == request_id(ID) != request_id("0" * 16)
    assert UUID(request_id(ID)).version == 4


def test_leaves_feedback_out(receiver: Receiver) -> None:
    helicone(receiver).deliver([FEEDBACK])
    assert receiver.sent == []


def test_sends_every_row_once_over_a_few_connections(receiver: Receiver) -> None:
    rows = [numbered(number) for number in range(40)]
    helicone(receiver).deliver(rows)
    assert sorted(map(decision_in, receiver.sent)) == [row.id for row in rows]


def test_sends_only_what_is_missing_when_it_tries_again(receiver: Receiver) -> None:
    rows = [numbered(number) for number in range(LANES * 3)]
    sink = helicone(receiver)
    receiver.replies = [Reply()] * 10 + [Reply(503, {"Retry-After": "7"}), Reply(500)]
    with pytest.raises(Undelivered) as caught:
        sink.deliver(rows)
    assert (str(caught.value), caught.value.final, caught.value.retry_after_s) == ("answered 503", False, 7.0)
    tried = len(receiver.sent)
    sink.deliver(rows)
    assert sorted({decision_in(sent) for sent in receiver.sent}) == [row.id for row in rows]
    assert len(receiver.sent) == len(rows) + 2
    assert tried < len(receiver.sent)


def test_counts_what_is_refused_for_good_also_where_it_had_to_try_again(receiver: Receiver) -> None:
    rows = [numbered(1), numbered(2)]
    sink = helicone(receiver)
    receiver.replies = [Reply(400), Reply(500)]
    with pytest.raises(Undelivered, match="500"):
        sink.deliver(rows)
    with pytest.raises(Undelivered) as caught:
        sink.deliver(rows)
    assert (str(caught.value), caught.value.final, caught.value.lost) == ("answered 400", True, 1)
    sink.deliver([numbered(3)])  # of another batch: nothing was refused


def test_goes_on_after_a_row_that_json_cannot_hold(receiver: Receiver) -> None:
    bad = numbered(1, texts={"request": {"a": object()}, "response": None})
    with pytest.raises(Undelivered) as caught:
        helicone(receiver).deliver([bad, numbered(2)])
    assert (caught.value.final, caught.value.lost) == (True, 1)
    assert list(map(decision_in, receiver.sent)) == ["0000000000000002"]


def test_waits_for_a_key_that_is_gone(receiver: Receiver) -> None:
    with pytest.raises(Undelivered) as caught:
        helicone(receiver, key="").deliver([ANSWERED])
    assert (str(caught.value), caught.value.final) == ("its key is gone", False)
