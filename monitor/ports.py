"""What the loop needs from outside. Each has a real implementation at the edge and a scripted one in the tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.catalog import Endpoint, Provider
from gateway.core.outcomes import Outcomes
from monitor.price_sources import Source
from monitor.probe import Means, ProbeResult


class Prober(Protocol):
    """Tries providers and endpoints, with the code that serves traffic. Whatever goes wrong is in the result."""

    async def check(self, provider: Provider, means: Means) -> ProbeResult:
        """The free check, by `MODELS` or `TCP`."""

    async def complete(self, endpoint: Endpoint) -> ProbeResult:
        """A completion of a few tokens."""

    def missing(self) -> frozenset[str]:
        """Providers without the key they need: nobody can use them, so nobody is told about them."""


class Gateways(Protocol):
    """The gateways' admin ports."""

    async def outcomes(self) -> Sequence[Outcomes]:
        """The reports of those that answered."""


class FetchError(Exception):
    """A price source could not be read; the message says why."""


class PriceFeed(Protocol):
    """Live price sources."""

    async def fetch(self, source: Source) -> bytes:
        """What the source answers. Raises `FetchError`."""


class PublishError(Exception):
    """Nothing could be published, or read back; the message says why."""


class Publisher(Protocol):
    """Where the snapshot goes: files, or a ConfigMap. Both methods raise `PublishError`."""

    async def read(self, key: str) -> bytes | None:
        """What was published last under this key, by whomever; None: nothing."""

    async def publish(self, key: str, data: bytes) -> None:
        """Replace what is published under this key, so that no reader ever sees half of it."""


@dataclass(frozen=True, slots=True)
class Clock:
    now_s: Callable[[], float]  # only moves forward
    epoch_s: Callable[[], float]  # Unix time


@dataclass(frozen=True, slots=True)
class Ports:
    prober: Prober
    gateways: Gateways
    feed: PriceFeed
    publisher: Publisher
    clock: Clock
