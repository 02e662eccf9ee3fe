"""Every sink behind its courier, with receivers that are slow, dead, overloaded, broken or of another opinion."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.edge.courier import Courier, Means, Rules
from gateway.edge.lines import Row
from gateway.edge.sinks.configured import SINKS, Here
from tests.support.decisions import numbered
from tests.support.receiver import NEVER, Receiver, Reply, receiving

KEY = "sk-canary"
BODY = b"canary: what the other side wrote"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def here(url: str, tmp_path: Path) -> Here:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "LANGFUSE_HOST": url,
        "LANGFUSE_PUBLIC_KEY": KEY,
        "LANGFUSE_SECRET_KEY": KEY,
        "HELICONE_BASE_URL": url,
        "HELICONE_API_KEY": KEY,
        "POINTSMAN_WEBHOOK_URL": url,
    }
    return Here(environ, lambda: {"service.name": "gate"}, str(tmp_path))


def standing(sink: str, place: Here) -> Courier[Row]:
    """A courier that works when it is told to; its dice always show 0."""
    deliver, rules = SINKS[sink](place)
    return Courier(sink, deliver, rules, means=Means(draw=lambda: 0.0, start=lambda _name, _run: None))


def counted(courier: Courier[Row]) -> tuple[int, int, int, int]:
    return courier.delivered, courier.dropped, courier.retries, courier.waiting


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [(Reply(429, {"Retry-After": "17"}, BODY), 17.0), (Reply(500, {}, BODY), 0.5), (Reply(503), 0.5)],
)
def test_comes_back_when_it_is_told_to(
    receiver: Receiver, tmp_path: Path, sink: str, reply: Reply, wait_s: float
) -> None:
    courier = standing(sink, here(receiver.url, tmp_path))
    receiver.replies = [reply]
    courier.add(numbered(1))
    assert courier.turn() == wait_s
    assert counted(courier) == (0, 0, 1, 1)
    courier.turn()
    assert counted(courier) == (1, 0, 1, 0)
    first, second = receiver.sent
    assert (first.path, first.body) == (second.path, second.body)


@pytest.mark.parametrize("sink", SINKS)
def test_keeps_what_nobody_takes(tmp_path: Path, sink: str) -> None:
    with socket.socket() as held:  # bound and not listening: nobody else can have the port
        held.bind(("127.0.0.1", 0))
        courier = standing(sink, here(f"http://127.0.0.1:{held.getsockname()[1]}", tmp_path))
        courier.add(numbered(1))
        assert [courier.turn(), courier.turn()] == [0.5, 1.0]
        courier.add(numbered(2))
        assert counted(courier) == (0, 0, 2, 2)


@pytest.mark.parametrize("sink", SINKS)
@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_drops_what_is_refused_and_says_so_once(
    receiver: Receiver, tmp_path: Path, sink: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    courier = standing(sink, here(receiver.url, tmp_path))
    receiver.always = Reply(status, {"Retry-After": "17"}, BODY)
    for number in range(3):
        courier.add(numbered(number))
        courier.turn()
    assert counted(courier) == (0, 3, 0, 0)
    assert [record.message for record in caplog.records] == [f"{sink}: answered {status}; such records are dropped"]


@pytest.mark.parametrize("sink", SINKS)
def test_never_waits_for_a_receiver_that_does_not_answer(receiver: Receiver, tmp_path: Path, sink: str) -> None:
    receiver.always = NEVER
    deliver, _rules = SINKS[sink](here(receiver.url, tmp_path))
    courier = Courier(sink, deliver, Rules(queue_limit=10, linger_s=0.001))
    courier.add(numbered(0))
    receiver.wait_for(1)  # the thread hangs there from now on
    for number in range(1, 16):
        courier.add(numbered(number))
    assert counted(courier) == (0, 5, 0, 11)
    courier.close(0.0)
    assert counted(courier) == (0, 16, 0, 0)
