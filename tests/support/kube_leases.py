"""The Leases of a cluster, shared by any number of replicas, each of which can be cut off from them."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from gateway.edge.kube.ports import NO_QUERY, Json, KubeError, Query


@dataclass(slots=True)
class Leases:
    """What the API server keeps."""

    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 0

    def put(self, body: Json) -> dict[str, Any]:
        self.version += 1
        stored = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        self.items[body["metadata"]["name"]] = stored
        return stored


@dataclass(slots=True)
class LeaseApi:
    """One replica's way to them. `fault` is raised by every request while it is set; `instead` is what lists show."""

    leases: Leases
    fault: KubeError | None = None
    asked: list[str] = field(default_factory=list)
    instead: dict[str, dict[str, Any]] = field(default_factory=dict)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fault is not None:
            raise self.fault

    async def get(self, path: str, query: Query = NO_QUERY) -> Json:
        self._ask("list" if query else "get")
        if query:
            return {"items": list((self.leases.items | self.instead).values())}
        name = path.rpartition("/")[2]
        if name not in self.leases.items:
            raise KubeError(404, "NotFound")
        return self.leases.items[name]

    async def create(self, path: str, body: Json) -> Json:
        self._ask("create")
        return self.leases.put(body)

    async def replace(self, path: str, body: Json) -> Json:
        self._ask("replace")
        current = self.leases.items.get(body["metadata"]["name"])
        if current is None:
            raise KubeError(404, "NotFound")
        if current["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]:
            raise KubeError(409, "Conflict")
        return self.leases.put(body)

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        raise AssertionError("nothing is applied here")

    async def delete(self, path: str) -> None:
        raise AssertionError("nothing is deleted here")

    def watch(self, path: str, query: Query, read_timeout_s: float) -> AsyncGenerator[Json, None]:
        raise AssertionError("nothing is watched here")
