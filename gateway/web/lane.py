"""The fast lane: connections that answer hot requests themselves and hand everything else to aiohttp.

             hot head, body         answered, kept alive
    ready ──────────────────► answering ──────────────► ready
      │ │                       ▲   │
      │ │ hot head              │   │ last answer
      │ ▼                       │   ▼
      │ body ───────────────────┘  closing ──► gone (closed)
      │   │ too large, too slow, no key ▲
      │   └─────────────────────────────┘
      │ any other head: its bytes go to aiohttp, verbatim, and the connection with them
      ▼
     gone (handed over)

aiohttp's own routes serve the same paths, so that correctness never depends on what is hot (`lane_head`). The sweep of
`guard` looks at every limit; a request costs one task and no timer.

A client that closes its side in the middle of a stream has left. One that does so before its answer begins has left, or
sends no more and waits; only writing tells, so it is sent `100 Continue` once a sweep until the answer begins. Who has
left resets the connection, and the upstream is dropped; who waits ignores it (RFC 9110 §15.2).
"""

import asyncio
import logging
from enum import Enum, auto
from typing import cast

from gateway.core.refusal import Refused
from gateway.flow.ending import REFUSAL
from gateway.flow.ports import ClientGone
from gateway.formats.surface import ClientSurface
from gateway.web import body
from gateway.web.guard import head_is_late
from gateway.web.lane_head import HeadReader, HotHead, NotHot
from gateway.web.lane_reply import CONTINUE, LaneSink
from gateway.web.lanes import Lanes

WRITE_HIGH_BYTES = 64 * 1024  # unsent bytes from which the upstream waits for the client
AHEAD_BYTES = 64 * 1024  # of pipelined requests; then the connection is not read
SEND_S = 60.0  # without the client taking a byte (nginx's send_timeout)
LINGER_S = 10.0  # for a client to stop sending what was refused (aiohttp's lingering_time)

log = logging.getLogger(__name__)


class _State(Enum):
    READY = auto()  # for a request, or in the middle of its head
    BODY = auto()
    ANSWERING = auto()
    CLOSING = auto()  # nothing more is read
    GONE = auto()


_READY, _BODY, _ANSWERING, _CLOSING, _GONE = _State  # an attribute of an Enum is a slow look-up


