"""What the program asks of the Kubernetes API, and how the API says no. Knows no HTTP and no client library."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol

Json = Mapping[str, Any]
Query = Mapping[str, str]

NO_QUERY: Query = {}


class KubeError(Exception):
    """The API refused, answered with something unusable, or did not answer.

    `status` is HTTP's, or that of an `ERROR` event within a watch; None: no answer, or one broken off (a timeout, a
    connection lost, TLS, half a line). `retry_after_s` is the API's own word on when to come back.
    """

    def __init__(self, status: int | None, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{reason} (status {status})" if status is not None else reason)
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s


class KubeSilent(KubeError):
    """Nothing came for as long as was to be waited."""


class KubeApi(Protocol):
    """Paths are those of `gateway.edge.kube.paths`. Every method raises `KubeError` and nothing else."""

    async def get(self, path: str, query: Query = NO_QUERY) -> Json:
        """An object, or a list of them (`items`, `metadata.resourceVersion`)."""

    async def create(self, path: str, body: Json) -> Json:
        """Make an object in the collection at `path`; status 409 where it exists."""

    async def replace(self, path: str, body: Json) -> Json:
        """Put the object; status 409 where `metadata.resourceVersion` is no longer the current one."""

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        """Server-side apply as field manager `manager`, taking over fields that others own.

        What the manager owned and `body` lacks is removed. `body` needs apiVersion, kind and metadata.name.
        """

    async def delete(self, path: str) -> None:
        """Delete the object; status 404 where there is none."""

    def watch(self, path: str, query: Query, read_timeout_s: float) -> AsyncGenerator[Json, None]:
        """Events (`type`, `object`) of the collection at `path` until the API ends the watch.

        `query` carries `resourceVersion`, `timeoutSeconds`, selectors; `watch=true` is added. `ERROR` events come
        through as events. Close the generator (`aclose`) to end it early.

        Args:
            read_timeout_s: silence for so long is a broken connection (`KubeSilent`).
        """
