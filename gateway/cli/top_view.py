"""What `pointsman top` shows: two looks at a gateway's `/api/overview`, and the rates between them.

Pure: looks and their times come in, numbers and lines go out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.cli.ink import Ink, Tone, columns, ljust, plain, rjust
from gateway.cli.words import counted, milliseconds, percent, usd

WINDOW_S = 10.0  # rates are over so much; shorter after the start
_HEADS = ("endpoint", "breaker", "req/s", "errors", "p95", "cost/h")
_TONES = {"closed": Tone.GOOD, "half_open": Tone.WARN, "open": Tone.BAD}
_ORDER = {"open": 0, "half_open": 1}
_HOUR_S = 3600.0

Overview = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    at_s: float  # on any clock that does not jump
    told: Overview


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint. `None` is unknown, or nothing happened that could be told of."""

    endpoint: str
    breaker: str
    requests_per_s: float
    error_share: float | None
    p95_ms: float | None  # to the first content
    p95_by: str | None  # "traffic", or "probes" of the monitor where no stream tells
    cost_usd_per_h: float


@dataclass(frozen=True, slots=True)
class View:
    version: str
    ready: str
    now: str
    inflight: int
    requests_per_s: float
    error_share: float | None
    cost_usd_per_h: float
    saved_usd_per_h: float
    saved_share: float | None  # of what the baseline would have cost
    rates_over_s: float
    sums_since: str  # midnight UTC, or the process's start
    requests: int
    cost_usd: float
    saved_usd: float
    endpoints: tuple[Line, ...]  # what is ill first, then the busiest


class History:
    """The looks of the last `WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._looks: list[Look] = []

    def add(self, look: Look) -> View:
        """Take a look in; what there is to see then."""
        if self._looks and _begun_anew(self._looks[-1].told, look.told):
            self._looks.clear()
        self._looks.append(look)
        while len(self._looks) > 2 and look.at_s - self._looks[1].at_s >= WINDOW_S:
            del self._looks[0]
        return view(self._looks[0], look)


def _begun_anew(before: Overview, now: Overview) -> bool:
    """Sums fell: another process, or another day."""
    then = (before.get("started_at"), _today(before).get("since"))
    return then != (now.get("started_at"), _today(now).get("since"))


def view(before: Look, now: Look) -> View:
    """The rates from one look to the other."""
    seconds = now.at_s - before.at_s
    sums, sums_then = _today(now.told), _today(before.told)

    def per_s(name: str) -> float:
        return _rate(sums_then.get(name), sums.get(name), seconds)

    requests, baseline = per_s("requests"), per_s("baseline_cost_usd")
    return View(
        version=str(now.told.get("version", "")),
        ready=str(now.told.get("ready", "")),
        now=str(now.told.get("now", "")),
        inflight=int(now.told.get("inflight") or 0),
        requests_per_s=requests,
        error_share=per_s("failed") / requests if requests else None,
        cost_usd_per_h=per_s("cost_usd") * _HOUR_S,
        saved_usd_per_h=per_s("saved_usd") * _HOUR_S,
        saved_share=per_s("saved_usd") / baseline if baseline else None,
        rates_over_s=round(seconds, 1),
        sums_since=str(sums.get("since", "")),
        requests=int(sums.get("requests") or 0),
        cost_usd=float(sums.get("cost_usd") or 0.0),
        saved_usd=float(sums.get("saved_usd") or 0.0),
        endpoints=_endpoints(before.told, now.told, seconds),
    )


def _today(told: Overview) -> Mapping[str, Any]:
    return told.get("today") or {}


def _rate(before: float | None, now: float | None, seconds: float) -> float:
    return ((now or 0.0) - (before or 0.0)) / seconds if seconds > 0 else 0.0


def _endpoints(before: Overview, now: Overview, seconds: float) -> tuple[Line, ...]:
    then = {row["endpoint"]: row for row in before.get("endpoints") or ()}
    costs, costs_then = _costs(now), _costs(before)
    lines = []
    for row in now.get("endpoints") or ():
        name, past = row["endpoint"], then.get(row["endpoint"], {})
        rates = {key: _rate(past.get(key), row.get(key), seconds) for key in ("ok", "failed", "rate_limited")}
        attempts, p95_ms, by = sum(rates.values()), *_p95(row)
        lines.append(
            Line(
                endpoint=name,
                breaker=str(row.get("breaker", "")),
                requests_per_s=attempts,
                error_share=(attempts - rates["ok"]) / attempts if attempts else None,
                p95_ms=p95_ms,
                p95_by=by,
                cost_usd_per_h=_rate(costs_then.get(name), costs.get(name), seconds) * _HOUR_S,
            )
        )
    return tuple(sorted(lines, key=lambda one: (_ORDER.get(one.breaker, 2), -one.requests_per_s, one.endpoint)))


def _costs(told: Overview) -> dict[str, float]:
    return {row["endpoint"]: row["cost_usd"] for row in _today(told).get("by_endpoint") or ()}


def _p95(row: Mapping[str, Any]) -> tuple[float | None, str | None]:
    live = (row.get("first_token_ms") or {}).get("p95")
    if live is not None:
        return live, "traffic"
    probed = ((row.get("probe") or {}).get("first_byte_ms") or {}).get("p95")
    return probed, None if probed is None else "probes"


def lines(seen: View, url: str, ink: Ink, height: int) -> list[str]:
    """The whole screen: at most `height` lines, none wider than the ink's width."""
    room = max(1, height - 5)  # head, sums, a gap, column heads, foot
    shown = seen.endpoints if len(seen.endpoints) <= room else seen.endpoints[: room - 1]
    table = list(_table(shown, ink))
    if len(shown) < len(seen.endpoints):
        table.append(ink(f"… and {counted(len(seen.endpoints) - len(shown), 'other endpoint')}", Tone.FAINT))
    told = [_title(seen, url, ink), _sums(seen, ink), "", *table, ink(_foot(seen), Tone.FAINT)]
    return [ink.line(line) for line in told[:height]]


