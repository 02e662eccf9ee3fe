"""JSON lines to a URL of one's own."""

import hmac
import json
from collections.abc import Iterator
from hashlib import sha256

import pytest

from gateway.core.record import record
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.webhook import Webhook, signature
from tests.support.decisions import ANSWERED, FEEDBACK, REFUSED
from tests.support.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def webhook(receiver: Receiver, **environ: str) -> Webhook:
    token = SinkKey("webhook", "token", "TOKEN", environ, "/nowhere")
    signing = SinkKey("webhook", "signing-key", "SIGNING", environ, "/nowhere")
    return Webhook(receiver.url + "/in?tenant=7", token, signing, lambda: 1_700_000_000.4)


def test_sends_each_row_as_a_line(receiver: Receiver) -> None:
    webhook(receiver).deliver([ANSWERED, FEEDBACK, REFUSED])
    [sent] = receiver.sent
    assert sent.path == "/in?tenant=7"
    assert [json.loads(line) for line in sent.body.splitlines()] == [record(ANSWERED), FEEDBACK, record(REFUSED)]
    assert sent.body.endswith(b"\n")
    assert sent.headers["content-type"] == "application/x-ndjson"
    assert {"authorization", "pointsman-signature"}.isdisjoint(sent.headers)


def test_names_itself_and_signs_what_it_sends(receiver: Receiver) -> None:
    webhook(receiver, TOKEN="t-1", SIGNING="s-1").deliver([FEEDBACK])
    [sent] = receiver.sent
    assert sent.headers["authorization"] == "Bearer t-1"
    expected = hmac.new(b"s-1", b"1700000000." + sent.body, sha256).hexdigest()
    assert sent.headers["pointsman-signature"] == f"t=1700000000,v1={expected}"


def test_signs_as_anybody_would() -> None:
    # printf '1700000000.{}' | openssl dgst -sha256 -hmac key
    expected = "9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
    assert signature("key", 1_700_000_000, b"{}") == f"t=1700000000,v1={expected}"


def test_leaves_out_a_row_that_cannot_be_written(receiver: Receiver) -> None:
    with pytest.raises(Undelivered) as caught:
        webhook(receiver).deliver([{"n": 1}, {"n": object()}, {"n": 2}])
    assert (caught.value.final, caught.value.lost) == (True, 1)
    assert receiver.sent[0].body == b'{"n":1}\n{"n":2}\n'
