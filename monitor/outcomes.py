"""Live traffic as news: what the gateways' cumulative counters say happened since the last read.

A gateway is known by the `since` of its report, not by its address. One that is new is all news, except at this
process's own first reading: what had been counted before it began may be days old.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.outcomes import EndpointOutcomes, Outcomes, news, together

FORGET_AFTER = 20  # reads without a word from a gateway: ten minutes, longer than a node takes to come back
NONE = EndpointOutcomes()


@dataclass(frozen=True, slots=True)
class Heard:
    """The last report of each gateway, and how many reads ago it came."""

    reports: Mapping[str, Outcomes] = field(default_factory=dict)  # by `since`
    silent: Mapping[str, int] = field(default_factory=dict)
    ever: bool = False  # something was read before


def taken(heard: Heard, reports: Iterable[Outcomes]) -> tuple[Heard, dict[str, EndpointOutcomes]]:
    """What is known after one round of reads, and the news of it by endpoint."""
    parts: dict[str, list[EndpointOutcomes]] = defaultdict(list)
    current = {report.since: report for report in reports}
    for since, report in current.items():
        before = heard.reports.get(since)
        if before is None and not heard.ever:
            continue
        for id_, entry in report.endpoints.items():
            parts[id_].append(news(before.endpoints.get(id_, NONE) if before else NONE, entry))
    silent = {since: heard.silent.get(since, 0) + 1 for since in heard.reports if since not in current}
    kept = {since: heard.reports[since] for since, reads in silent.items() if reads < FORGET_AFTER}
    after = Heard(kept | current, {since: silent[since] for since in kept}, heard.ever or bool(current))
    return after, {id_: joint for id_, found in parts.items() if (joint := together(found)) != NONE}
