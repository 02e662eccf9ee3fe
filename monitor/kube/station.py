"""This replica's place in a cluster: where it publishes, whom it hears, which shards are its own, what it tells people.

Owns the API connection and everything that stands on it.
"""

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import dataclass
from random import SystemRandom

from gateway.edge.kube.access import Access
from gateway.edge.kube.api import Api
from gateway.settings import Settings
from monitor.http import OutcomesReader
from monitor.kube.events import About, Teller
from monitor.kube.gateways import PodGateways
from monitor.kube.membership import Member, Membership, Surroundings
from monitor.kube.publisher import ConfigMapPublisher
from monitor.loop import LINGER_S, Monitor
from monitor.news import refusal_news
from monitor.ownership import owned
from monitor.sharding import SHARDS

LOOK_S = 0.5  # how soon a change among the replicas is acted on
LEAVE_S = 3.0  # for the word that this replica is going; without it the others wait for its Lease to run out

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Station:
    """Made at start, before the monitor; `keep` runs beside it."""

    api: Api
    publisher: ConfigMapPublisher
    gateways: PodGateways
    membership: Membership
    teller: Teller
    name: str

    async def keep(self, monitor: Monitor) -> None:
        """Stay a member, own what falls to this replica, and tell what changes; ends by cancellation."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.membership.run())
                group.create_task(self.teller.run(monitor.press.entries))
                group.create_task(share(self.membership, monitor, self.name))
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.membership.leave(), LEAVE_S)

    def replicas(self) -> int:
        return len(self.membership.live)

    def lease_age_s(self) -> float | None:
        return self.membership.renewed_ago_s

    def refused(self, problem: str) -> None:
        """Every replica reads the same configuration; one of them tells."""
        if min(self.membership.live, default="") == self.name:
            self.teller.tell(refusal_news(problem))


async def hand_over(membership: Membership, monitor: Monitor, keeping: "asyncio.Task[None]") -> None:
    """Say farewell, and probe on until the others have begun with what was this replica's; alone, end at once.

    Args:
        keeping: the task that keeps this replica a member; as it is cancelled it says that this one is going.
    """
    others = len(membership.live) > 1
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    monitor.publishing = False  # the others do, from now on
    if others:
        await asyncio.sleep(LINGER_S)


async def share(membership: Membership, monitor: Monitor, name: str) -> None:
    """Let the monitor own what falls to this replica among those that live; ends by cancellation.

    One that is cut off keeps what it has. One that never knew the others watches everything, since nobody else may, and
    shares once all that come back with it agree who they are. Neither publishes: after whom shows with the API.
    """
    known: frozenset[str] = frozenset()
    alone = False
    while True:
        if membership.fit and membership.live != known and (membership.agreed or not alone):
            known, alone = membership.live, False
            monitor.own(owned(SHARDS, known, name))
        elif not known and not alone and membership.alone:
            alone = True
            monitor.own(frozenset(range(SHARDS)))
            log.warning("the other replicas are not known: everything is probed here, and published once they are")
        monitor.publishing = membership.fit and bool(known)
        await asyncio.sleep(LOOK_S)


def station(settings: Settings, access: Access, reader: OutcomesReader) -> Station:
    """Put together for the access that was found; asks nothing of the API yet."""
    api = Api(access)
    name = settings.pod_name or socket.gethostname()
    namespace = access.namespace
    dice = SystemRandom()
    around = Surroundings(time.monotonic, time.time, dice.random)
    about = About(namespace, settings.configmap, name)
    return Station(
        api=api,
        publisher=ConfigMapPublisher(api, namespace, settings.configmap, time.monotonic, dice),
        gateways=PodGateways(api, namespace, settings.gateway_service, reader),
        membership=Membership(api, Member(name, settings.pod_uid, namespace, settings.configmap), around),
        teller=Teller(api, about, time.monotonic, time.time),
        name=name,
    )
