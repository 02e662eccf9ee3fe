"""When a reflector lists, when it watches, and how long it pauses: the rules of kubernetes/client-go's reflector,
made stricter where its own are too hopeful. Knows no API and no clock; times are the caller's, in seconds.

Whatever goes wrong, the next step is a list: it tells at once whether the API is back, and a version that the API no
longer knows (or, restored from a backup, does not know yet) is never held on to. Only a watch that ended in order is
taken up where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.edge.kube.ports import KubeError, KubeSilent, Query

FIRST_S = 0.8  # client-go's backoff of a reflector: 0.8 s doubled up to 30 s, each drawn up to twice as long
CAP_S = 30.0
HEALTHY_S = 120.0  # without a failure for so long, and the next one is the first again
BRISK_S = 5.0  # a watch that ends sooner is a failure (client-go: 1 s without events), or a proxy could make us spin
BREATH_S = 1.0  # drawn up to this before a watch is taken up again: those of all pods end when an API server does
RETRY_AFTER_CAP_S = 300.0
WATCH_S = (300, 600)  # drawn, so that watches do not end together
SILENCE_S = 150.0  # bookmarks come every minute: without two of them the connection, or the version, is dead


@dataclass(frozen=True, slots=True)
class Pause:
    """How long to wait, and why in one word (a metric's label)."""

    seconds: float
    why: str


class Backoff:
    """Waits between failures."""

    def __init__(self, draw: Callable[[], float]) -> None:
        """`draw`: uniform in [0, 1)."""
        self._draw = draw
        self._next_s = FIRST_S
        self._until_s: float | None = None

    def wait_s(self, now_s: float, at_least_s: float = 0.0) -> float:
        """How long to wait after a failure now."""
        if self._until_s is not None and now_s - self._until_s > HEALTHY_S:
            self._next_s = FIRST_S
        wait_s = self._next_s * (1.0 + self._draw())
        if at_least_s > 0:
            wait_s = max(wait_s, min(at_least_s, RETRY_AFTER_CAP_S) + self._next_s * self._draw())
        self._next_s = min(self._next_s * 2.0, CAP_S)
        self._until_s = now_s + wait_s
        return wait_s


class Course:
    """Where one reflector stands."""

    def __init__(self, selectors: Query, draw: Callable[[], float]) -> None:
        self._selectors = selectors
        self._draw = draw
        self._backoff = Backoff(draw)
        self._listed_once = False
        self.version: str | None = None  # to watch from; None: list first

    def list_query(self) -> Query:
        """The first list may come from a cache of the API's, later ones must not: they follow some trouble."""
        return {**self._selectors, "resourceVersion": "" if self._listed_once else "0"}

    def watch_query(self, version: str) -> Query:
        low_s, high_s = WATCH_S
        timeout_s = low_s + int((high_s - low_s) * self._draw())
        return {
            **self._selectors,
            "resourceVersion": version,
            "timeoutSeconds": str(timeout_s),
            "allowWatchBookmarks": "true",
        }

    def listed(self, version: str) -> None:
        self._listed_once = True
        self.version = version

    def moved(self, version: str) -> None:
        """An event or a bookmark said how far the watch has come."""
        self.version = version

    def ended(self, lived_s: float, now_s: float) -> Pause:
        """The API ended a watch without a word."""
        if lived_s < BRISK_S:
            self.version = None
            return Pause(self._backoff.wait_s(now_s), "short")
        return Pause(BREATH_S * self._draw(), "end")

    def failed(self, error: KubeError, now_s: float) -> Pause:
        """A list or a watch failed, in its head or later."""
        self.version = None
        return Pause(self._backoff.wait_s(now_s, error.retry_after_s or 0.0), why(error))


def why(error: KubeError) -> str:
    """The kind of a failure, in one word of a small set."""
    match error.status:
        case None:
            return "silent" if isinstance(error, KubeSilent) else "network"
        case 410:
            return "expired"
        case 401 | 403:
            return "denied"  # passes by itself after a restart of the API server, whose caches of roles are cold
        case 429:
            return "throttled"
        case _:
            return "error"