class Lane(asyncio.Protocol):
    """One connection."""

    __slots__ = (
        "_ahead", "_body", "_body_since_s", "_eof", "_head", "_heads", "_held", "_lanes", "_last", "_moved_s",
        "_room", "_running", "_since_s", "_sink", "_state", "_task", "_unsent", "_waiting_since_s", "gone", "paused",
        "transport",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._heads = HeadReader(lanes.surfaces)
        self._state = _READY
        self._ahead = b""  # came and was not looked at: the rest of a head, or pipelined requests
        self._held = False  # too much of that: the connection is not read
        self._eof = False  # the client will send no more
        self._last = False  # the answer under way is the connection's last
        self._since_s = 0.0  # when the state or its last progress began
        self._waiting_since_s: float | None = None  # the first byte of a head
        self._unsent = 0  # bytes at the last look, and since when there are so many
        self._moved_s = 0.0
        self._running = False
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.paused = False
        self.gone = False

    # -- asyncio.Protocol -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # by its methods: uvloop's inherits from nothing
        self._waiting_since_s = self._lanes.keeper.now_s()
        self.transport.set_write_buffer_limits(high=WRITE_HIGH_BYTES)
        if not self._lanes.enters(self):
            self._state, self.gone = _GONE, True

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state is _READY:
            self._advance(self._ahead + data if self._ahead else data)
        elif state is _BODY:
            self._gather(data)
        elif state is _ANSWERING:
            self._ahead += data
            if len(self._ahead) > AHEAD_BYTES and not self._held:
                self._held = True
                self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._eof = True
        if self._state is not _ANSWERING:
            return False  # the transport closes itself
        if self._sink.begun:
            self.cut()
        else:
            self._probe()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        state, self._state, self.gone = self._state, _GONE, True
        self._lanes.leaves(self)
        if state is _BODY:
            self._lanes.counts.leave()
        elif self._task is not None and self._running:
            self._task.cancel()

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _advance(self, data: bytes) -> None:
        """Look at what came while ready."""
        found = self._heads.read(data)
        if isinstance(found, HotHead):
            self._begin(found, data)
        elif found is NotHot.EVER:
            self._hand_over(data)
        else:
            self._ahead = data
            if self._waiting_since_s is None:
                self._waiting_since_s = self._lanes.keeper.now_s()

    def _begin(self, head: HotHead, data: bytes) -> None:
        """The head is complete: the request counts from here."""
        self._lanes.counts.enter()
        self._waiting_since_s = None
        self._last = not head.keep_alive
        end = head.size + head.length
        if len(data) >= end and head.length <= body.BODY_LIMIT_BYTES:
            self._ahead = data[end:]
            self._answer(head, data[head.size : end])
        elif (refused := self._lanes.refusal(head)) is not None:
            self._turn_away(head, refused)
        else:
            self._ahead = b""
            self._head = head
            self._body = bytearray(memoryview(data)[head.size :])
            self._since_s = self._body_since_s = self._lanes.keeper.now_s()
            self._state = _BODY

    def _gather(self, data: bytes) -> None:
        """More of the body."""
        gathered, length = self._body, self._head.length
        gathered += data
        if len(gathered) < length:
            self._since_s = self._lanes.keeper.now_s()
            return
        if len(gathered) > length:
            self._ahead = bytes(memoryview(gathered)[length:])
            del gathered[length:]
        self._body = bytearray()
        self._answer(self._head, gathered)

    def _hand_over(self, data: bytes) -> None:
        """Give the connection to aiohttp, still guarded, with all that it has not seen."""
        self._state = _GONE
        self._lanes.leaves(self)
        guarded = self._lanes.keeper()
        self.transport.set_protocol(guarded)
        guarded.connection_made(self.transport)
        if self._waiting_since_s is not None:
            guarded.waiting_since_s = self._waiting_since_s
        if self.paused:  # by an earlier answer that is still under way
            guarded.pause_writing()
        guarded.data_received(data)

    # -- answering --------------------------------------------------------------------------------------------------

    def _answer(self, head: HotHead, raw: bytes | bytearray) -> None:
        self._state = _ANSWERING
        self._running = False
        self._sink = LaneSink(self)
        self._task = asyncio.get_running_loop().create_task(self._serve(head, raw))

    async def _serve(self, head: HotHead, raw: bytes | bytearray) -> None:
        self._running = True
        surface, sink = self._lanes.surfaces[head.path], self._sink
        try:
            if not self.gone:
                await self._lanes.desk.answer(surface, head.headers, raw, sink)
        except ClientGone:
            self.cut()
        except asyncio.CancelledError:
            self.cut()  # whoever cancels, nothing more can be said
            raise
        except Exception:
            log.exception("a request failed by a fault of the gateway")
            self._fail(surface, sink)
        finally:
            self._lanes.counts.leave()
            self._running = False
        if self._state is _ANSWERING:
            self._answered()

    def _fail(self, surface: ClientSurface, sink: LaneSink) -> None:
        if sink.begun or self.gone:
            self.cut()
        else:
            self._lanes.desk.broken(surface, sink)

    def _answered(self) -> None:
        self._task = None
        if self._last or (self._eof and not self._ahead):
            self._shut()
            return
        self._state = _READY
        self._since_s = self._lanes.keeper.now_s()
        if self._held and not self._eof:
            self.transport.resume_reading()
        self._held = False
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            self._advance(ahead)
        if self._eof and self._state in (_READY, _BODY):
            self._lanes.turn.flush()
            self.transport.abort()  # half a request, and the rest will never come

    def _turn_away(self, head: HotHead, refused: Refused) -> None:
        """Answer without having read the body, and let the client finish sending before the connection goes."""
        self._last = True
        self._sink = LaneSink(self)
        self._lanes.desk.turn_away(self._lanes.surfaces[head.path], head.headers, refused, self._sink)
        self._lanes.counts.leave()
        self._state = _CLOSING
        self._since_s = self._lanes.keeper.now_s()
        self._lanes.turn.flush()
        self.transport.write_eof()

    def _shut(self) -> None:
        self._state = _CLOSING
        self._since_s = self._lanes.keeper.now_s()
        self._lanes.turn.flush()
        self.transport.close()

    def _probe(self) -> None:
        """Find out whether a client that closed its side is still there."""
        if self._eof and not self._sink.begun:
            self.transport.write(CONTINUE)

    # -- for the sink -----------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self._lanes.turn.write(self.transport, data)

    def cut(self) -> None:
        if self._state is not _GONE:
            self._state = _CLOSING
            self.transport.abort()

    def closes(self) -> bool:
        self._last = self._last or self._lanes.drained() or (self._eof and not self._ahead)
        return self._last

    def common(self) -> bytes:
        return self._lanes.common()

    async def writable(self) -> None:
        self._room = asyncio.get_running_loop().create_future()
        await self._room  # a client that leaves cancels the task

    # -- for the sweep and the drain --------------------------------------------------------------------------------

    def check(self, now_s: float) -> bool:
        """Act on the limits that have run out; whether the client was too slow."""
        if self._stalled(now_s):
            self.transport.abort()
            return True
        match self._state:
            case _State.READY:
                return self._check_ready(now_s)
            case _State.BODY:
                return self._check_body(now_s)
            case _State.ANSWERING:
                self._probe()
            case _State.CLOSING:
                if not self._unsent and now_s - self._since_s > LINGER_S:
                    self.transport.abort()
            case _State.GONE:
                pass
        return False

    def _stalled(self, now_s: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent != self._unsent:
            self._unsent, self._moved_s = unsent, now_s
            return False
        return now_s - self._moved_s > SEND_S

    def _check_ready(self, now_s: float) -> bool:
        if head_is_late(self._waiting_since_s, now_s):
            self.transport.abort()
            return True
        if self._waiting_since_s is None and not self._unsent and now_s - self._since_s > self._lanes.idle_s:
            self._shut()
        return False

    def _check_body(self, now_s: float) -> bool:
        if now_s - self._since_s <= body.BODY_IDLE_S and now_s - self._body_since_s <= body.BODY_TOTAL_S:
            return False
        self._turn_away(self._head, body.too_slow())
        self._body = bytearray()
        return True

    def retire(self, now_s: float) -> None:
        """Close if no request is under way, nor likely to be: a client may just have been told that it may ask on."""
        if self._state is _READY and not self._ahead and now_s - self._since_s >= self._lanes.idle_s:
            self._shut()

    def break_off(self) -> None:
        """The process ends: cancel the answer under way, and begin no other."""
        self._last = True
        match self._state:
            case _State.READY:
                self._shut()
            case _State.BODY:
                self._turn_away(self._head, Refused(REFUSAL))
                self._body = bytearray()
            case _State.ANSWERING if self._task is not None:  # it may have been made in this turn: it begins first
                asyncio.get_running_loop().call_soon(self._task.cancel)
            case _:
                pass

    def may_ask(self) -> bool:
        """Whether the client may take the connection for one that is kept alive."""
        return self._state is _READY

    def end(self) -> None:
        """End now, unless the last answer is being sent."""
        if self._state is not _CLOSING:
            self.transport.abort()
