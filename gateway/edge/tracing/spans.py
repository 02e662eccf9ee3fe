"""A decision as spans of OTLP: one of the request (SERVER), and below it one of each attempt (CLIENT).

Knows no sockets and no clocks: everything is in the decision. What costs and tokens are told of stands on the attempts
alone, so that a reader who adds up generations counts nothing twice.
"""

from collections.abc import Mapping

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.core.ask import Surface
from gateway.core.decision import AttemptRow, Considered, Decision, Outcome, tier_name
from gateway.core.failure import FailureKind
from gateway.core.trace import Trace, attempt_span_id
from gateway.core.usage import Usage
from gateway.edge.genai_messages import messages_in, messages_out
from gateway.edge.sinks.otlp_values import Value, sound, tell
from gateway.edge.sinks.rows import end_ns, start_ns
from gateway.edge.tracing import conventions as names
from gateway.edge.tracing.places import Place, Places
from gateway.edge.tracing.stated import NOTHING
from gateway.formats.registry import surfaces

Attributes = Mapping[str, Value]  # None: not told

HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200  # opentelemetry-proto, SpanFlags: whether the parent is another process's
MESSAGE_CHARS = 1_000  # of an error

_BROKEN = frozenset({Outcome.FAILED, Outcome.PARTIAL})
_FINE = frozenset({"ok", FailureKind.CANCELLED.value})


def spans_of(decision: Decision, trace: Trace, places: Places, stated: Attributes = NOTHING) -> list[Span]:
    """The request's span, then its attempts' in order. Texts go along where the decision still has them.

    Args:
        decision: the finished request.
        trace: its place.
        places: what endpoints are called.
        stated: the parameters of the request, told of each attempt.
    """
    own = _request_span(decision, trace)
    attempts = []
    reason = None
    for number, row in enumerate(decision.attempts, 1):
        span = _attempt_span(decision, trace, number, places.of(row.endpoint), reason)
        tell(span.attributes, stated)
        attempts.append(span)
        reason = row.outcome
    return [own, *attempts]


# -- the request -------------------------------------------------------------------------------------------------------


def _request_span(decision: Decision, trace: Trace) -> Span:
    path = surfaces()[Surface(decision.surface)].path
    cancelled = decision.outcome is Outcome.CANCELLED
    failed = decision.outcome in _BROKEN or decision.status >= 500
    own: Attributes = {
        names.HTTP_METHOD: "POST",
        names.HTTP_ROUTE: path,
        names.URL_PATH: path,
        names.URL_SCHEME: "http",
        names.HTTP_STATUS: None if cancelled else decision.status,  # nobody was told the 499 of the record
        names.ERROR_TYPE: _error_type(decision) if failed else None,
        names.DECISION_ID: decision.id,
        names.OUTCOME: decision.outcome.value,
        names.SURFACE: decision.surface,
        names.MODEL: decision.model or None,
        names.ENDPOINT: decision.endpoint,
        names.ATTEMPTS: len(decision.attempts),
        names.COST_USD: decision.cost_usd,
        names.SAVED_USD: decision.saved_usd,
        names.KEY_ID: decision.key_id,
        **{f"{names.TAG}{name}": value for name, value in decision.tags},
    }
    remote = HAS_IS_REMOTE if trace.parent_id is None else HAS_IS_REMOTE | IS_REMOTE
    span = Span(
        trace_id=bytes.fromhex(trace.trace_id),
        span_id=bytes.fromhex(trace.span_id),
        parent_span_id=b"" if trace.parent_id is None else bytes.fromhex(trace.parent_id),
        trace_state=trace.state,
        flags=trace.flags | remote,
        name=f"POST {path}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=start_ns(decision),
        end_time_unix_nano=end_ns(decision),
        events=_first_token(decision, decision.ttft_ms, 0.0),
        status=_status(decision.error if failed else None, failed),
    )
    tell(span.attributes, own)
    tell(span.attributes, _routed(decision.considered, decision.tiers))
    return span


def _error_type(decision: Decision) -> str:
    return decision.outcome.value if decision.outcome is Outcome.PARTIAL else str(decision.status)


