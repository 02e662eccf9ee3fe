"""What the tuner found, in words for people and as JSON for programs."""

from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.cli.ink import plain
from gateway.cli.words import counted, percent, usd
from gateway.core.tuner import Automatic, Doubt, Findings, Lower, Money, Steer
from gateway.core.tuning import Bound

RESTS_ON = (
    "pairs are of requests whose content may be kept, without media, with one answer; a task's tier holds for all "
    "others of the task, too",
    "money is that of the log's requests under the present configuration and prices, not of those to come",
)


def story(found: Findings) -> Iterator[str]:
    """Every finding with its evidence."""
    for one in found.lower:
        yield from _lower(one)
    for route in found.automatic:
        yield from _automatic(route)
    for steer in found.steers:
        yield _steer(steer)
    if not (found.lower or found.automatic or found.steers):
        yield "Nothing is proposed."
    if found.doubts:
        yield ""
        yield "Warnings (observational, not certified: who gives feedback is no random sample):"
        yield from (f"- {_doubt(one)}" for one in found.doubts)
    if found.missing:
        yield ""
        yield "Not proposed, for want of evidence or gain:"
        yield from (f"- {plain(one.what)}: {plain(one.why)}. What helps: {one.how}" for one in found.missing)
    if found.lower:
        yield ""
        yield "What this rests on:"
        yield from (f"- {line}" for line in RESTS_ON)


def _lower(one: Lower) -> Iterator[str]:
    yield f"{plain(one.task)}: {plain(one.now)} -> {plain(one.then)}"
    for bound in one.bounds:
        yield f"  certified on route {plain(bound.route)}: {_bound(bound)}"
    yield f"  with {percent(one.confidence)} confidence, however often it is looked at"
    yield f"  saves {_money(one.money)}"


def _bound(bound: Bound) -> str:
    by = f"{bound.people:,} of them by people"
    loss = f"at most {percent(bound.at_most)} worse, {percent(bound.loss)} measured"
    return f"{loss} ({bound.pairs:,} judged pairs, {by})"


def _money(money: Money, *, sign: int = 1) -> str:
    share, a_day = money.saved_share, money.saved_usd_per_day
    of = "" if share is None else f"{percent(sign * share)} of this slice, "
    amount = f"{usd(sign * money.saved_usd)} in this log" if a_day is None else f"{usd(sign * a_day)} a day"
    return f"{of}{amount} ({counted(money.requests, 'request')})"


def _automatic(one: Automatic) -> Iterator[str]:
    yield f"route {plain(one.route)}: evaluate.auto: false -> true"
    yield f"  the pairs certify at most {percent(one.max_loss)} loss with {percent(one.confidence)} confidence for"
    for threshold in one.thresholds:
        what = "the whole route" if threshold.task is None else plain(threshold.task)
        share, loss = percent(threshold.share), percent(threshold.loss)
        yield f"  - {what}: the easiest {share} go a tier lower, {loss} lost ({threshold.pairs:,} judged pairs)"


def _steer(one: Steer) -> str:
    change = f"escalation on route {plain(one.route)}: bad.{plain(one.task)}: {one.was:g} -> {one.will:g}"
    judged = f"{one.bad:,} of {one.of:,} judged answers that were not escalated were bad"
    return f"{change}\n  {judged} (observational; as many requests are escalated as before)"


def _doubt(one: Doubt) -> str:
    of = "answers with feedback or a form" if one.judged else "answers"
    bad = "bad" if one.judged else "useless (broken off, no JSON though asked, or the worst feedback)"
    said = f"{plain(one.task)} at {plain(one.now)}: {percent(one.bad / one.of)} of {one.of:,} {of} were {bad}"
    sure = f"{said} (surely {percent(one.surely)})"
    if one.above is None:
        return f"{sure}; there is no higher tier"
    if one.money is None:
        return f"{sure}; what {plain(one.above)} would cost is unknown"
    return f"{sure}; {plain(one.now)} -> {plain(one.above)} costs {_money(one.money, sign=-1)} more"


def told(found: Findings, diff: str, config: str) -> dict[str, Any]:
    """For programs."""
    return {
        "config": config,
        "diff": diff,
        "lower": [{**_plain(one), "money": _saved(one.money)} for one in found.lower],
        "automatic": [_plain(one) for one in found.automatic],
        "steers": [_plain(one) for one in found.steers],
        "warnings": [
            {**_plain(one), "evidence": "observational", "money": None if one.money is None else _saved(one.money)}
            for one in found.doubts
        ],
        "missing": [_plain(one) for one in found.missing],
        "rests_on": list(RESTS_ON),
    }


def _saved(money: Money) -> dict[str, Any]:
    names = ("saved_usd", "saved_share", "saved_usd_per_day")
    return {**_plain(money), **{name: getattr(money, name) for name in names}}


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(value)
    return found