def _foot(seen: View) -> str:
    return f"rates over {seen.rates_over_s:g} s; p95: time to first content, ~ as probed by the monitor"


def _title(seen: View, url: str, ink: Ink) -> str:
    tone = Tone.GOOD if seen.ready == "ready" else Tone.WARN
    clock = seen.now.partition("T")[2].rstrip("Z")
    words = (ink("pointsman", Tone.STRONG), plain(url), plain(seen.version), ink(plain(seen.ready), tone))
    return "  ".join((*words, ink(f"{plain(clock)} UTC", Tone.FAINT)))


def _sums(seen: View, ink: Ink) -> str:
    errors = f"{percent(seen.error_share)} errors" if seen.error_share is not None else "no errors"
    saved = f"saved {usd(seen.saved_usd_per_h)}/h"
    if seen.saved_share is not None:
        saved += f" ({percent(seen.saved_share)})"
    since = plain(seen.sums_since.partition("T")[2][:5])
    return "   ".join(
        (
            ink(f"{seen.requests_per_s:.1f} requests/s", Tone.STRONG),
            f"{seen.inflight} in flight",
            ink(errors, Tone.BAD if seen.error_share else None),
            f"{usd(seen.cost_usd_per_h)}/h",
            ink(saved, Tone.GOOD if seen.saved_usd_per_h > 0 else None),
            f"since {since}: {counted(seen.requests, 'request')}, {usd(seen.cost_usd)}, saved {usd(seen.saved_usd)}",
        )
    )


def _table(shown: Sequence[Line], ink: Ink) -> Iterator[str]:
    rows = [_HEADS, *map(_cells, shown)]
    widths = [max(columns(row[at]) for row in rows) for at in range(len(_HEADS))]
    for number, row in enumerate(rows):
        cells = [(ljust if at < 2 else rjust)(cell, widths[at]) for at, cell in enumerate(row)]
        if number == 0:
            yield ink("  ".join(cells), Tone.FAINT)
            continue
        one = shown[number - 1]
        cells[0] = ink(cells[0], Tone.NAME)
        cells[1] = ink(cells[1], _TONES.get(one.breaker))
        cells[3] = ink(cells[3], Tone.BAD if one.error_share else None)
        yield "  ".join(cells)


def _cells(one: Line) -> tuple[str, ...]:
    return (
        plain(one.endpoint),
        plain(one.breaker).replace("_", "-"),
        f"{one.requests_per_s:.1f}",
        percent(one.error_share),
        f"{'~' if one.p95_by == 'probes' else ''}{milliseconds(one.p95_ms)}",
        usd(one.cost_usd_per_h),
    )
