"""Time limits of the fast lane, by the sweep and a clock of the test's own."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.core.refusal import Refused
from gateway.flow.ports import ClientGone, Clock, ReplySink
from gateway.formats.surface import ClientSurface
from gateway.web import guard
from gateway.web.body import BODY_IDLE_S, BODY_TOTAL_S
from gateway.web.counts import Counts
from gateway.web.guard import HEAD_S, KEEPALIVE_S, Doorkeeper
from gateway.web.lane import AHEAD_BYTES, LINGER_S, SEND_S, Lane
from gateway.web.lanes import Front, Lanes
from tests.support.raw_client import chat_body, request

pytestmark = pytest.mark.interpreted  # the desk is a stand-in

ASK = request(chat_body())
HEADERS: Sequence[tuple[str, str]] = ()


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.told: list[str] = []
        self.unsent = 0
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def write_eof(self) -> None:
        self.told.append("eof")

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.unsent


class DeskOfTest:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.clock = Clock(now_s=lambda: 0.0, epoch_s=lambda: 0.0, new_id=lambda: "id")
        self.asked: list[bytes] = []
        self.cancelled = 0
        self.go = asyncio.Event()

    def check(self, headers: Mapping[str, str]) -> None:
        pass

    async def answer(
        self, surface: ClientSurface, headers: Mapping[str, str], raw: bytes | bytearray, sink: ReplySink
    ) -> None:
        self.asked.append(bytes(raw))
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        sink.whole(200, HEADERS, b"{}")

    def turn_away(
        self, surface: ClientSurface, headers: Mapping[str, str], refused: Refused, sink: ReplySink
    ) -> None:
        sink.whole(400, HEADERS, str(refused).encode())


class Inner(asyncio.Protocol):
    def __init__(self) -> None:
        self.told: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def pause_writing(self) -> None:
        self.told.append("pause")


class House:
    """A lane with everything around it at hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.inner = Inner()
        self.keeper = Doorkeeper(lambda: self.inner, lambda: self.now_s)
        self.desk = DeskOfTest()
        self.counts = Counts()
        self.lanes = Lanes(Front(self.desk, self.counts, lambda: False), self.keeper)  # type: ignore[arg-type]
        self.lane, self.wire = self.connect()

    def connect(self) -> tuple[Lane, Transport]:
        lane, wire = Lane(self.lanes), Transport()
        lane.connection_made(wire)
        return lane, wire

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.keeper.sweep()

    async def turn(self) -> None:
        """Let tasks run."""
        for _ in range(3):
            await asyncio.sleep(0)

    async def answered(self) -> None:
        """The first request is answered and the connection kept."""
        self.desk.go.set()
        self.lane.data_received(ASK)
        await self.turn()
        assert self.wire.sent.endswith(b"{}")
        self.wire.sent = b""


@pytest.fixture
async def house() -> House:
    return House()


@pytest.mark.parametrize("said", [b"", ASK[:40]])
async def test_closes_a_connection_without_a_whole_head(house: House, said: bytes) -> None:
    house.wait(1.0)
    house.lane.data_received(said)
    house.wait(HEAD_S - 1.0)
    assert house.wire.told == []
    house.wait(0.1)
    assert (house.wire.told, house.keeper.timed_out) == (["abort"], 1)


async def test_closes_a_head_that_comes_too_slowly_however_steadily(house: House) -> None:
    for at in range(11):
        house.lane.data_received(ASK[at : at + 1])
        house.wait(1.0)
    assert house.wire.told == ["abort"]


async def test_counts_the_next_heads_time_from_its_first_byte(house: House) -> None:
    await house.answered()
    house.wait(60.0)
    house.lane.data_received(ASK[:1])
    house.wait(HEAD_S)
    assert house.wire.told == []
    house.wait(0.1)
    assert house.wire.told == ["abort"]


async def test_closes_an_idle_connection_without_blaming_its_client(house: House) -> None:
    await house.answered()
    house.wait(KEEPALIVE_S)
    assert house.wire.told == []
    house.wait(0.1)
    assert (house.wire.told, house.keeper.timed_out) == (["close"], 0)


async def test_gives_up_on_a_body_that_stops_coming(house: House) -> None:
    house.lane.data_received(ASK[:-10])
    house.wait(BODY_IDLE_S)
    house.lane.data_received(ASK[-10:-5])
    house.wait(BODY_IDLE_S)
    assert (house.wire.told, house.counts.active) == ([], 1)
    house.wait(0.1)
    assert house.wire.sent.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in house.wire.sent
    assert b"came too slowly" in house.wire.sent
    assert (house.wire.told, house.counts.active, house.keeper.timed_out) == (["eof"], 0, 1)
    house.lane.data_received(ASK[-5:])  # too late, and of no further interest
    house.wait(LINGER_S + 0.1)
    assert (house.wire.told, house.desk.asked) == (["eof", "abort"], [])


async def test_gives_up_on_a_body_that_trickles(house: House) -> None:
    house.lane.data_received(request(b"", length=1_000))
    for _ in range(int(BODY_TOTAL_S)):
        house.lane.data_received(b" ")
        house.wait(1.0)
    assert house.wire.told == []
    house.wait(1.0)
    assert house.wire.told == ["eof"]


