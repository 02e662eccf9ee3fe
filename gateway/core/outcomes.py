"""What a gateway's own attempts showed of each endpoint, as its admin port tells the monitor (`/outcomes`).

Counters only rise while the process lives, and `since` names that life: a reader takes differences, so that neither a
lost read nor a restart of either side counts anything twice. Nothing here blames an endpoint for what the client or
the gateway did; that is decided before it is counted.

    {"version": 1, "since": "5f0c9a12e4b7d683", "endpoints": {"openai/gpt-4o": {
        "ok": 1204, "failed": 3, "rate_limited": 1, "consecutive_failures": 0, "last_error": null,
        "rate_limited_for_s": null, "cursor": 1204, "samples": [[310.5, 702.1], [null, 644.0]]}}}

A sample is [ms to the first content or null for a whole answer, ms in total]; `cursor` counts all there ever were, of
which the last 64 are listed.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.breaker import Blame, blame
from gateway.core.failure import Failure
from gateway.core.fields import Fields
from gateway.core.value import Value

VERSION = 1
SAMPLES = 64  # per endpoint and read; at 2 reads a minute enough for a steady p99 over 5 min


class OutcomesError(ValueError):
    """The answer of a gateway is no report of outcomes; the message says where."""


class Sample(Value):
    """How long one good answer took."""

    total_ms: float
    ttfb_ms: float | None = None  # None: it came in one piece


@dataclass(frozen=True, slots=True)
class EndpointOutcomes:
    """One endpoint's attempts: since the gateway's start, or, in news, since the last read."""

    ok: int = 0
    failed: int = 0  # 429s apart
    rate_limited: int = 0
    consecutive_failures: int = 0  # at the time of reading
    last_error: str | None = None  # of the last failure, until a success
    rate_limited_for_s: float | None = None  # what is left of the horizon, at the time of reading
    cursor: int = 0  # samples there ever were
    samples: tuple[Sample, ...] = ()  # the last ones, oldest first


@dataclass(frozen=True, slots=True)
class Outcomes:
    since: str  # names the gateway's process
    endpoints: Mapping[str, EndpointOutcomes]


def encode_outcomes(outcomes: Outcomes) -> bytes:
    endpoints = {
        id_: {
            "ok": entry.ok,
            "failed": entry.failed,
            "rate_limited": entry.rate_limited,
            "consecutive_failures": entry.consecutive_failures,
            "last_error": entry.last_error,
            "rate_limited_for_s": entry.rate_limited_for_s,
            "cursor": entry.cursor,
            "samples": [[sample.ttfb_ms, sample.total_ms] for sample in entry.samples],
        }
        for id_, entry in outcomes.endpoints.items()
    }
    body = {"version": VERSION, "since": outcomes.since, "endpoints": endpoints}
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def decode_outcomes(raw: bytes) -> Outcomes:
    """The report in these bytes; `OutcomesError` where they are none."""
    try:
        fields = Fields(json.loads(raw), "outcomes")
        if fields.count("version") != VERSION:
            raise OutcomesError(f"version {fields.get('version')} is not {VERSION}")
        endpoints = {id_: _entry(Fields(value, id_)) for id_, value in fields.mapping("endpoints").items()}
        return Outcomes(fields.text("since"), endpoints)
    except RecursionError as deep:
        raise OutcomesError("nested too deep") from deep
    except ValueError as error:  # not JSON, or a field's
        raise OutcomesError(str(error)) from error


def _entry(fields: Fields) -> EndpointOutcomes:
    return EndpointOutcomes(
        ok=fields.count("ok"),
        failed=fields.count("failed"),
        rate_limited=fields.count("rate_limited"),
        consecutive_failures=fields.count("consecutive_failures"),
        last_error=fields.text("last_error") if fields.has("last_error") else None,
        rate_limited_for_s=fields.number("rate_limited_for_s") if fields.has("rate_limited_for_s") else None,
        cursor=fields.count("cursor"),
        samples=tuple(_sample(pair) for pair in fields.sequence("samples")),
    )


def _sample(pair: Any) -> Sample:
    if not isinstance(pair, list) or len(pair) != 2:
        raise OutcomesError("a sample is [ms to the first content, ms in total]")
    fields = Fields({"ttfb": pair[0], "total": pair[1]}, "sample")
    return Sample(fields.number("total"), fields.number("ttfb") if fields.has("ttfb") else None)


def news(before: EndpointOutcomes, now: EndpointOutcomes) -> EndpointOutcomes:
    """What happened between two reads of the same gateway's life."""
    fresh = min(now.cursor - before.cursor, len(now.samples))
    return replace(
        now,
        ok=now.ok - before.ok,
        failed=now.failed - before.failed,
        rate_limited=now.rate_limited - before.rate_limited,
        samples=now.samples[len(now.samples) - fresh :],
    )


def together(parts: Iterable[EndpointOutcomes]) -> EndpointOutcomes:
    """What several gateways' news say together.

    The row of failures is that of the gateway where it is shortest: whoever has lately been served shows that the
    endpoint works. Gateways without traffic have no say in it.
    """
    active = [part for part in parts if part.ok or part.failed or part.rate_limited]
    waits_s = [part.rate_limited_for_s for part in active if part.rate_limited_for_s is not None]
    best = min(active, key=lambda part: part.consecutive_failures, default=EndpointOutcomes())
    return EndpointOutcomes(
        ok=sum(part.ok for part in active),
        failed=sum(part.failed for part in active),
        rate_limited=sum(part.rate_limited for part in active),
        consecutive_failures=best.consecutive_failures,
        last_error=best.last_error,
        rate_limited_for_s=max(waits_s, default=None),
        cursor=sum(part.cursor for part in active),
        samples=tuple(sample for part in active for sample in part.samples),
    )


class Tally:
    """The gateway's side: counts one endpoint's attempts as they end."""

    __slots__ = ("_cursor", "_failed", "_last_error", "_ok", "_rate_limited", "_row", "_samples")

    def __init__(self) -> None:
        self._ok = self._failed = self._rate_limited = self._row = self._cursor = 0
        self._last_error: str | None = None
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)

    def succeeded(self, sample: Sample) -> None:
        self._ok += 1
        self._row = 0
        self._last_error = None
        self._cursor += 1
        self._samples.append(sample)

    def failed(self, failure: Failure) -> None:
        match blame(failure.kind):
            case Blame.NONE:
                return
            case Blame.RATE_ONLY:
                self._rate_limited += 1
            case Blame.FAILURE | Blame.ENDPOINT | Blame.PROVIDER:
                self._failed += 1
                self._row += 1
        self._last_error = f"{failure.kind.value}: {failure.message}"

    def outcomes(self, rate_limited_for_s: float | None) -> EndpointOutcomes:
        """The report's entry; the horizon is kept elsewhere, by the breakers' side."""
        return EndpointOutcomes(
            ok=self._ok,
            failed=self._failed,
            rate_limited=self._rate_limited,
            consecutive_failures=self._row,
            last_error=self._last_error,
            rate_limited_for_s=rate_limited_for_s,
            cursor=self._cursor,
            samples=tuple(self._samples),
        )
