"""Keeps what the program knows of a collection in step with the API: list, then watch, for ever.

The client library's own watch sends 1,500 requests in 4 s to an API that ends them at once, and never lists again.
The rules are in `course`; what the objects mean is the sink's business.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.edge.kube.course import SILENCE_S, Course, Pause
from gateway.edge.kube.ports import NO_QUERY, Json, KubeApi, KubeError, Query

log = logging.getLogger("pointsman")


class Sink(Protocol):
    """Takes the objects. None of these may raise. What was seen before may come again, and in an older version."""

    def listed(self, items: Sequence[Json]) -> None:
        """All there is now; what is not among them is gone."""

    def changed(self, item: Json) -> None:
        """One object is new or another version of itself."""

    def deleted(self, item: Json) -> None:
        """One object is gone; `item` is its last version."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time and dice; `draw` is uniform in [0, 1)."""

    now_s: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    draw: Callable[[], float]


@dataclass(slots=True)
class Tally:
    """What the metrics show of one reflector."""

    up: bool = False  # the API answered the last time it was asked
    lists: int = 0
    restarts: dict[str, int] = field(default_factory=dict)  # of watches and lists, by why


class Reflector:
    """One collection, watched until cancelled."""

    def __init__(
        self, api: KubeApi, path: str, sink: Sink, surroundings: Surroundings, selectors: Query = NO_QUERY
    ) -> None:
        """`selectors`: `fieldSelector`, `labelSelector`."""
        self._api = api
        self._path = path
        self._sink = sink
        self._around = surroundings
        self._course = Course(selectors, surroundings.draw)
        self._trouble = ""
        self.tally = Tally()
        self.synced = asyncio.Event()  # set for good once the first list has come

    async def run(self) -> None:
        """List and watch for ever; ends by cancellation."""
        while True:
            try:
                if self._course.version is None:
                    await self._list()
                pause = await self._watch()
            except KubeError as error:
                pause = self._course.failed(error, self._around.now_s())
                self._troubled(error, pause)
            restarts = self.tally.restarts
            restarts[pause.why] = restarts.get(pause.why, 0) + 1
            await self._around.sleep(pause.seconds)

    async def _list(self) -> None:
        self.tally.lists += 1
        answer = await self._api.get(self._path, self._course.list_query())
        items = answer.get("items") or []
        version = _version(answer)
        if not isinstance(items, list):
            raise KubeError(None, "the API's list is none")
        self._sink.listed(items)
        self._course.listed(version)
        self._well()
        self.synced.set()

    async def _watch(self) -> Pause:
        version = self._course.version
        assert version is not None, "listed before"
        begun_s = self._around.now_s()
        query = self._course.watch_query(version)
        async with aclosing(self._api.watch(self._path, query, SILENCE_S)) as events:
            async for event in events:
                self._take(event)
                self._well()
        now_s = self._around.now_s()
        return self._course.ended(now_s - begun_s, now_s)

    def _take(self, event: Json) -> None:
        kind, item = event.get("type"), event.get("object")
        if kind == "ERROR":
            raise _told(item)
        version = _version(item)
        match kind:
            case "ADDED" | "MODIFIED":
                self._sink.changed(item)  # type: ignore[arg-type]  # has a version, so it is an object
            case "DELETED":
                self._sink.deleted(item)  # type: ignore[arg-type]
            case "BOOKMARK":
                pass
            case _:
                raise KubeError(None, f"the watch brought an event of type {kind!r:.40}")
        self._course.moved(version)

    def _well(self) -> None:
        self.tally.up = True
        if self._trouble:
            self._trouble = ""
            log.info("Kubernetes API: %s is followed again", self._path)

    def _troubled(self, error: KubeError, pause: Pause) -> None:
        """Said once per kind of trouble. A version that expired is none: the list that follows tells."""
        if pause.why == "expired":
            return
        self.tally.up = False
        if pause.why != self._trouble:
            self._trouble = pause.why
            log.warning("Kubernetes API: %s cannot be followed, the last state stays: %s", self._path, error)


def _version(value: Any) -> str:
    """`metadata.resourceVersion`: opaque."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version:
        raise KubeError(None, "the API's answer has no resourceVersion")
    return version


def _told(status: Any) -> KubeError:
    """The error within a watch: a `Status` object."""
    if not isinstance(status, dict):
        return KubeError(None, "the watch broke off with an error that is none")
    code, details = status.get("code"), status.get("details")
    after = details.get("retryAfterSeconds") if isinstance(details, dict) else None
    return KubeError(
        code if isinstance(code, int) else None,
        str(status.get("message") or "the watch broke off")[:300],
        float(after) if isinstance(after, int | float) and after > 0 else None,
    )
