"""Whose trace a request belongs to, and whether spans are to be made of it: W3C Trace Context and head sampling.

Ids are derived, not drawn. The span of a request has its decision's id, so that either leads to the other; the spans of
its attempts are numbered on from there; a trace that begins here has the process's own eight bytes and then that id.
So nothing is stored for a request whose spans may never be made, and whoever needs an id finds the same one. Knows no
exporter, and nothing of how requests end (`core.tail`).
"""

import re
from collections.abc import Mapping

from gateway.core.value import TrackedValue, Value

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
Headers = tuple[tuple[str, str], ...]

STATE_LIMIT_CHARS = 512  # W3C Trace Context §3.3.1.5: so much has to be passed on; who sends more loses it all
STATE_LIMIT_MEMBERS = 32  # §3.3.1.1
SAMPLED = 0b01  # §3.2.2.5
KNOWN_FLAGS = 0b11  # and `random` of level 2, which is passed on

_ID_SPACE = 1 << 64
# §3.2.2; a later version may have more behind the flags.
_TRACEPARENT = re.compile(
    r"(?:00-(?P<ids>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})"
    r"|(?!00|ff)[0-9a-f]{2}-(?P<later>(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?)"
)
# §3.3.1.3: keys may begin with a digit since level 2; a value ends with something to be seen.
_MEMBER = re.compile(r"(?P<key>[a-z0-9][a-z0-9_\-*/@]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~]")


class Parent(Value):
    """The client's span, as its headers tell."""

    trace_id: str  # 32 hex digits
    span_id: str  # 16
    flags: int
    state: str  # tracestate, valid or empty


class Trace(Value):
    """The place of one request in its trace."""

    trace_id: str  # 32 hex digits
    span_id: str  # of the request's own span: the decision's id
    parent_id: str | None  # the client's span
    flags: int
    state: str
    recorded: bool  # spans are made: the head says so here, the tail rule may say so later


class Sampling(TrackedValue):
    """The head's decision, as OpenTelemetry's samplers `parentbased_traceidratio` and `traceidratio` make it."""

    prefix: str  # of the ids of traces that begin in this process: 16 hex digits, drawn once
    bound: int  # a trace is sampled if the last 64 bits of its id are below
    heeds_parent: bool  # whether a parent's flag decides, where there is one

    @classmethod
    def of(cls, prefix: str, ratio: float, heeds_parent: bool = True) -> "Sampling":
        """`ratio` is between 0 and 1."""
        return cls(prefix, round(ratio * _ID_SPACE), heeds_parent)

    def begin(self, request_id: str, headers: Mapping[str, str]) -> Trace:
        """The place of a request that has just come in.

        Args:
            request_id: 16 hex digits, drawn at random.
            headers: the client's, names in lower case; of what is not valid nothing is taken.
        """
        parent = parent_of(headers)
        if parent is None:
            sampled = self._drawn(request_id)
            return Trace(self.prefix + request_id, request_id, None, int(sampled), "", sampled)
        sampled = bool(parent.flags & SAMPLED) if self.heeds_parent else self._drawn(parent.trace_id[16:])
        flags = parent.flags & ~SAMPLED | sampled
        return Trace(parent.trace_id, request_id, parent.span_id, flags, parent.state, sampled)

    def _drawn(self, last_digits: str) -> bool:
        return int(last_digits, 16) < self.bound


def parent_of(headers: Mapping[str, str]) -> Parent | None:
    """The client's span; None where it names none, or none validly."""
    given = headers.get(TRACEPARENT)
    found = None if given is None else _TRACEPARENT.fullmatch(given)
    if found is None:
        return None
    trace_id, span_id, flags = (found["ids"] or found["later"]).split("-")
    return Parent(trace_id, span_id, int(flags, 16) & KNOWN_FLAGS, _state(headers.get(TRACESTATE, "")))


def attempt_span_id(trace: Trace, number: int) -> str:
    """The id of the span of a request's `number`-th attempt; the first is 1."""
    return f"{(int(trace.span_id, 16) + number) % _ID_SPACE or _ID_SPACE - 1:016x}"


def context_headers(trace: Trace, number: int) -> Headers:
    """What the provider of the `number`-th attempt is told: that its span is a child of the attempt's."""
    return _headers(trace.trace_id, attempt_span_id(trace, number), trace.flags, trace.state)


def passed_on(headers: Mapping[str, str]) -> Headers:
    """The client's own context, for a provider; empty where it is not valid."""
    parent = parent_of(headers)
    return () if parent is None else _headers(parent.trace_id, parent.span_id, parent.flags, parent.state)


def _headers(trace_id: str, span_id: str, flags: int, state: str) -> Headers:
    line = (TRACEPARENT, f"00-{trace_id}-{span_id}-{flags:02x}")
    return ((TRACESTATE, state), line) if state else (line,)


def _state(given: str) -> str:
    """The list without blanks, or nothing: one wrong member makes all of it worthless (§3.3)."""
    if not given or len(given) > STATE_LIMIT_CHARS:
        return ""
    members = [member.strip(" \t") for member in given.split(",")]
    found = [_MEMBER.fullmatch(member) for member in members if member]
    keys = {one["key"] for one in found if one is not None}
    if len(keys) != len(found) or len(found) > STATE_LIMIT_MEMBERS:  # a wrong member has no key, a double one no own
        return ""
    return ",".join(member for member in members if member)
