"""`pointsman replay`: what another configuration would have done with recorded traffic, and what it would have cost."""

import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
from msgspec.structs import replace as changed

from gateway.cli.decision_sources import NoRecords
from gateway.cli.ink import stdout_ink
from gateway.cli.output import print_json
from gateway.cli.replay_log import Columns, RecordTable
from gateway.cli.replay_story import story, unknown
from gateway.config.compile import Compiled
from gateway.core.classify import Classifier
from gateway.core.named import Names
from gateway.core.price_json import PriceFileError, decode_prices
from gateway.core.prices import PriceBook, with_published
from gateway.core.replay import Kind, Log
from gateway.core.replay_cost import Floats, Usages
from gateway.core.replay_sums import Sums
from gateway.core.signals import Signals
from gateway.core.task_rules import DEFAULT_RULES
from gateway.flow.replay import Recorded, Replayer
from gateway.flow.replay_tally import NONE, Answers, Slice, tally
from gateway.flow.world import World, kinds_of

DAY_S = 86_400


def replay(given: Namespace, compiled: Compiled) -> int:
    """Read the logs, plan every request anew, and print what came out. Raises `NoRecords`."""
    day, book = _prices(given.prices, compiled.price_book)
    say = progress()
    with closing(RecordTable(given.logs, say)) as table:
        if not table.count:
            raise NoRecords("the log holds no decision records (JSON lines with the fields of a decision)")
        sums = replayed(table, world_of(replace(compiled, price_book=book)), day, given.health)
        say("")
        told = {"log": _log(table), "prices": given.prices or "of each request's time", "health": given.health}
    if given.as_json:
        print_json({**told, **_json(sums)})
    else:
        ink = stdout_ink()
        for line in story(told["log"], sums):
            print(ink.line(line))
    return 0


def replayed(table: RecordTable, world: World, day: date | None, health: str) -> dict[Slice, Sums]:
    """The sums of every request, by route and task.

    Args:
        table: the records.
        world: in which they are planned.
        day: whose prices hold, at the same time of the day; None: each request's own.
        health: "recorded": who failed or was out then is ill; "well": nobody is.
    """
    kinds = {number: kind if health == "recorded" else _healed(kind) for number, kind in table.kinds.items()}
    log = Log.of(kinds.values(), world.policy)
    replayer = Replayer(world, log, table.ttft_p95_ms())
    found: dict[Slice, Sums] = {}
    for number, columns in table.batches():
        kind = kinds[number]
        if kind.route is None:
            count = len(columns["number"])
            found.setdefault((NONE, NONE), Sums()).add(Sums(requests=count, unplanned=count))
            continue
        recorded, answers = _arrays(columns, day)
        for slice_, sums in tally(kind, replayer.planned(kind, recorded), answers, world.prices).items():
            found.setdefault(slice_, Sums()).add(sums)
    return found


def world_of(compiled: Compiled) -> World:
    """What a gateway with this configuration would plan in, with a key for every provider."""
    policy = compiled.policy
    return World(
        policy=policy,
        names=Names.of(policy.catalog),
        classifier=Classifier.compile(DEFAULT_RULES, policy.tasks, policy.rules),
        scanner=None,
        prices=compiled.price_book.prices,
        breaker_rules=compiled.breaker_rules,
        kinds=kinds_of(policy),
    )


def _healed(kind: Kind) -> Kind:
    """The same where nobody was ill: the first of the plan would have answered."""
    out = tuple(one for one in kind.out if not {"breaker_open", "rate_limited"} & set(one.reasons))
    excluded = {why: n for why, n in kind.excluded.items() if why not in ("breaker_open", "rate_limited")}
    return changed(kind, out=out, excluded=excluded, passed_over=())


def _arrays(columns: Columns, day: date | None) -> tuple[Recorded, Answers]:
    """The numbers of one kind as the replay takes them."""

    def of(name: str) -> Floats:
        return np.asarray(columns[name], dtype=np.float64)

    at_s = of("at_s")
    if day is not None:
        at_s = (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY_S + at_s % DAY_S
    bad = (np.asarray(columns[name], dtype=np.bool_) for name in ("asked_again", "broken_off"))
    signals = Signals(of("feedback"), of("form"), *bad)
    names = ("input", "cached_input", "cache_write", "output", "reasoning", "requests")
    answers = Answers(
        answered=np.asarray(columns["answered"], dtype=np.bool_),
        counted=np.asarray(columns["counted"], dtype=np.bool_),
        usages=Usages(*(of(name) for name in names)),
        cost_usd=of("cost_usd"),
        failed_usd=of("failed_usd"),
        saved_usd=of("saved_usd"),
        signals=signals,
        at_s=at_s,
    )
    return Recorded(of("tokens"), at_s, tuple(of(f"estimate_{n}") for n in (1, 2, 3))), answers


def _prices(said: str | None, book: PriceBook) -> tuple[date | None, PriceBook]:
    """A day, or a file of prices as the monitor publishes it. Raises `NoRecords`."""
    if said is None:
        return None, book
    try:
        return datetime.strptime(said, "%Y-%m-%d").date(), book  # noqa: DTZ007 -- a day, without a time
    except ValueError:
        pass
    try:
        return None, with_published(book, decode_prices(Path(said).read_bytes()))
    except OSError:
        raise NoRecords(f"--prices {said}: neither a day such as 2026-11-25 nor a file of prices") from None
    except PriceFileError as error:
        raise NoRecords(f"--prices {said}: {error}") from None


def _log(table: RecordTable) -> dict[str, int]:
    return {
        "decisions": table.count,
        "feedback": table.feedback,
        "other_lines": table.others,
        "unreadable_lines": table.unreadable,
        "kinds": len(table.kinds),
    }


def _json(sums: dict[Slice, Sums]) -> dict[str, object]:
    whole = Sums()
    for one in sums.values():
        whole.add(one)
    rows = [{"route": route, "task": task, **one.json()} for (route, task), one in sorted(sums.items())]
    return {"total": whole.json(), "slices": rows, "cannot_be_known": unknown(whole)}


def progress() -> Callable[[str], None]:
    """Says how far it is on standard error: in one line of a terminal, else now and then."""
    if sys.stderr.isatty():
        return lambda text: print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    last = [""]

    def say(text: str) -> None:
        stage = text.partition(" ")[0]
        if stage and (stage != last[0] or stage == "planning"):
            print(text, file=sys.stderr)
        last[0] = stage

    return say
