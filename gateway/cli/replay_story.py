"""What a replay found, in words and tables for people."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.cli.ink import plain
from gateway.cli.words import counted, percent, usd
from gateway.core.replay_sums import MOVES_SHOWN, Sums
from gateway.core.shares import wilson

Slices = Mapping[tuple[str, str], Sums]

_HEADS = ("route", "task", "requests", "moved", "unserved", "cost then", "cost now", "saved now", "good (known)")

_SIGNS = (
    ("feedback", "with feedback"),
    ("well_formed", "JSON as asked"),
    ("malformed", "no JSON though asked"),
    ("asked_again", "asked again soon"),
    ("broken_off", "broken off"),
)


def story(log: Mapping[str, int], slices: Slices) -> Iterator[str]:
    """The lines of the report."""
    whole = Sums()
    for sums in slices.values():
        whole.add(sums)
    yield (
        f"{counted(log['decisions'], 'decision')}, {counted(log['feedback'], 'feedback row')}, "
        f"{counted(log['other_lines'], 'other line')}; {counted(log['kinds'], 'kind')} of request"
    )
    yield from unread(log["unreadable_lines"])
    yield ""
    ordered = sorted(slices.items(), key=lambda item: -item[1].requests)
    rows = [_cells(plain(route), plain(task), sums) for (route, task), sums in ordered]
    yield from _table(_HEADS, [*rows, _cells("all", "", whole)])
    yield ""
    yield from _moves(whole)
    if whole.excluded:
        told = ", ".join(f"{plain(why)} {count:,}" for why, count in whole.excluded.most_common())
        yield f"Endpoints kept out, summed over requests: {told}"
    yield from _signs(whole)
    yield ""
    yield "What this log cannot tell:"
    for line in unknown(whole):
        yield f"- {line}"


def unread(lines: int) -> Iterator[str]:
    """That some lines of a log are in no number; nothing where there are none."""
    if lines:
        yield f"{counted(lines, 'line')} could not be read, torn or no JSON: left out"


def _cells(route: str, task: str, sums: Sums) -> tuple[str, ...]:
    return (
        route,
        task,
        f"{sums.requests:,}",
        percent(sums.moved / sums.requests if sums.requests else None),
        f"{sums.unserved:,}",
        usd(sums.recorded_usd),
        usd(sums.replayed_usd),
        usd(sums.saved_usd if sums.baselined else None),
        _quality(sums),
    )


def _quality(sums: Sums) -> str:
    if not sums.known:
        return "nothing known"
    low, high = wilson(sums.good, sums.known)
    share = percent(sums.known / sums.answered if sums.answered else None)
    return f"{percent(sums.good / sums.known)} [{percent(low)}, {percent(high)}] (of {share})"


def _moves(whole: Sums) -> Iterator[str]:
    if not whole.moves:
        yield "No request would go to another endpoint."
        return
    yield "Would go elsewhere:"
    for (then, now), count in whole.moves.most_common(MOVES_SHOWN):
        yield f"  {count:>12,}  {plain(then)} → {plain(now)}"
    if len(whole.moves) > MOVES_SHOWN:
        yield f"  and {len(whole.moves) - MOVES_SHOWN:,} other ways"


def _signs(whole: Sums) -> Iterator[str]:
    signs = whole.signals
    told = [f"{signs[name]:,} {words}" for name, words in _SIGNS if signs[name]]
    if told:
        yield f"Signs in the log: {', '.join(told)}"


def unknown(whole: Sums) -> list[str]:
    """What the numbers rest on that no log can prove."""
    found = [
        "how good another endpoint's answers would have been: quality is known only where the endpoint is the same",
        "how long another model's answers would have been: costs are those of the tokens recorded, cached ones too",
        "headers and bodies: a route that matches by header is known only by its recorded name, labels of the request "
        "are the recorded ones, and a cost limit is judged by an estimate of the body",
        "a tier that every request of a task on a route asked for: it looks like the task's own",
        "sessions: among endpoints within 5 % of the cheapest the recorded one stays",
    ]
    if whole.partial:
        found.append(
            f"{counted(whole.partial, 'request')}: who else was out for reasons of the request or of health, since "
            "records name eight others and count the rest; endpoints that are not named count as out"
        )
    if whole.rerouted:
        found.append(f"{counted(whole.rerouted, 'request')}: the recorded route is gone, so key and model chose one")
    if whole.unpriced:
        found.append(f"{counted(whole.unpriced, 'answer')}: the cost then or now is unknown and not in the sums")
    if whole.failed_usd > 0:
        found.append(f"what attempts that failed would have cost now: {usd(whole.failed_usd)} then, on neither side")
    return found


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        cells = [text.ljust(width) if at in (0, 1, 8) else text.rjust(width)
                 for at, (text, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        yield "  ".join(cells).rstrip()
