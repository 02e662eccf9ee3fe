"""A stream cut at every byte: that nothing depends on how a network portions it.

Bytes meet only the framing, and everything behind it meets whole events. So at every boundary of a stream its framing
is fed the event around it in two pieces, and must give the same event and be as it was before; and a whole relay is fed
the stream byte by byte, which is every cut at once; its first two events in two pieces at every boundary, since a
relay looks at bytes itself until the first event is there; and the whole of it in two pieces at some places.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from gateway.formats.relay import Framing
from gateway.formats.wire import StreamRelay

PLACES = 16
Start = Callable[[], StreamRelay]


def event_ends(framing: Framing, body: bytes) -> list[int]:
    """Where each event is whole; the last entry is the end of the stream."""
    ends = [at + 1 for at in range(len(body)) if framing.feed(body[at : at + 1])]
    return ends if ends and ends[-1] == len(body) else [*ends, len(body)]


def framing_holds(make: Callable[[], Framing], body: bytes) -> int:
    """How many boundaries were cut; fails at the first that matters."""
    ends = [0, *event_ends(make(), body)]
    running = make()
    for start, end in pairwise(ends):
        piece = body[start:end]
        before, wanted, after = _state(running), running.feed(piece), _state(running)
        for cut in range(1, len(piece) + 1):
            framing = running
            if before != after:  # the first event of a stream, or the rest after the last
                framing = make()
                framing.feed(body[:start])
            assert [*framing.feed(piece[:cut]), *framing.feed(piece[cut:])] == wanted, start + cut
            assert _state(framing) == after, start + cut
    return len(body)


def _state(framing: Framing) -> Any:
    values = [getattr(framing, name) for name in type(framing).__slots__]  # type: ignore[attr-defined]
    return [value.copy() if isinstance(value, list) else value for value in values]


def relay_holds(start: Start, body: bytes) -> None:
    """Byte by byte; in two pieces at `PLACES` boundaries; and at each of the first two events."""
    wanted = _run(start(), [body])
    for cut in range(len(body) // PLACES, len(body), len(body) // PLACES):
        assert _run(start(), [body[:cut], body[cut:]]) == wanted, cut
    assert _run(start(), [body[at : at + 1] for at in range(len(body))]) == wanted
    head = body[: event_ends(start().framing, body)[:2][-1]]  # type: ignore[attr-defined]
    wanted = _run(start(), [head])
    for cut in range(1, len(head)):
        assert _run(start(), [head[:cut], head[cut:]]) == wanted, cut


def _run(relay: StreamRelay, portions: list[bytes]) -> Any:
    out = b"".join(map(relay.feed, portions)) + relay.end()
    return out, relay.failure, relay.usage, relay.finish, relay.text_digest, relay.held_events, relay.output_chars
