"""Finds the gateways' pods by their Service's EndpointSlices, and reads what each has seen."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from gateway.core.outcomes import Outcomes
from gateway.edge.kube.paths import endpoint_slices
from gateway.edge.kube.ports import Json, KubeApi, KubeError

ADMIN_PORT = "admin"  # the Service's name for it
SERVICE_LABEL = "kubernetes.io/service-name"

log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads reports by HTTP."""

    async def read(self, urls: Sequence[str]) -> Sequence[Outcomes]:
        """The reports of those admin URLs that answered."""


class PodGateways:
    """`Gateways` that come and go. While the API does not answer, those found last are asked."""

    def __init__(self, api: KubeApi, namespace: str, service: str, reader: Reader) -> None:
        self._api = api
        self._path = endpoint_slices(namespace)
        self._query = {"labelSelector": f"{SERVICE_LABEL}={service}"}
        self._reader = reader
        self._urls: Sequence[str] = ()
        self._failing = False

    async def outcomes(self) -> Sequence[Outcomes]:
        try:
            self._urls = admin_urls(await self._api.get(self._path, self._query))
            self._failing = False
        except KubeError as error:
            if not self._failing:
                log.warning("the gateways' pods cannot be listed, those known are asked: %s", error)
            self._failing = True
        return await self._reader.read(self._urls)


def admin_urls(slices: Json) -> tuple[str, ...]:
    """The admin URL of every pod that serves, in order; a pod in two slices counts once."""
    return tuple(sorted({url for one in slices.get("items") or () for url in _urls(one)}))


def _urls(one: Mapping[str, Any]) -> Iterator[str]:
    ports = [port["port"] for port in one.get("ports") or () if port.get("name") == ADMIN_PORT and port.get("port")]
    for endpoint in one.get("endpoints") or ():
        conditions = endpoint.get("conditions") or {}
        # A pod that is ending still has something to tell; one that never became ready has not.
        if conditions.get("ready") is False and not conditions.get("serving"):
            continue
        for address in (endpoint.get("addresses") or ())[:1]:
            host = f"[{address}]" if ":" in address else address
            yield from (f"http://{host}:{port}" for port in ports)
