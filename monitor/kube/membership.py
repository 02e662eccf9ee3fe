"""This replica's Lease, and the others': how the replicas know of each other.

Owns the requests; who is alive is `monitor.roster`'s to judge. Whatever the API does, the loop goes on.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from gateway.edge.kube.paths import lease, leases
from gateway.edge.kube.ports import Json, KubeApi, KubeError
from monitor.roster import DURATION_S, RENEW_S, LeaseSeen, Roster

GROUP_LABEL = "pointsman/snapshot"  # its value: the ConfigMap that the replicas publish to together
REQUEST_S = 4.0  # less than the time between renewals
AGAIN_S = 2.0  # after a failure, ± 20 %: two that fail by time leave room for a third within the Lease's duration

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    name: str  # the pod's, and the Lease's
    uid: str | None  # the pod's: with it the Lease goes when the pod goes
    namespace: str
    group: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    now_s: Callable[[], float]  # only moves forward
    epoch_s: Callable[[], float]  # written for people; nobody judges by it
    draw: Callable[[], float]  # uniform in [0, 1)


class Membership:
    """Mutable; `run` is its one task."""

    def __init__(self, api: KubeApi, me: Member, around: Surroundings) -> None:
        self._api = api
        self._me = me
        self._around = around
        self._roster = Roster(me.name)
        self._lease: Json | None = None  # as the API has it
        self._begun_s = around.now_s()
        self._renewed_s = float("-inf")
        self._failing = False

    @property
    def live(self) -> frozenset[str]:
        """The replicas among which the shards are shared, this one included; empty until they are known."""
        return self._roster.live(self._around.now_s())

    @property
    def fit(self) -> bool:
        """The others know that this replica is alive; else they will have taken its shards."""
        return self._around.now_s() - self._renewed_s < DURATION_S

    @property
    def alone(self) -> bool:
        """Who the others are was never known, and nothing is heard of them: for all this replica knows, there are
        none."""
        now_s = self._around.now_s()
        return not self._roster.live(now_s) and now_s - max(self._begun_s, self._roster.heard_s) >= DURATION_S

    @property
    def agreed(self) -> bool:
        """Those who come back together with this replica know the same replicas as it does."""
        return self._roster.agreed(self._around.now_s())

    @property
    def renewed_ago_s(self) -> float | None:
        """How long ago this replica last renewed its Lease; None: never."""
        ago_s = self._around.now_s() - self._renewed_s
        return ago_s if ago_s < inf else None

    async def run(self) -> None:
        """Renew and look around until cancelled."""
        while True:
            try:
                async with asyncio.timeout(REQUEST_S):
                    await self._renew(self._me.name)
                    await self._look()
                self._failing, pause_s = False, RENEW_S
            except (KubeError, TimeoutError) as error:
                self._complain(str(error) or "no answer in time")
                pause_s = AGAIN_S
            await asyncio.sleep(pause_s * (0.8 + 0.4 * self._around.draw()))

    async def leave(self) -> None:
        """Say that this replica is going, so that the others need not wait."""
        try:
            await self._renew("")
        except KubeError as error:
            log.info("the others will notice by the Lease's age that this replica has left: %s", error)

    def _complain(self, problem: str) -> None:
        if not self._failing:
            log.warning("the Lease %s cannot be renewed; nothing is published meanwhile: %s", self._me.name, problem)
        self._failing = True

    async def _renew(self, holder: str) -> None:
        now_s = self._around.now_s()
        known, self._lease = self._lease, None
        if known is not None:
            self._lease = await self._renewal(holder, known)
        if self._lease is None:
            self._lease = await self._found_or_made(holder)
        self._renewed_s = now_s

    async def _renewal(self, holder: str, known: Json) -> Json | None:
        """None: it is gone, or was written by another hand, or by a request of ours whose answer was lost."""
        try:
            return await self._api.replace(lease(self._me.namespace, self._me.name), self._body(holder, known))
        except KubeError as error:
            if error.status in (404, 409):
                return None
            raise

    async def _found_or_made(self, holder: str) -> Json:
        try:
            found = await self._api.get(lease(self._me.namespace, self._me.name))
        except KubeError as error:
            if error.status != 404:
                raise
            return await self._api.create(leases(self._me.namespace), self._body(holder, {}))
        return await self._api.replace(lease(self._me.namespace, self._me.name), self._body(holder, found))

    def _body(self, holder: str, found: Json) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            "name": self._me.name,
            "namespace": self._me.namespace,
            "labels": {GROUP_LABEL: self._me.group},
        }
        version = found.get("metadata", {}).get("resourceVersion")
        if version is not None:
            metadata["resourceVersion"] = version
        if self._me.uid is not None:
            owner = {"apiVersion": "v1", "kind": "Pod", "name": self._me.name, "uid": self._me.uid}
            metadata["ownerReferences"] = [owner]
        at = datetime.fromtimestamp(self._around.epoch_s(), UTC).isoformat(timespec="microseconds")
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": int(DURATION_S),
            "renewTime": at.replace("+00:00", "Z"),
        }
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    async def _look(self) -> None:
        listed = await self._api.get(
            leases(self._me.namespace), {"labelSelector": f"{GROUP_LABEL}={self._me.group}"}
        )
        found = {}
        for item in listed.get("items") or ():
            metadata, spec = item.get("metadata") or {}, item.get("spec") or {}
            stamp = str(metadata.get("resourceVersion"))
            found[str(metadata.get("name"))] = LeaseSeen(str(spec.get("holderIdentity") or ""), stamp)
        self._roster.heard(found, self._around.now_s())
