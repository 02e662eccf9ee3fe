"""Every recorded stream, cut at every byte boundary: `tests.support.cuts` says what that means."""

from collections.abc import Iterator

import pytest

from gateway.core.ask import Surface
from gateway.core.catalog import Endpoint
from gateway.formats.bedrock.frames import FrameDecoder
from gateway.formats.sse import SseDecoder
from tests.support.cuts import framing_holds, relay_holds
from tests.support.formats import SURFACES, ask, relay
from tests.support.recorded import bedrock, bedrock_endpoint, gemini, gemini_endpoint, streams
from tests.support.vectors import Exchange, needs_vectors

pytestmark = needs_vectors
SIZES = {
    "openai": (17, 256_343), "anthropic": (4, 115_980), "responses": (12, 277_879), "gemini": (6, 38_301),
    "bedrock": (5, 17_278),
}  # fmt: skip
FORMATS = tuple(SIZES)


def recorded(api: str) -> Iterator[tuple[Exchange, Endpoint]]:
    match api:
        case "gemini":
            yield from ((one, gemini_endpoint(one)) for one in gemini("streamGenerateContent"))
        case "bedrock":
            yield from ((one, bedrock_endpoint(model)) for one, model in bedrock("converse-stream"))
        case _:
            yield from ((one, at) for one, _, at in streams() if at.api == api)


def boundaries(api: str) -> tuple[int, int]:
    """How many streams and how many of their boundaries were cut; fails where a cut matters."""
    make = FrameDecoder if api == "bedrock" else SseDecoder
    sizes = [framing_holds(make, one.body) for one, _ in recorded(api)]
    return len(sizes), sum(sizes)


@pytest.mark.interpreted  # looks into what a decoder keeps between two pieces
@pytest.mark.parametrize("api", FORMATS)
def test_events_are_the_same_at_every_cut(api: str) -> None:
    assert boundaries(api) == SIZES[api]


@pytest.mark.parametrize("surface", SURFACES.values())
@pytest.mark.parametrize("api", FORMATS)
def test_answers_are_the_same_byte_by_byte(api: str, surface: Surface) -> None:
    for one, at in recorded(api):
        asked = ask({"stream": True}, surface)
        relay_holds(lambda: relay(asked, at), one.body)  # noqa: B023 - called at once
