"""What the gateway counts of finished requests: rows of numbers that end up in one place together.

A request costs one look-up for each row it touches, however many families are made of that row afterwards.
"""

from collections.abc import Mapping

from msgspec import field
from prometheus_client.core import Exemplar

from gateway.core.value import Note

DURATION_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
TTFT_BUCKETS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 60)


class Ended(Note):
    """Requests of one route, surface, outcome and status."""

    seconds: list[float]  # cells of a histogram
    count: int = 0
    escalated: int = 0
    panicked: int = 0
    baseline_usd: float = 0.0  # of those that are compared with it
    compared: int = 0  # with what the baseline would have cost
    saved_usd: float = 0.0
    overspent_usd: float = 0.0
    traced: dict[int, Exemplar] = field(default_factory=dict)  # the latest of each bucket


class Tried(Note):
    """Attempts for one route at one endpoint with one outcome."""

    count: int = 0
    passed_on: int = 0  # to the next candidate
    cost_usd: float = 0.0
    unpriced: int = 0


class Answered(Note):
    """Answers of one endpoint."""

    first_token_s: list[float]  # cells of a histogram
    streams: int = 0  # with content
    counted: int = 0  # with usage
    input: int = 0
    output: int = 0
    cached_input: int = 0
    reasoning: int = 0
    traced: dict[int, Exemplar] = field(default_factory=dict)


class Varied(Note):
    """Requests of one variant of a route with one outcome."""

    seconds: list[float]  # cells of a histogram
    count: int = 0
    cost_usd: float = 0.0


class Kept(Note):
    """Requests from whose candidates the same endpoints were removed for the same reasons."""

    excluded: Mapping[str, tuple[str, ...]]  # endpoint id -> reasons
    count: int = 0
