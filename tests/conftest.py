"""What every test shares: the choice between the real clock and the virtual one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import settings

import gateway.flow.answer
from tests.support.virtual_time import VirtualLoop

COMPILED = not str(gateway.flow.answer.__file__).endswith(".py")  # `make test-compiled`


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: the event loop's clock jumps to the next timer; no real sockets")
    config.addinivalue_line("markers", "interpreted: replaces a part of the gateway; compiled code forbids it")
    settings.register_profile("untimed", deadline=None)  # a busy machine is no counterexample
    settings.load_profile("untimed")
    config.addinivalue_line("markers", "case(id): a public failure case of LLM gateways that the test repeats")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("virtual_time"):
        return {"virtual": VirtualLoop}
    return {"real": asyncio.new_event_loop}


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    skipped = pytest.mark.skip(reason="parts of compiled modules cannot be replaced")
    for item in items:
        if COMPILED and item.get_closest_marker("interpreted"):
            item.add_marker(skipped)
