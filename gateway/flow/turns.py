"""Whose turn it is: from judged candidates to the plan, and to the least bad where all are broken."""

from collections.abc import Iterable, Sequence

from gateway.core.plan import Health, Ordered, Step
from gateway.core.screen import BREAKER_OPEN


def in_turn(
    ordered: Sequence[Ordered], health: Health, most: int, tries: int | None = None
) -> tuple[tuple[Step, ...], tuple[Step, ...], bool]:
    """The steps to try, `most` at most; the rest of the eligible; and whether it is the least bad that is tried.

    With `tries` each group has so many turns before the next; who is left has one only where another cannot take it.
    """
    steps = ordered[0].steps if len(ordered) == 1 else _once(step for group in ordered for step in group.steps)
    if tries is not None and len(ordered) > 1:
        steps = _once((*_first(ordered, tries), *steps))
    panic = False
    if not steps:
        ill = _once(step for group in ordered for step in group.ill)
        steps = tuple(step for step in ill if health.ill[step.endpoint.id].reason == BREAKER_OPEN)
        panic = bool(steps)
    return steps[:most], steps[most:], panic


def tries_in_all(ordered: Sequence[Ordered], tries: int, most: int) -> int:
    """Attempts of a request that tries each group so often, within what its route allows."""
    return min(most, max(1, len(_once(_first(ordered, tries)))))


def _first(ordered: Sequence[Ordered], tries: int) -> Iterable[Step]:
    return (step for group in ordered for step in group.steps[:tries])


def _once(steps: Iterable[Step]) -> tuple[Step, ...]:
    found: dict[str, Step] = {}
    for step in steps:
        found.setdefault(step.endpoint.id, step)
    return tuple(found.values())
