"""Whether a request holds personal data: the scanner's word on its whole body.

The scanner takes up to a microsecond for a character of a table of numbers. A large body is therefore read in slices
with a pause after each: a megabyte must not keep streams, probes and other requests waiting for a second.
"""

import asyncio
from collections.abc import Iterator

from gateway.core.ask import Ask, texts_of
from gateway.core.scan import Scanner, pieces

LARGE_BYTES = 65_536  # of a body; the scanner reads it in 60 ms at worst


def detected(scanner: Scanner | None, ask: Ask) -> bool:
    """Whether the scanner finds something, or cannot read a part. It reads the whole body: also what the neutral form
    has no place for goes to an endpoint of the client's own format.
    """
    if scanner is None:
        return False
    return _known(scanner, ask) or scanner.find_first(texts_of(ask.body)) is not None


async def detected_with_pauses(scanner: Scanner | None, ask: Ask) -> bool:
    """The same, slice by slice."""
    if _known(scanner, ask):
        return True
    for found in _slices(scanner, ask):
        if found:
            return True
        await asyncio.sleep(0)
    return False


def _known(scanner: Scanner | None, ask: Ask) -> bool:
    """Whether no reading is needed: images and tokens may hold anything."""
    return scanner is not None and (ask.survey.unreadable or (ask.embed is not None and ask.embed.token_inputs > 0))


def _slices(scanner: Scanner | None, ask: Ask) -> Iterator[bool]:
    """For each slice in turn, whether something is found in it."""
    if scanner is None:
        return
    for text in texts_of(ask.body):
        for piece in pieces(text):
            yield scanner.find_first((piece,)) is not None
