"""Publishes to one ConfigMap by server-side apply, one field manager per key.

Managers belong to keys and not to replicas: a shard that moves leaves nothing behind, and no replica can remove what
another has written. While the API does not answer, nothing is sent but one try now and then; the press keeps what it
has to say, so the newest state is what arrives in the end, and replicas do not all arrive at once.
"""

import logging
from collections.abc import Callable
from random import Random

from gateway.core.health import decode_shard, encode_shard
from gateway.edge.kube.paths import config_map
from gateway.edge.kube.ports import Json, KubeApi, KubeError
from monitor.ports import PublishError
from monitor.shedding import ALERT_BYTES, SHED_BYTES, lean

MANAGER = "pointsman"  # then a dash and the key's name: `pointsman-shard-00` (CONTRACT §6)
SHARD_PREFIX = "shard-"
READ_AGAIN_S = 2.0  # taking over or writing many shards reads the object once
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0  # between tries at an API that fails; drawn anew from 0 to it each time

log = logging.getLogger(__name__)


class ConfigMapPublisher:
    """A `Publisher` whose keys are those of a ConfigMap that exists already: the chart makes it."""

    def __init__(self, api: KubeApi, namespace: str, name: str, now_s: Callable[[], float], dice: Random) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._now_s = now_s
        self._dice = dice
        self._read: dict[str, str] = {}
        self._read_at_s = float("-inf")
        self._pause_s = 0.0
        self._closed_until_s = float("-inf")
        self._why = ""
        self.size_bytes = 0  # of all keys, as last seen
        self.shed = 0  # shards written lean
        self.failures: dict[str, int] = {}  # by HTTP status, or "unreachable"

    async def read(self, key: str) -> bytes | None:
        if self._now_s() - self._read_at_s > READ_AGAIN_S:
            self._ask_nothing_while_closed()
            try:
                found = await self._api.get(config_map(self._namespace, self._name))
            except KubeError as error:
                raise self._failed("get", error) from error
            self._keep(found)
        value = self._read.get(key)
        return None if value is None else value.encode()

    async def publish(self, key: str, data: bytes) -> None:
        self._ask_nothing_while_closed()
        text = self._fitting(key, data).decode()
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "data": {key: text},
        }
        try:
            written = await self._api.apply(
                config_map(self._namespace, self._name), body, f"{MANAGER}-{key.removesuffix('.json')}"
            )
        except KubeError as error:
            raise self._failed("patch", error) from error
        self._pause_s = 0.0
        self._keep(written)  # the whole object: the next key need not be read for itself

    def _ask_nothing_while_closed(self) -> None:
        if self._now_s() < self._closed_until_s:
            raise PublishError(self._why)

    def _keep(self, found: Json) -> None:
        self._read, self._read_at_s = _data(found), self._now_s()
        self._measure(self._read)

    def _fitting(self, key: str, data: bytes) -> bytes:
        if self.size_bytes < SHED_BYTES or not key.startswith(SHARD_PREFIX):
            return data
        self.shed += 1
        return encode_shard(lean(decode_shard(data)))

    def _measure(self, data: dict[str, str]) -> None:
        before, self.size_bytes = self.size_bytes, sum(len(key) + len(text.encode()) for key, text in data.items())
        for limit, what in ((SHED_BYTES, "percentiles are left out"), (ALERT_BYTES, "watch fewer endpoints")):
            if before < limit <= self.size_bytes:
                log.warning("ConfigMap %s has %d bytes of 1 MiB: %s", self._name, self.size_bytes, what)
                break

    def _failed(self, verb: str, error: KubeError) -> PublishError:
        label = "unreachable" if error.status is None else str(error.status)
        self.failures[label] = self.failures.get(label, 0) + 1
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, self._pause_s * 2))
        pause_s = max(self._dice.uniform(0, self._pause_s), error.retry_after_s or 0.0)
        self._closed_until_s = self._now_s() + pause_s
        where = f"ConfigMap {self._name} in namespace {self._namespace}"
        match error.status:
            case 403:
                self._why = f"{where}: the service account may not {verb} it: {error.reason}"
            case 404:
                self._why = f"{where} does not exist; installing or upgrading the chart makes it"
            case _:
                self._why = f"{where}: {error}"
        return PublishError(self._why)


def _data(found: Json) -> dict[str, str]:
    data = found.get("data")
    return {key: text for key, text in data.items() if isinstance(text, str)} if isinstance(data, dict) else {}