async def test_lets_an_answer_take_its_time(house: House) -> None:
    house.lane.data_received(ASK)
    await house.turn()
    house.wait(10_000.0)
    assert (house.wire.told, house.wire.sent) == ([], b"")
    house.desk.go.set()
    await house.turn()
    assert house.wire.sent.endswith(b"{}")


async def test_waits_at_the_end_for_bytes_that_are_on_their_way(house: House) -> None:
    house.desk.go.set()
    house.lane.data_received(request(chat_body(), "Connection: close"))
    await house.turn()
    assert house.wire.told == ["close"]
    house.wire.unsent = 1_000
    house.wait(1.0)
    house.wait(SEND_S)
    assert house.wire.told == ["close"]
    house.wait(0.1)
    assert house.wire.told == ["close", "abort"]


async def test_cuts_off_a_client_that_takes_nothing(house: House) -> None:
    await house.answered()
    house.wire.unsent = 1_000
    house.wait(KEEPALIVE_S)
    house.wire.unsent = 999  # one byte has gone
    house.wait(1.0)
    house.wait(SEND_S)
    assert house.wire.told == []
    house.wait(0.1)
    assert (house.wire.told, house.keeper.timed_out) == (["abort"], 1)


async def test_asks_once_a_sweep_whether_a_half_closed_client_still_waits(house: House) -> None:
    house.lane.data_received(ASK)
    await house.turn()
    assert house.lane.eof_received() is True
    house.wait(1.0)
    assert house.wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n" * 2
    house.lane.connection_lost(None)
    await house.turn()
    assert (house.desk.cancelled, house.counts.active, len(house.keeper)) == (1, 0, 0)


async def test_begins_nothing_for_a_client_that_left_at_once(house: House) -> None:
    house.lane.data_received(ASK)
    house.lane.connection_lost(None)
    await house.turn()
    assert (house.desk.asked, house.counts.active) == ([], 0)


async def test_forgets_a_client_that_leaves_in_the_middle_of_its_body(house: House) -> None:
    house.lane.data_received(ASK[:-1])
    assert house.lane.eof_received() is False
    house.lane.connection_lost(None)
    assert (house.counts.active, len(house.keeper)) == (0, 0)


async def test_reads_no_further_ahead_than_it_may(house: House) -> None:
    house.lane.data_received(ASK)
    await house.turn()
    big = request(chat_body(user="x" * AHEAD_BYTES))
    house.lane.data_received(big)
    house.lane.data_received(big)
    assert house.wire.told == ["pause"]
    house.desk.go.set()
    for _ in range(3):
        await house.turn()
    assert (house.wire.told, len(house.desk.asked)) == (["pause", "resume"], 3)


async def test_finds_the_next_request_behind_a_body_that_came_in_pieces(house: House) -> None:
    house.desk.go.set()
    house.lane.data_received(ASK[:-3])
    house.lane.data_received(ASK[-3:] + ASK + ASK[:9])
    for _ in range(3):
        await house.turn()
    assert house.desk.asked == [chat_body(), chat_body()]
    assert house.wire.told == []


async def test_hands_a_connection_over_with_its_time_and_its_slowness(house: House) -> None:
    house.lane.data_received(ASK[:20])
    house.wait(9.0)
    house.lane.pause_writing()
    house.lane.data_received(b"\nrest")
    assert house.inner.told == ["made", "pause", ASK[:20] + b"\nrest"]
    assert (house.wire.protocol is house.lane, len(house.keeper)) == (False, 1)
    house.wait(1.1)
    assert house.wire.told == ["abort"]


async def test_turns_away_more_connections_than_there_may_be(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "CONNECTIONS_MAX", 1)
    lane, wire = house.connect()
    lane.data_received(ASK)
    await house.turn()
    lane.connection_lost(None)
    assert (wire.told, house.desk.asked, house.keeper.turned_away, len(house.keeper)) == (["abort"], [], 1, 1)


# -- answers that go wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError(), ClientGone(), asyncio.CancelledError()], ids=repr)
async def test_begins_no_pipelined_request_after_an_answer_that_broke_off(house: House, error: BaseException) -> None:
    async def answer(
        surface: ClientSurface, headers: Mapping[str, str], raw: bytes | bytearray, sink: ReplySink
    ) -> None:
        house.desk.asked.append(bytes(raw))
        await sink.head(200, HEADERS)
        await sink.chunk(b"half")
        raise error

    house.desk.answer = answer  # type: ignore[method-assign]
    house.lane.data_received(ASK + ASK)
    await house.turn()
    assert (house.wire.told, len(house.desk.asked), house.counts.active) == (["abort"], 1, 0)
    assert house.wire.sent.endswith(b"4\r\nhalf\r\n")
    house.lane.connection_lost(None)
    assert len(house.keeper) == 0


async def test_waits_at_the_end_of_a_drain_until_what_was_cut_off_has_been_recorded(house: House) -> None:
    recorded = []

    async def answer(
        surface: ClientSurface, headers: Mapping[str, str], raw: bytes | bytearray, sink: ReplySink
    ) -> None:
        try:
            await house.desk.go.wait()
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            recorded.append(bytes(raw))

    house.desk.answer = answer  # type: ignore[method-assign]
    house.wire.abort = lambda: house.lane.connection_lost(None)  # type: ignore[method-assign]
    house.lane.data_received(ASK)
    await house.turn()
    house.lanes.end()
    assert await house.counts.settled(1.0) == 0
    assert recorded == [chat_body()]
