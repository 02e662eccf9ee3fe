"""Vendors on free ports, without any waiting, stopped after the test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from loadtest.control import RunningVendor, start_vendor
from loadtest.vendors import vendor_named

Start = Callable[[str], Awaitable[RunningVendor]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[RunningVendor] = []

    async def start_one(vendor_id: str) -> RunningVendor:
        running.append(await start_vendor(vendor_named(vendor_id), now_s=lambda: 1_764_000_000.0))
        return running[-1]

    yield start_one
    for vendor in running:
        await vendor.stop()


@pytest.fixture
async def fast(start: Start) -> RunningVendor:
    return await start("sim-fast")


@pytest.fixture
async def claude(start: Start) -> RunningVendor:
    return await start("sim-claude")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session