def _routed(considered: Considered | None, tiers: tuple[str, ...]) -> Attributes:
    if considered is None:
        return {}
    return {
        names.ROUTE: considered.route.name,
        names.VARIANT: None if considered.variant is None else considered.variant.name,
        names.TASK: considered.task,
        names.TIER: tier_name(considered.tier_required, tiers),
        names.SENSITIVITY: [label.name for label in considered.labels] or None,
        names.ESCALATED: considered.escalated or None,
    }


# -- an attempt --------------------------------------------------------------------------------------------------------


def _attempt_span(decision: Decision, trace: Trace, number: int, place: Place, reason: str | None) -> Span:
    row = decision.attempts[number - 1]
    operation = names.OPERATIONS.get(Surface(decision.surface), decision.surface)
    failed = row.outcome not in _FINE
    own: Attributes = {
        names.OPERATION_NAME: operation,
        names.PROVIDER_NAME: place.vendor,
        names.REQUEST_MODEL: place.model,
        names.REQUEST_STREAM: decision.stream or None,
        names.TIME_TO_FIRST_CHUNK: None if row.ttft_ms is None else round(row.ttft_ms / 1000.0, 6),
        names.SERVER_ADDRESS: place.address,
        names.SERVER_PORT: place.port,
        names.HTTP_STATUS: row.status,
        names.ERROR_TYPE: row.outcome if failed else None,
        names.ENDPOINT: row.endpoint,
        names.ATTEMPT: number,
        names.FAILOVER_REASON: reason,
        names.OUTCOME: row.outcome,
        names.COST_USD: row.cost_usd,
        names.DECISION_ID: decision.id,
    }
    span = Span(
        trace_id=bytes.fromhex(trace.trace_id),
        span_id=bytes.fromhex(attempt_span_id(trace, number)),
        parent_span_id=bytes.fromhex(trace.span_id),
        trace_state=trace.state,
        flags=trace.flags | HAS_IS_REMOTE,
        name=sound(f"{operation} {place.model}"),
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start_ns(decision, row.started_ms),
        end_time_unix_nano=start_ns(decision, row.started_ms + row.duration_ms),
        events=_first_token(decision, row.ttft_ms, row.started_ms),
        status=_status(row.error, failed),
    )
    for told in (own, _used(row.usage), _said(decision, row, number)):
        tell(span.attributes, told)
    return span


def _used(usage: Usage | None) -> Attributes:
    """Tokens, but for those that nobody counted."""
    if usage is None:
        return {}
    told: dict[str, Value] = {names.ESTIMATED: usage.estimated or None}
    if "tokens" in usage.uncounted:
        return told
    return told | {
        names.INPUT_TOKENS: usage.input,
        names.OUTPUT_TOKENS: usage.output,
        names.CACHE_READ_TOKENS: usage.cached_input or None,
        names.CACHE_CREATION_TOKENS: usage.cache_write or None,
        names.REASONING_TOKENS: usage.reasoning or None,
    }


def _said(decision: Decision, row: AttemptRow, number: int) -> Attributes:
    """Prompt and answer, of the attempt that answered."""
    if decision.texts is None or row.endpoint != decision.endpoint or number != len(decision.attempts):
        return {}
    surface = Surface(decision.surface)
    return {
        names.INPUT_MESSAGES: messages_in(surface, decision.texts.get("request")),
        names.OUTPUT_MESSAGES: messages_out(surface, decision.texts.get("response")),
    }


# -- both --------------------------------------------------------------------------------------------------------------


def _first_token(decision: Decision, ttft_ms: float | None, started_ms: float) -> list[Span.Event]:
    if ttft_ms is None:
        return []
    return [Span.Event(time_unix_nano=start_ns(decision, started_ms + ttft_ms), name=names.FIRST_TOKEN)]


def _status(error: str | None, failed: bool) -> Status | None:
    """Unset where nothing failed, as the conventions want it of servers and clients."""
    return Status(code=Status.STATUS_CODE_ERROR, message=sound(error or "")[:MESSAGE_CHARS]) if failed else None
