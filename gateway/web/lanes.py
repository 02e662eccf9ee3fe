"""What the connections of the fast lane share, and their common end at a drain."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.core.refusal import Refused
from gateway.formats.registry import surfaces
from gateway.formats.surface import ClientSurface
from gateway.upstream.turn import Turn
from gateway.web import body
from gateway.web.counts import Counts
from gateway.web.desk import Desk
from gateway.web.guard import KEEPALIVE_S, Doorkeeper, Watched
from gateway.web.lane_head import HotHead
from gateway.web.lane_reply import Stamp

# At a drain, for the next request on a connection whose last answer began before it and so did not say that it was the
# last. To close at the answer's end would be to cut off a client that asks again at once.
PARTING_S = 1.0
PARTING_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Front:
    """What the lane needs from the application before which it stands."""

    desk: Desk
    counts: Counts
    drained: Callable[[], bool]


class OpenLane(Watched, Protocol):
    """A connection, as its end is prepared."""

    def retire(self, now_s: float) -> None:
        """Close if no request is under way, nor likely to be."""

    def may_ask(self) -> bool:
        """Whether the client may take the connection for one that is kept alive."""


class Lanes:
    """What the connections of one server share."""

    def __init__(self, front: Front, keeper: Doorkeeper) -> None:
        self.desk = front.desk
        self.counts = front.counts
        self.drained = front.drained
        self.keeper = keeper
        self.surfaces: dict[bytes, ClientSurface] = {one.path.encode("ascii"): one for one in surfaces().values()}
        self.turn = Turn()
        self.idle_s = KEEPALIVE_S  # how long a connection may wait for a request
        self._stamp = Stamp()
        self._open: set[OpenLane] = set()

    def __iter__(self) -> Iterator[OpenLane]:
        """The open connections."""
        return iter(tuple(self._open))

    def common(self) -> bytes:
        """The lines of every head."""
        return self._stamp.lines(self.desk.clock.epoch_s())

    def refusal(self, head: HotHead) -> Refused | None:
        """Why the body of this request need not be read."""
        try:
            self.desk.check(head.headers)
        except Refused as refused:
            return refused
        return body.too_large() if head.length > body.BODY_LIMIT_BYTES else None

    def enters(self, lane: OpenLane) -> bool:
        """A connection is open; False where there are too many."""
        if not self.keeper.opened(lane, lane.transport):
            return False
        self._open.add(lane)
        return True

    def leaves(self, lane: OpenLane) -> None:
        self.keeper.closed(lane)
        self._open.discard(lane)

    def retire(self) -> None:
        """Close the connections that wait for a request; the sweep will close those that have waited a moment."""
        self.turn.flush()
        self.idle_s = PARTING_S if self.drained() else 0.0
        for lane in self:
            lane.retire(self.keeper.now_s())

    async def parting(self) -> bool:
        """Wait a little for connections that may bring one more request; False, at once, where there are none."""
        if not any(lane.may_ask() for lane in self):
            return False
        await asyncio.sleep(PARTING_LOOK_S)
        return True

    def break_off(self) -> None:
        """Have every request under way, at either door, end with a word about it."""
        self.desk.ending.begin()
        self.keeper.break_off()

    def end(self) -> None:
        """Cut what is unfinished, at either door."""
        self.turn.flush()
        self.keeper.end()
