"""The monitor's snapshot as it stands in the cluster, and who probes what as the providers see it."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.cluster.support import kubectl, release, vendors
from tests.support.turns import longest_gap_s, longest_overlap_s

Json = Any  # a value made of JSON's types


def shards() -> dict[str, Json]:
    """The published shards that have endpoints, by key."""
    data = kubectl.get("configmap", release.HEALTH).get("data") or {}
    read = {key: json.loads(text) for key, text in data.items() if key.startswith("shard-")}
    return {key: shard for key, shard in read.items() if shard["endpoints"]}


def size_bytes() -> int:
    data = kubectl.get("configmap", release.HEALTH).get("data") or {}
    return sum(len(text.encode()) for text in data.values())


def endpoints() -> dict[str, Json]:
    """What is published of each endpoint."""
    return {name: seen for shard in shards().values() for name, seen in shard["endpoints"].items()}


def publishers() -> dict[str, str]:
    """Who published each shard."""
    return {key: shard["publisher"] for key, shard in shards().items()}


@dataclass(slots=True)
class Log:
    """The probes of each endpoint, in order: when, and by whose address."""

    probes: dict[str, list[tuple[float, str]]] = field(default_factory=lambda: defaultdict(list))

    def longest_gap_s(self, since_s: float, until_s: float) -> tuple[float, str]:
        """The longest time in which an endpoint was not probed, and which one."""
        return max((longest_gap_s(probes, since_s, until_s), endpoint) for endpoint, probes in self.probes.items())

    def longest_overlap_s(self, since_s: float, until_s: float) -> tuple[float, str]:
        """The longest time in which two peers took turns at one endpoint, and which one."""
        inside = {
            endpoint: [probe for probe in probes if since_s <= probe[0] <= until_s]
            for endpoint, probes in self.probes.items()
        }
        return max((longest_overlap_s(probes, vendors.PERIOD_S), endpoint) for endpoint, probes in inside.items())


class Watch:
    """Collects the probes of the endpoints that are probed by completions, while `with` lasts."""

    def __init__(self) -> None:
        self.log = Log()
        self._urls = [vendors.url(name) for name in vendors.PROBED_BY_COMPLETION]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._seen: set[tuple[str, float]] = set()

    def __enter__(self) -> Log:
        self._thread.start()
        return self.log

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(30)

    def _collect(self) -> None:
        while not self._stop.wait(1.0):
            for name in vendors.PROBED_BY_COMPLETION:
                for one in vendors.requests(name):
                    if one["method"] == "POST":
                        self._note(f"{name}/{json.loads(one['body'])['model']}", one["at_s"], one["peer"])

    def _note(self, endpoint: str, at_s: float, peer: str) -> None:
        if (endpoint, at_s) not in self._seen:
            self._seen.add((endpoint, at_s))
            self.log.probes[endpoint].append((at_s, peer))


def settled_on(count: int) -> bool:
    """Whether all shards are published, by exactly so many publishers, all alive."""
    alive = set(release.monitor_urls())
    now = set(publishers().values())
    return len(alive) == count and len(now) == count and all(any(pod in one for pod in alive) for one in now)


def now_s() -> float:
    return time.time()
