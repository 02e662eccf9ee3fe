"""Who fell out of a group and why: one mapping for all requests of which the same is true.

It is neither copied nor counted anew for each of them, also while something is wrong: an outage makes the same
endpoints ill for every request, and is the wrong time to do more.
"""

from collections.abc import Mapping

from gateway.core.screen import Screened
from gateway.core.value import Value

KEPT = 64  # groups whose latest mapping is remembered; one of a large catalog has 100 KB

Excluded = Mapping[str, tuple[str, ...]]  # endpoint id -> reasons


class _Latest(Value):
    screened: Screened  # is known by its identity, so it must live
    unfit: Mapping[str, str]
    excluded: Excluded


class Exclusions:
    """Mutable; one per planner."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[int, _Latest] = {}

    def of(self, screened: Screened, unfit: Mapping[str, str]) -> Excluded:
        """What screening has excluded, and `unfit` (endpoint id to reason): by this request's size, or ill just now."""
        if not unfit:
            return screened.excluded
        latest = self._latest.get(id(screened))
        if latest is None or latest.unfit != unfit:
            latest = _Latest(screened, unfit, {**screened.excluded, **{name: (why,) for name, why in unfit.items()}})
            if len(self._latest) >= KEPT:
                self._latest.clear()
            self._latest[id(screened)] = latest
        return latest.excluded
