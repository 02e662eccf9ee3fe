"""Where pairs, judgements and spending are kept: what may be asked of the store, whatever holds it.

Every method is synchronous and may wait for a disk or a network: call it by `asyncio.to_thread`, from any thread. Time
is an argument throughout. What holds the rows (`monitor.evaluation.sql_store`) is imported by `Store.open` alone:
SQLAlchemy weighs 17 MiB, which a monitor without evaluation shall not carry.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from gateway.core.evaluation import Half
from monitor.evaluation.pairs import Answer, Drawn, Judged, Judgement, Pair, Terms, Unjudged
from monitor.evaluation.progress import Progress
from monitor.evaluation.store_errors import RowError, StoreError

__all__ = ["RowError", "Store", "StoreError"]


class Store(Protocol):
    """All methods raise StoreError where the database fails, and have then changed nothing."""

    @classmethod
    def open(cls, url: str) -> "Store":
        """By `sqlite:///FILE`, a file's path, or `postgresql://…`; makes the tables, or brings them up to this version.

        Raises:
            StoreError: it cannot be reached, is of a newer version, or is no such database.
        """
        from monitor.evaluation.sql_store import SqlStore

        return SqlStore.open(url)

    def close(self) -> None: ...

    # From the gateways, and second answers.

    def add(self, halves: Sequence[Half], now_s: float) -> int:
        """How many are new; a decision that is known is ignored."""

    def claim_half(self, name: str, now_s: float, lease_s: float, without: Collection[str] = ()) -> Half | None:
        """The oldest half that waits and nobody has claimed, for `lease_s`; of no route in `without`."""

    def complete(self, decision: str, prompt: str, first: str, second: Answer | None, now_s: float) -> None:
        """Both answers are there, as people read them; no second one: it would have come from the same endpoint.

        The client's body and the raw answer are deleted. A half that no longer waits is left alone.
        """

    def give_up(self, decision: str, why: str, now_s: float) -> None:
        """No second answer will come: the texts are deleted. A half that no longer waits is left alone."""

    # Judgements.

    def next_for(self, scorer: str, now_s: float, lease_s: float) -> Pair | None:
        """A pair for this person: the one they hold, else the oldest, held for them for `lease_s`.

        Never one that another person holds, that they have judged or skipped, or that enough have judged: one, or two
        for a tenth of the pairs.
        """

    def next_for_model(
        self, name: str, now_s: float, lease_s: float, without: Collection[str] = ()
    ) -> Unjudged | None:
        """The oldest pair that a model may judge and none has judged or skipped."""

    def release(self, name: str, decision: str) -> None:
        """What `name` holds of this decision, if anything, is free again."""

    def judge(self, judgement: Judgement) -> bool:
        """Keep it, instead of an earlier one by the same scorer, whose hold ends; False: no such pair is complete."""

    def judged(self, since_s: float = 0.0) -> list[Judged]:
        """Pairs of requests from `since_s` on that somebody judged, by the requests' time."""

    def drawn(self, since_s: float, at_most: int) -> list[Drawn]:
        """The latest requests from `since_s` on, in no order that means anything."""

    def progress(self) -> list[Progress]:
        """By route and task, in their order."""

    # Money, and what the certifier remembers.

    def spent_usd(self, route: str, day: date) -> float:
        """`day` is a UTC day."""

    def charge(self, route: str, day: date, usd: float) -> None: ...

    def load(self, key: str) -> bytes | None: ...

    def save(self, key: str, value: bytes) -> None: ...

    # Keeping, and letting go.

    def export(self) -> Iterator[dict[str, Any]]:
        """Everything but claims and holds, as rows that are JSON."""

    def import_(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Take exported rows over, all or none; how many were new. What is there already stays as it is.

        Raises:
            RowError: the first row that is none.
        """

    def expire(self, now_s: float, barred: Callable[[Terms], bool] | None = None) -> int:
        """Delete texts that are older than their `keep_s`, and those that are `barred`; how many pairs had such.

        What was judged stays without its texts, since certificates rest on it; what was not is deleted.
        """

    def purge(self, before_s: float, route: str | None = None) -> int:
        """Delete pairs of requests before that time, of that route or of all, judged or not; how many.

        Where a disk has no room for deleting all of them, `purge` and `expire` delete a few at a time, and may have
        deleted some before they raise.
        """
