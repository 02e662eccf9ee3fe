"""When a shard is written, and under which number.

A change of a breaker goes out at once; anything else with the period; and a shard in which nothing changed every second
period, so that a reader can tell "unchanged" from "dead" (CONTRACT §6). How often an endpoint was probed is no change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.core.health import EndpointSnapshot, ShardSnapshot

UNCHANGED_PERIODS = 2

Entries = Mapping[str, EndpointSnapshot]


@dataclass(frozen=True, slots=True)
class Issue:
    """The last publication of one shard."""

    epoch: int
    seq: int
    entries: Entries
    period: int  # in which it was written, counted by the publisher


def taken_over(seen: ShardSnapshot | None, unix_ms: int) -> Issue:
    """What a new publisher follows on: its epoch exceeds any that readers may have seen, whatever the clocks say."""
    epoch = unix_ms if seen is None else max(seen.epoch + 1, unix_ms)
    return Issue(epoch, seq=0, entries={} if seen is None else seen.endpoints, period=-UNCHANGED_PERIODS)


def following(last: Issue, entries: Entries, period: int) -> Issue | None:
    """The issue to write now, or None where there is nothing to write."""
    if not last.entries and not entries:
        return None
    if period == last.period:
        due = _breakers(last.entries) != _breakers(entries)
    else:
        due = period - last.period >= UNCHANGED_PERIODS or _comparable(last.entries) != _comparable(entries)
    return Issue(last.epoch, last.seq + 1, entries, period) if due else None


def _breakers(entries: Entries) -> dict[str, str]:
    return {id_: entry.breaker.value for id_, entry in entries.items()}


def _comparable(entries: Entries) -> dict[str, EndpointSnapshot]:
    return {id_: replace(entry, probes=0) for id_, entry in entries.items()}
