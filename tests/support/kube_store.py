"""A Kubernetes API that remembers what is written: server-side apply with one manager per key, and lists."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.edge.kube.ports import NO_QUERY, Json, KubeError, Query

DATA_LIMIT_BYTES = 1 << 20


@dataclass(slots=True)
class StoredApi:
    """Objects by path. `fault` is raised by every request while it is set."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: Mapping[str, Json] = field(default_factory=dict)
    fault: KubeError | None = None
    created: list[tuple[str, Json]] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)  # (manager, keys)
    asked: int = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.fault is not None:
            raise self.fault

    async def get(self, path: str, query: Query = NO_QUERY) -> Json:
        self._ask()
        if path in self.lists:
            return self.lists[path]
        if path not in self.objects:
            raise KubeError(404, "NotFound")
        return self.objects[path]

    async def create(self, path: str, body: Json) -> Json:
        self._ask()
        self.created.append((path, body))
        return body

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        self._ask()
        if path not in self.objects:
            raise KubeError(403, "Forbidden")  # apply makes what is missing, and that is not allowed
        stored = self.objects[path]
        stored.setdefault("data", {}).update(body["data"])
        self.applied.append((manager, ",".join(body["data"])))
        return stored

    async def replace(self, path: str, body: Json) -> Json:
        raise AssertionError("nothing is replaced here")

    async def delete(self, path: str) -> None:
        raise AssertionError("nothing is deleted here")

    def watch(self, path: str, query: Query, read_timeout_s: float) -> AsyncGenerator[Json, None]:
        raise AssertionError("nothing is watched here")
