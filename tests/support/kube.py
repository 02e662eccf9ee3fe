"""A Kubernetes API made of scripts: what each list and each watch brings, in order."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.edge.kube.ports import NO_QUERY, Json, KubeError, KubeSilent, Query
from gateway.edge.kube.reflector import Surroundings


def item(name: str, version: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name, "resourceVersion": version}, "data": data}


def listing(version: str, *items: Json) -> dict[str, Any]:
    return {"kind": "ConfigMapList", "metadata": {"resourceVersion": version}, "items": list(items)}


def event(kind: str, found: Json) -> dict[str, Any]:
    return {"type": kind, "object": found}


def bookmark(version: str) -> dict[str, Any]:
    return event("BOOKMARK", {"kind": "ConfigMap", "metadata": {"resourceVersion": version}})


def error_event(code: int, message: str = "no") -> dict[str, Any]:
    return event("ERROR", {"kind": "Status", "code": code, "message": message})


@dataclass(frozen=True, slots=True)
class Wait:
    """So long nothing comes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Asked:
    at_s: float
    verb: str  # list | watch
    query: Mapping[str, str]


Word = Json | KubeError | Wait  # of a watch
Answer = Json | KubeError


@dataclass(slots=True)
class ScriptedApi:
    """Lists and watches by script; the last entry of each repeats for ever. Writes are none of its business."""

    lists: Sequence[Answer]
    watches: Sequence[Sequence[Word]]
    asked: list[Asked] = field(default_factory=list)
    closed_watches: int = 0

    def _turn(self, verb: str, query: Query) -> int:
        """Which of the script's entries it is."""
        turn = sum(one.verb == verb for one in self.asked)
        self.asked.append(Asked(asyncio.get_running_loop().time(), verb, dict(query)))
        return turn

    def verbs(self) -> str:
        return " ".join(one.verb for one in self.asked)

    async def get(self, path: str, query: Query = NO_QUERY) -> Json:
        answer = self.lists[min(self._turn("list", query), len(self.lists) - 1)]
        if isinstance(answer, KubeError):
            raise answer
        return answer

    async def watch(self, path: str, query: Query, read_timeout_s: float) -> AsyncGenerator[Json, None]:
        words = self.watches[min(self._turn("watch", query), len(self.watches) - 1)]
        try:
            for word in words:
                match word:
                    case Wait(seconds):
                        await asyncio.sleep(min(seconds, read_timeout_s))
                        if seconds > read_timeout_s:
                            raise KubeSilent(None, "silence")
                    case KubeError():
                        raise word
                    case _:
                        yield word
        finally:
            self.closed_watches += 1

    async def create(self, path: str, body: Json) -> Json:
        raise AssertionError("nothing is created here")

    async def replace(self, path: str, body: Json) -> Json:
        raise AssertionError("nothing is replaced here")

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        raise AssertionError("nothing is applied here")

    async def delete(self, path: str) -> None:
        raise AssertionError("nothing is deleted here")


@dataclass(slots=True)
class Noted:
    """A sink that keeps what it was told."""

    said: list[tuple[str, Any]] = field(default_factory=list)

    def listed(self, items: Iterable[Json]) -> None:
        self.said.append(("listed", [_short(one) for one in items]))

    def changed(self, item: Json) -> None:
        self.said.append(("changed", _short(item)))

    def deleted(self, item: Json) -> None:
        self.said.append(("deleted", _short(item)))


def _short(found: Json) -> str:
    return f"{found['metadata']['name']}@{found['metadata']['resourceVersion']}"


def surroundings(draw: Callable[[], float] = lambda: 0.5) -> Surroundings:
    """The running loop's time, and dice as given."""
    return Surroundings(asyncio.get_running_loop().time, asyncio.sleep, draw)
