"""The text in pieces is the library's own text."""

import asyncio
from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Exemplar, Metric
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics
from prometheus_client.registry import Collector

from gateway.edge.exposition import PIECE, exposed
from gateway.edge.families import counter, gauge, histogram, level, no_cells

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Shown(Collector):
    def collect(self) -> Iterable[Metric]:
        many = [((f"a/{n}",), float(n)) for n in range(3 * PIECE + 1)]
        yield counter("pointsman_many", "Many, \\ and\nmore.", ("endpoint",), many)
        yield gauge("pointsman_odd", "Odd.", ("endpoint",), {('"\n\\é',): 1e9})
        yield level("pointsman_nothing", "Nothing yet.", None)
        cells = no_cells((0.1, 1.0))
        exemplars = {1: Exemplar({"trace_id": "ab"}, 0.5, 1_764_000_000.0)}
        yield histogram("pointsman_seconds", "Times.", ("route",), (0.1, 1.0), [(("r",), cells, exemplars)])


@pytest.fixture
def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(Shown())
    return found


@pytest.mark.parametrize(("accept", "whole"), [("", generate_latest), (OPENMETRICS, openmetrics)])
async def test_says_what_the_library_says(registry: CollectorRegistry, accept: str, whole: object) -> None:
    text, _ = await exposed(registry, accept)
    assert callable(whole)
    assert text.decode() == whole(registry).decode()


async def test_names_the_format_that_was_asked_for(registry: CollectorRegistry) -> None:
    kinds = [(await exposed(registry, accept))[1].partition(";")[0] for accept in ("", OPENMETRICS, "text/html")]
    assert kinds == ["text/plain", "application/openmetrics-text", "text/plain"]


async def test_lets_others_run_between_its_pieces(registry: CollectorRegistry) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await exposed(registry, "")
    task.cancel()
    assert turns >= 7  # four pieces of the large family, and three small ones
