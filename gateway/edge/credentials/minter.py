"""Has tokens ready for whoever needs them.

A token is renewed well before it ends, in one thread for all of them; what was good stays good until its own end,
however often the renewal fails. Nobody waits: who asks gets what there is, and the provider counts as one without a key
while there is nothing.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterable

from gateway.core.credential import Credential
from gateway.edge.credentials.minted import Mint, Minted, MintError

log = logging.getLogger(__name__)

EARLY_S = 300.0  # before its end a token is renewed, or after half of a short life
LEAST_S = 10.0  # between two askings: a metadata server gives the same token until its last minutes
SPARE_S = 30.0  # a request on its way must arrive before the token ends
RETRIES_S = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)  # after failures in a row; the last one from then on
_FOREVER_S = 3_600.0  # the longest sleep of the thread


class Renewal:
    """One credential that is renewed again and again. Written by the minter's thread, read by the event loop."""

    __slots__ = ("_ends_s", "_failures", "_minted", "due_s", "mint", "name", "problem")

    def __init__(self, name: str, mint: Mint, now_s: float) -> None:
        self.name = name
        self.mint = mint
        self.due_s: float | None = now_s  # None: never again
        self.problem: str | None = f"{name} has not answered yet"
        self._minted: Credential | None = None
        self._ends_s: float | None = None
        self._failures = 0

    def credential(self, now_s: float) -> Credential | None:
        """What can be used now."""
        return None if self._ends_s is not None and now_s >= self._ends_s else self._minted

    def took(self, minted: Minted, now_s: float) -> None:
        life_s = minted.life_s
        self._ends_s = None if life_s is None else now_s + max(life_s - SPARE_S, 0.0)
        self._minted = minted.credential
        self.due_s = None if life_s is None else now_s + max(life_s - EARLY_S, life_s / 2, LEAST_S)
        self._failures, self.problem = 0, None

    def failed(self, words: str, now_s: float) -> None:
        self.due_s = now_s + RETRIES_S[min(self._failures, len(RETRIES_S) - 1)]
        self._failures += 1
        self.problem = f"{self.name}: {words}"


class Minter:
    """All renewals of a process. The thread begins with the first one, and is a daemon: nothing waits for it."""

    def __init__(self, now_s: Callable[[], float], start: Callable[[Callable[[], None]], None] | None = None) -> None:
        """
        Args:
            now_s: the clock on which lives are counted.
            start: runs what it is given beside everything else; None for a daemon thread.
        """
        self._now_s = now_s
        self._start = start or _daemon
        self._renewals: dict[Hashable, Renewal] = {}
        self._news = threading.Condition()
        self._running = False
        self._closed = False

    def renewal(self, key: Hashable, name: str, mint: Mint) -> Renewal:
        """The renewal known by `key`, begun if there is none; `name` is for people."""
        with self._news:
            found = self._renewals.get(key)
            if found is None:
                found = self._renewals[key] = Renewal(name, mint, self._now_s())
                self._news.notify()
            if not self._running:
                self._running = True
                self._start(self._run)
        return found

    def keep(self, keys: Iterable[Hashable]) -> None:
        """Forget all but these."""
        with self._news:
            self._renewals = {key: self._renewals[key] for key in keys if key in self._renewals}

    def close(self) -> None:
        """End the thread; what it is asking for just now no longer matters."""
        with self._news:
            self._closed = True
            self._news.notify()

    def turn(self) -> float:
        """Ask for what is due; seconds until something else is."""
        with self._news:
            renewals = tuple(self._renewals.values())
        for renewal in renewals:
            if renewal.due_s is not None and renewal.due_s <= self._now_s():
                self._renew(renewal)
        now_s = self._now_s()
        waits = [renewal.due_s - now_s for renewal in renewals if renewal.due_s is not None]
        return max(min(waits, default=_FOREVER_S), 0.0)

    def _renew(self, renewal: Renewal) -> None:
        try:
            minted = renewal.mint()
        except MintError as error:
            self._missed(renewal, str(error))
        except Exception as error:  # noqa: BLE001 - a surprise in one cloud's library must not end the thread of all
            self._missed(renewal, f"unexpected {type(error).__name__}")
        else:
            renewal.took(minted, self._now_s())

    def _missed(self, renewal: Renewal, words: str) -> None:
        renewal.failed(words, self._now_s())
        if not self._closed:
            log.warning("no credential from %s", renewal.problem)

    def _run(self) -> None:
        while self._sleep(self.turn()):
            pass

    def _sleep(self, wait_s: float) -> bool:
        """Until something may be due; False once closed."""
        with self._news:
            if not self._closed and not self._any_due():  # neither may have come about since the turn
                self._news.wait(wait_s)
            return not self._closed

    def _any_due(self) -> bool:
        now_s = self._now_s()
        return any(one.due_s is not None and one.due_s <= now_s for one in self._renewals.values())


def _daemon(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="credentials", daemon=True).start()
