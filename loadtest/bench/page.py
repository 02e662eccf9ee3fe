"""The result of a run as text for a terminal and as the page in docs/. Both say only what the run has measured."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.bench.machine import Machine
from loadtest.bench.measure import Cost, Memory
from loadtest.bench.workloads import JSON_SMALL, PLAIN, SEEING, SEEN, UNSEEN, YARDSTICK, Row


@dataclass(frozen=True, slots=True)
class Measured:
    """One row and what it came to."""

    row: Row
    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class Judging:
    """CPU time of the learned classifier per prompt, over so many different ones of so many bytes."""

    p50_ms: float
    p99_ms: float
    prompts: int
    prompt_bytes: int

    def line(self) -> str:
        return (
            f"The learned classifier takes {self.p50_ms:.2f} ms of CPU per {self.prompt_bytes / 1000:g} KB prompt "
            f"(median of {self.prompts:,} different ones; p99 {self.p99_ms:.2f} ms), where `classify.by` asks for it."
        )


def judging_of(each_ms: Sequence[float], prompt_bytes: int) -> Judging:
    ordered = sorted(each_ms)
    p50_ms, p99_ms = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
    return Judging(p50_ms, p99_ms, len(ordered), prompt_bytes)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; rows that were not asked for are not in it."""

    machine: Machine
    rounds: int
    seconds: float
    rows: tuple[Measured, ...]
    memory: tuple[Memory, ...]
    judging: Judging | None = None

    def seeing_us(self) -> float | None:
        """What metrics, traces and records cost a request: the median of the differences of each round."""
        return statistics.median(each_us) if (each_us := self.seeing_each_us()) else None

    def seeing_each_us(self) -> tuple[float, ...]:
        """The difference of each round, in order; empty where that row did not run."""
        for measured in self.rows:
            each = {cost.server: cost.each_us for cost in measured.costs}
            if measured.row.id == SEEING:
                return tuple(on - off for on, off in zip(each[SEEN], each[UNSEEN], strict=True))
        return ()

    def json_ratio(self) -> float | None:
        """The gateway's whole replies in units of nginx, with the small prompt; None where that row did not run."""
        for measured in self.rows:
            for cost in measured.costs:
                if measured.row.id == JSON_SMALL and cost.server == PLAIN:
                    return cost.ratio
        return None


_COSTS_HEAD = ("load", "server", "CPU us", "min to max", "per", "x nginx", "core used")
_MEMORY_HEAD = ("server", "open streams", "KiB per stream", "MiB at rest", "CPU us per event", "cancelled upstream")

_INTRODUCTION = """\
# Performance

What the gateway costs on top of the models: CPU time per request and per server-sent event, beside nginx as a plain
reverse proxy in the same run on the same core. This page is written by the command; nothing on it is typed by hand:

```
make bench                                            # the table on the terminal
python -m loadtest.bench --write docs/performance.md  # and this page
python -m loadtest.bench --quick --only json-small    # one row in a few seconds, of one start
python -m loadtest.bench --check 6                    # exit status 1 above 6 x nginx for JSON
python -m loadtest.bench --only seeing --check-seeing 15  # exit status 1 above 15 us for what is seen of a request
python -m loadtest.bench --only learned --check-learned 0.7 2  # exit status 1 above 0.7 ms a prompt, or 2 ms at p99
python -m loadtest.bench --python /usr/bin/python3.11 # the gateway under another build of the same Python
```

It needs Linux and nginx (`apt install nginx`), and uses `wrk` where it is installed. `make bench` compiles the gateway
first, as the image has it; `python -m loadtest.bench` takes what `make compiled` has made, or the sources.
"""

