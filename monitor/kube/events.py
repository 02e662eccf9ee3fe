"""Kubernetes Events: what `kubectl get events` tells about breakers and refused configuration.

Best effort and never in the way: told from a task of its own, a burst is cut, and what the API refuses is dropped with
one line in the log.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.core.health import EndpointSnapshot
from gateway.edge.kube.paths import events
from gateway.edge.kube.ports import KubeApi, KubeError
from monitor.news import News, breaker_news

LOOK_S = 1.0
BURST = 20  # events at once, and then ...
REFILL_S = 6.0  # ... one every so often; the API keeps them an hour, so 600 at most
AGAIN_S = 60.0  # the same sentence is not said twice within this
REPORTER = "pointsman-monitor"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """The object that events are attached to, and who says so."""

    namespace: str
    config_map: str
    replica: str  # the pod's name


class Teller:
    """Tells what changes. One per process."""

    def __init__(self, api: KubeApi, about: About, now_s: Callable[[], float], epoch_s: Callable[[], float]) -> None:
        self._api = api
        self._about = about
        self._now_s = now_s
        self._epoch_s = epoch_s
        self._room = float(BURST)
        self._room_at_s = now_s()
        self._said: dict[News, float] = {}
        self._waiting: list[News] = []
        self._failing = False
        self.told = 0
        self.dropped = 0

    def tell(self, news: News) -> None:
        """To be said at the next look."""
        self._waiting.append(news)

    async def run(self, entries: Callable[[], Mapping[str, EndpointSnapshot]]) -> None:
        """Compare what is published with the look before, until cancelled."""
        before = entries()
        while True:
            await asyncio.sleep(LOOK_S)
            now = entries()
            waiting, self._waiting = self._waiting, []
            for news in (*waiting, *breaker_news(before, now)):
                await self._say(news)
            before = now

    async def _say(self, news: News) -> None:
        if not self._may(news):
            self.dropped += 1
            return
        try:
            await self._api.create(events(self._about.namespace), self._event(news))
        except KubeError as error:
            self.dropped += 1
            if not self._failing:
                log.warning("events cannot be written: %s", error)
            self._failing = True
            return
        self._failing = False
        self.told += 1

    def _may(self, news: News) -> bool:
        now_s = self._now_s()
        self._room = min(BURST, self._room + (now_s - self._room_at_s) / REFILL_S)
        self._room_at_s = now_s
        self._said = {one: at_s for one, at_s in self._said.items() if now_s - at_s < AGAIN_S}
        if news in self._said or self._room < 1:
            return False
        self._room -= 1
        self._said[news] = now_s
        return True

    def _event(self, news: News) -> dict[str, Any]:
        at = datetime.fromtimestamp(self._epoch_s(), UTC)
        stamp = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{self._about.config_map}.", "namespace": self._about.namespace},
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": self._about.config_map,
                "namespace": self._about.namespace,
            },
            "reason": news.reason,
            "message": news.message,
            "type": "Warning" if news.warning else "Normal",
            "source": {"component": REPORTER},
            "reportingComponent": REPORTER,
            "reportingInstance": self._about.replica,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
