"""What the monitor reads by HTTP beside probes: the gateways' outcomes, and live prices.

Neither is timed or under load, so the common client will do; it takes proxies from the environment, as price sources
may need.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

import aiohttp

from gateway.core.outcomes import Outcomes, OutcomesError, decode_outcomes
from monitor.ports import FetchError
from monitor.price_sources import Source

OUTCOMES_TIMEOUT = aiohttp.ClientTimeout(total=3.0)  # well within a period, for all gateways at once
PRICES_TIMEOUT = aiohttp.ClientTimeout(total=60.0)
OUTCOMES_BYTES = 8 << 20  # 64 samples of 2,000 endpoints are 3 MB
PRICES_BYTES = 64 << 20  # the largest source has 8 MB today
_ERRORS = (aiohttp.ClientError, TimeoutError, OSError)

log = logging.getLogger(__name__)


class TooLargeError(aiohttp.ClientError):
    """The answer is longer than any that could be meant."""


class OutcomesReader:
    """Reads gateways' reports; a gateway that falls silent is told of once."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._silent: set[str] = set()

    async def read(self, urls: Sequence[str]) -> Sequence[Outcomes]:
        """The reports of those admin URLs that answered."""
        self._silent.intersection_update(urls)  # pods come and go
        reports = await asyncio.gather(*(self._read(url) for url in urls))
        return [report for report in reports if report is not None]

    async def _read(self, url: str) -> Outcomes | None:
        try:
            raw = await _get(self._session, f"{url.rstrip('/')}/outcomes", OUTCOMES_TIMEOUT, OUTCOMES_BYTES)
            report = decode_outcomes(raw)
        except (*_ERRORS, OutcomesError) as error:
            if url not in self._silent:
                log.info("no outcomes from the gateway at %s: %s", url, str(error) or type(error).__name__)
            self._silent.add(url)
            return None
        self._silent.discard(url)
        return report


class HttpGateways:
    """`Gateways` behind fixed admin URLs."""

    def __init__(self, reader: OutcomesReader, urls: Sequence[str]) -> None:
        self._reader = reader
        self._urls = urls

    async def outcomes(self) -> Sequence[Outcomes]:
        return await self._reader.read(self._urls)


class HttpPriceFeed:
    """`PriceFeed` from the sources' URLs."""

    def __init__(self, session: aiohttp.ClientSession, urls: Mapping[Source, str]) -> None:
        self._session = session
        self._urls = urls

    async def fetch(self, source: Source) -> bytes:
        try:
            return await _get(self._session, self._urls[source], PRICES_TIMEOUT, PRICES_BYTES)
        except _ERRORS as error:
            raise FetchError(str(error) or type(error).__name__) from error


async def _get(session: aiohttp.ClientSession, url: str, timeout: aiohttp.ClientTimeout, limit: int) -> bytes:
    async with session.get(url, timeout=timeout, raise_for_status=True) as response:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > limit:
                raise TooLargeError(f"the answer is longer than {limit >> 20} MiB")
        return bytes(body)
