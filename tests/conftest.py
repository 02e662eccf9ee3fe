"""What every test shares: the choice between the real clock and the virtual one."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
from hypothesis import settings

from tests.support.virtual_time import VirtualLoop


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: the event loop's clock jumps to the next timer; no real sockets")
    settings.register_profile("untimed", deadline=None)  # a busy machine is no counterexample
    settings.load_profile("untimed")
    config.addinivalue_line("markers", "case(id): a public failure case of LLM gateways that the test repeats")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("virtual_time"):
        return {"virtual": VirtualLoop}
    return {"real": asyncio.new_event_loop}
