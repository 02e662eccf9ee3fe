"""The whole walk on scripted upstreams: ask, and see what the client, the providers and the record got."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from gateway.core.ask import Surface
from gateway.core.decision import Decision
from gateway.core.extras import read_extras
from gateway.core.record import record
from gateway.core.trace import Trace
from gateway.flow.answer import Ended, Parts, Walk
from gateway.flow.attempt import Line
from gateway.flow.consider import Planner
from gateway.flow.health import HealthBook
from gateway.flow.ports import Clock
from gateway.flow.run import Request
from gateway.flow.settle import Settler
from gateway.flow.stage import Client, Moment
from gateway.flow.trial import Trials
from gateway.flow.world import World
from gateway.formats.registry import surface as surface_named
from tests.support.builders import EPOCH_S, START_S, a_body
from tests.support.recording_sink import RecordingSink
from tests.support.scripted_upstream import Script, ScriptedUpstream


class NoKeys:
    """Providers of the tests need none, but for those named."""

    def __init__(self, missing: frozenset[str] = frozenset()) -> None:
        self._missing = missing

    def get(self, provider: str, origin: str) -> str | None:
        return None

    def missing(self) -> frozenset[str]:
        return self._missing


class Walking:
    """One gateway's walk. Make it inside the test, where the event loop runs."""

    def __init__(self, world: World, scripts: Mapping[str, Sequence[Script]], keys: NoKeys | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._number = 0
        self.world = world
        self.keys = keys or NoKeys()
        self.upstream = ScriptedUpstream(scripts)
        self.decisions: list[Decision] = []
        self.book = HealthBook(self._providers(), world.breaker_rules)
        clock = Clock(self._loop.time, self.epoch_s, lambda: "0" * 16)
        self.walk = Walk(self.parts(world), self.book, clock, self._ended)

    def _ended(self, ended: Ended) -> None:
        self.decisions.append(self.walk.settled(ended))

    def _providers(self) -> dict[str, str]:
        return {name: endpoint.provider for name, endpoint in self.world.policy.catalog.endpoints.items()}

    def parts(self, world: World) -> Parts:
        lines = {
            name: Line(provider, self.upstream, self.keys) for name, provider in world.policy.catalog.providers.items()
        }
        return Parts(
            planner=Planner(world, self.book.health, self.keys.missing),
            lines=lines,
            settler=Settler(world.prices, world.policy.tiers),
            trials=Trials(lines, world.prices, self.book),
        )

    def epoch_s(self) -> float:
        return EPOCH_S + self._loop.time() - START_S

    def request(
        self, body: Mapping[str, Any], surface: Surface = Surface.CHAT, headers: Mapping[str, str] | None = None
    ) -> Request:
        """The request as the web floor would hand it over."""
        self._number += 1
        given = headers or {}
        extras, rest = read_extras(body, given, self.world.policy)
        ask = surface_named(surface).parse(rest, len(repr(body)), given)
        moment = Moment(self.epoch_s(), self._loop.time())
        return Request(f"{self._number:016x}", ask, extras, Client(None, given), surface_named(surface), moment)

    async def ask(
        self, text: str = "Hello there", *, surface: Surface = Surface.CHAT, sink: RecordingSink | None = None,
        headers: Mapping[str, str] | None = None, **fields: Any,
    ) -> RecordingSink:  # fmt: skip
        """Ask a chat completion with `fields`."""
        return await self.send(a_body(text, **fields), surface=surface, sink=sink, headers=headers)

    async def send(
        self, body: Mapping[str, Any], *, surface: Surface = Surface.CHAT, sink: RecordingSink | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> RecordingSink:  # fmt: skip
        into = sink or RecordingSink()
        await self.walk.answer(self.request(body, surface, headers), into)
        return into

    async def answer_traced(self, request: Request, trace: Trace) -> RecordingSink:
        """Answer a request as a part of that trace."""
        sink = RecordingSink()
        await self.walk.answer(replace(request, trace=trace), sink)
        return sink

    @property
    def row(self) -> dict[str, Any]:
        """The record of the last request."""
        return record(self.decisions[-1])

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Attempts of the last request: endpoint and outcome."""
        return [(one.endpoint, one.outcome) for one in self.decisions[-1].attempts]
