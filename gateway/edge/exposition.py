"""The text that Prometheus reads, made in pieces: all of a large catalog takes 50 ms, and requests go on meanwhile.

The library writes the text; here its work is cut so that no piece holds the event loop for more than a few
milliseconds. Families are read one after the other, so two of them may be as far apart.
"""

import asyncio
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

PIECE = 64  # samples; one costs about 20 µs
END = b"# EOF\n"  # of OpenMetrics


class _Only(Collector):
    """One piece of one family, where the library wants a registry."""

    def __init__(self, piece: Metric) -> None:
        self._piece = piece

    def collect(self) -> Iterable[Metric]:
        return [self._piece]


async def exposed(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The text in the format that an Accept header asks for, and its content type."""
    encode, content_type = choose_encoder(accept)
    parts: list[bytes] = []
    end = b""
    for family in registry.collect():
        for place, piece in enumerate(_pieces(family)):
            text = encode(_Only(piece))
            if text.endswith(END):
                text, end = text.removesuffix(END), END
            parts.append(text if place == 0 else _headless(text))
            await asyncio.sleep(0)
    return b"".join([*parts, end]), content_type


def _pieces(family: Metric) -> Iterator[Metric]:
    if len(family.samples) <= PIECE:
        yield family
        return
    for start in range(0, len(family.samples), PIECE):
        piece = Metric(family.name, family.documentation, family.type)
        piece.samples = family.samples[start : start + PIECE]
        yield piece


def _headless(text: bytes) -> bytes:
    """Without the lines of help and type, which stand before a family once."""
    return text.split(b"\n", 2)[2]