_METHOD = """\
## How it is measured

- CPU is user plus system time of the server's whole process tree while the load runs, divided by the requests or events
  that the upstream finished meanwhile. The servers alternate in every round; the table shows the medians of the rounds,
  and the median of the per-round ratios, which is steadier than any of the absolute numbers.
- Every round has a new process of each gateway; nginx stays. How a process's memory is laid out is settled when it
  starts, so that gateways which are the same to the byte differ by a tenth for as long as they live. "min to max" is
  what the starts came to: two versions whose spans overlap are hardly told apart by one run.
- Two load points. With 32 connections at a time the server always has more to do: each turn of its event loop finds
  several requests ready, which share what a wake-up costs. That is a pod at its limit, and says how many requests a
  core can answer. One request at a time pays for its wake-ups alone: when it comes, when the provider's answer does.
  That is a pod far from its limit, as most are, and says what CPU time its requests cost there.
- The server under test has one core; the upstream and the load generator share another. The upstream answers with ready
  bytes (about 350 bytes whole, about 190 bytes per event, with usage).
- nginx: one worker, kept-alive connections on both sides, `proxy_buffering off`, no access log.
- Gateways are compiled, as in the image; `gateway as sources` is interpreted, as every other installation is. Where
  nothing is compiled, all of them are, and the line above the results says so.
- The gateway is the real process (`python -m gateway`) with everything on: client keys, `model: auto` over six
  endpoints at four providers, classification, cost estimates, usage and cost in every reply, decision records written
  to a file, metrics. `gateway+detect` also scans every request for personal data and secrets. 16 different prompts are
  sent in turn.
- What seeing costs: `gateway+traces` also makes spans of one request in a hundred and sends them to a collector.
  `gateway-unseen` makes no record of a request that has ended, so that nothing is counted, remembered, written or
  traced: no switch of the product goes so far, and only the bench has such a gateway.
- The learned classifier is measured alone, in a process on the servers' core: task and score of prompts that it has not
  seen before. A gateway remembers those it saw last.
- A row of events holds its share of the requests too: a stream has 200 events.
- Memory of open streams is what they add to a gateway that is some seconds old; one that has had as many before keeps
  room for them.

## Where it goes

- By a sampling profile of the interpreted gateway under this load, four fifths of a request's CPU are spent in
  Python, in many small steps: the plan 18 % (classification alone 12 %), the decision record 10 %, reading the request
  9 %, sending it and reading the answer 12 %. Sockets and event loop take the last fifth.
- The build of Python counts. Debian's `python3.11`, which is optimised by a profile as the image's is, needs an eighth
  less than one that `./configure && make` gives, such as pyenv's. `--python` measures it.
- The modules that a request passes are compiled by mypyc, from the same sources: `setup.py` lists them, and the image
  and `make compiled` are made so. In the process a request costs about a quarter less. mypyc alone gives half of that:
  the 650 fields of msgspec structs that a request reads would each go through a general look-up, for which the
  interpreter has had caches since 3.11. `scripts/compiled/slots.h` gives one to each such place in the compiled code.
  With Cython 3.3, which has none either, a request became dearer, by a fifth to a half.
- What the compiler does not forgive: keywords of class statements are dropped; a type that was narrowed before a call
  is believed after it; the name of a caught exception has one type in a whole function; annotations by which msgspec
  decodes are lost, so such modules stay interpreted (a rule in `setup.py` finds them); and parts of compiled objects
  cannot be replaced in tests. `tests/architecture` fails where a source breaks one that can be seen in it.

## What it does not say

- Loopback only: no TLS to the providers, no real network, and one upstream that never fails. No monitor's snapshots are
  read during the run.
- "core used" below about 90 % means that the server was waiting for the load: then each wake-up serves fewer requests,
  and a request costs more than it would under full load. One request at a time and streams are meant to be so;
  elsewhere the load was too slow.
- A pod whose load lies between the two points lies between their costs; where, is not measured. Neither is a latency:
  how long a request waits for a busy core shows in neither.
- Absolute numbers move with the machine and with whatever else runs on it; compare ratios.
"""


def as_text(report: Report) -> str:
    parts = [report.machine.line(), f"{report.rounds} rounds of {report.seconds:g} s"]
    parts += ["", *_text_table(_COSTS_HEAD, _cost_lines(report.rows))] if report.rows else []
    parts += ["", seeing] if (seeing := _seeing(report)) else []
    parts += ["", report.judging.line()] if report.judging else []
    if report.memory:
        parts += ["", *_text_table(_MEMORY_HEAD, _memory_lines(report.memory))]
    return "\n".join(parts)


def as_markdown(report: Report) -> str:
    parts = [
        _INTRODUCTION,
        "## Results",
        "",
        f"{report.machine.line()}. {report.rounds} rounds of {report.seconds:g} s each.",
        "",
        *_markdown_table(_COSTS_HEAD, _cost_lines(report.rows)),
        "",
    ]
    if seeing := _seeing(report):
        parts += [seeing, ""]
    if report.judging:
        parts += [report.judging.line(), ""]
    if report.memory:
        parts += [*_markdown_table(_MEMORY_HEAD, _memory_lines(report.memory)), ""]
    return "\n".join([*parts, _METHOD])


def _seeing(report: Report) -> str | None:
    cost_us, each_us = report.seeing_us(), report.seeing_each_us()
    if cost_us is None:
        return None
    spread = f" ({min(each_us):.1f} to {max(each_us):.1f} in {len(each_us)} rounds)" if len(each_us) > 1 else ""
    return f"Metrics, decision records and 1 % traces cost {cost_us:.1f} us per request{spread}."


def _cost_lines(rows: Sequence[Measured]) -> list[tuple[str, ...]]:
    return [
        (
            measured.row.title,
            cost.server,
            f"{cost.cpu_us:.1f}",
            "" if cost.spread_us is None else "{:.1f} to {:.1f}".format(*cost.spread_us),
            measured.row.unit,
            "1" if cost.server == YARDSTICK else f"{cost.ratio:.2f}",
            f"{cost.busy:.0%}",
        )
        for measured in rows
        for cost in measured.costs
    ]


def _memory_lines(memory: Sequence[Memory]) -> list[tuple[str, ...]]:
    return [
        (
            one.server,
            str(one.streams),
            f"{one.kib_per_stream:.1f}",
            f"{one.rest_kib / 1024:.0f}",
            f"{one.cpu_us_per_event:.1f}",
            f"{one.cancelled} of {one.streams}",
        )
        for one in memory
    ]


def _text_table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    rows = ((cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (head, *lines))
    return ["  ".join(row).rstrip() for row in rows]


def _markdown_table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *lines)]
