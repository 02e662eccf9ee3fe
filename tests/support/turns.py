"""Who probed one endpoint when: how long it was left alone, and how long two were at it at once."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

Turns = Sequence[tuple[float, str]]  # (instant in seconds, by whom), in order


def longest_gap_s(turns: Turns, from_s: float, to_s: float) -> float:
    """The longest time without a probe between two instants."""
    instants = [from_s, *(at_s for at_s, _ in turns if from_s < at_s < to_s), to_s]
    return max(later - earlier for earlier, later in pairwise(instants))


def longest_overlap_s(turns: Turns, period_s: float) -> float:
    """The longest time for which two probed in turns: from the later one's first probe to the earlier one's last.

    Who paused for more than one and a half periods had given the endpoint away meanwhile; that it comes back to him
    later is no overlap.
    """
    stints = [stint for peer in {peer for _, peer in turns} for stint in _stints(turns, peer, 1.5 * period_s)]
    return max(
        (min(one[1], other[1]) - max(one[0], other[0]) for one, other in combinations(stints, 2)),
        default=0.0,
    )


def _stints(turns: Turns, peer: str, pause_s: float) -> Iterator[tuple[float, float]]:
    """The first and last probe of each time that the endpoint was the peer's."""
    instants = [at_s for at_s, by in turns if by == peer]
    began_s = instants[0]
    for earlier_s, later_s in pairwise([*instants, float("inf")]):
        if later_s - earlier_s > pause_s:
            yield began_s, earlier_s
            began_s = later_s
