"""Decision records as traces of Langfuse: a root span for the request, a generation per attempt, feedback as a score.

A trace has an id of its own, the decision's written twice: so a score finds it from whichever replica it comes, and it
always has its root. Langfuse adds up what a usage names, so the parts of input and output are named apart.

Source: Langfuse's documentation "OpenTelemetry" (property mapping; ingestion version 4 is its way without delay) and
"Scores via API" (a score with an id of ours replaces itself when it is sent again).
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from gateway import VERSION
from gateway.core.chat import Json
from gateway.core.decision import AttemptRow, Decision, Outcome, tier_name
from gateway.core.trace import Trace, attempt_span_id
from gateway.core.usage import Usage
from gateway.edge.courier import Rules, Undelivered
from gateway.edge.lines import Row
from gateway.edge.sinks.answers import answer_of
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.otlp_values import Value, key_values
from gateway.edge.sinks.post import Post, gzipped
from gateway.edge.sinks.rows import end_ns, gently, passing_over, start_ns
from gateway.formats import codec

DEFAULT_URL = "https://cloud.langfuse.com"  # as in Langfuse's own libraries: its region in the EU
SPANS = "/api/public/otel/v1/traces"
SCORES = "/api/public/scores"
SCORE = "feedback"  # the score's name
TEXT_CHARS = 400_000  # of one input or output, which stand at the root and at the generation
RULES = Rules(batch_limit=128, batch_bytes=512 * 1024)  # bodies over 4.5 MB are refused
LEVELS = {
    Outcome.OK: "DEFAULT",
    Outcome.CANCELLED: "WARNING",
    Outcome.REJECTED: "WARNING",
    Outcome.PARTIAL: "ERROR",
    Outcome.FAILED: "ERROR",
}
Fields = dict[str, Value]


class Langfuse:
    """Sends rows to a project of Langfuse."""

    def __init__(self, post: Post, public_key: SinkKey, secret_key: SinkKey, resource: Mapping[str, str]) -> None:
        self._post = post
        self._public_key = public_key
        self._secret_key = secret_key
        self._resource = Resource(attributes=key_values(resource))
        self._scope = InstrumentationScope(name="pointsman", version=VERSION)

    def deliver(self, rows: Sequence[Row]) -> None:
        """Raises `Undelivered`. Sent again, spans and scores replace what they were."""
        headers = {"Authorization": self._authorization()}
        spans = [span for row in gently(rows) if isinstance(row, Decision) for span in spans_of(row)]
        if spans:
            scope = ScopeSpans(scope=self._scope, spans=spans)
            batch = ResourceSpans(resource=self._resource, scope_spans=[scope])
            body = ExportTraceServiceRequest(resource_spans=[batch]).SerializeToString()
            kind = {"Content-Type": "application/x-protobuf", "x-langfuse-ingestion-version": "4"}
            self._post.send(SPANS, *gzipped(body, {**headers, **kind}))
        kind = {"Content-Type": "application/json"}
        refused: list[Undelivered] = []
        for row in rows:
            if not isinstance(row, Decision):
                with passing_over(refused):
                    self._post.send(SCORES, codec.dumps(score_of(row)), {**headers, **kind})
        if refused:
            raise Undelivered(str(refused[0]), None, final=True, lost=len(refused))

    def _authorization(self) -> str:
        public, secret = self._public_key.read(), self._secret_key.read()
        if public is None or secret is None:
            raise Undelivered("its keys are gone", None, final=False)
        return "Basic " + b64encode(f"{public}:{secret}".encode()).decode()


def trace_of(decision_id: str) -> Trace:
    """The trace in Langfuse of a decision."""
    return Trace(decision_id * 2, decision_id, None, 1, "", True)


def score_of(row: Mapping[str, Any]) -> dict[str, Json]:
    """A client's judgement; a later one of the same decision is a score of its own."""
    return {
        "id": f"{row['decision']}-{row['time']}",
        "traceId": trace_of(row["decision"]).trace_id,
        "name": SCORE,
        "value": row["score"],
        "dataType": "NUMERIC",
        "comment": row["comment"],
    }


def spans_of(decision: Decision) -> list[Span]:
    """The request's span, then those of its attempts in their order."""
    of_trace, texts = _of_trace(decision), _texts(decision)
    attempts = [_attempt(decision, number, of_trace, texts) for number in range(1, len(decision.attempts) + 1)]
    return [_root(decision, of_trace, texts), *attempts]


def _root(decision: Decision, of_trace: Fields, texts: Fields) -> Span:
    trace = trace_of(decision.id)
    fields: Fields = {
        **of_trace,
        "langfuse.observation.type": "span",
        "langfuse.observation.level": LEVELS[decision.outcome],
        "langfuse.observation.status_message": decision.error,
        **texts,
        **{f"langfuse.observation.metadata.{name}": value for name, value in _metadata(decision).items()},
    }
    return Span(
        trace_id=bytes.fromhex(trace.trace_id),
        span_id=bytes.fromhex(trace.span_id),
        name=str(of_trace["langfuse.trace.name"]),
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=start_ns(decision),
        end_time_unix_nano=end_ns(decision),
        attributes=key_values(fields),
        status=_status(decision.outcome in (Outcome.FAILED, Outcome.PARTIAL), decision.error),
    )


def _attempt(decision: Decision, number: int, of_trace: Fields, texts: Fields) -> Span:
    trace = trace_of(decision.id)
    row = decision.attempts[number - 1]
    answered = number == len(decision.attempts) and decision.endpoint is not None
    provider, _, model = row.endpoint.partition("/")
    begins_ms, ends_ms = row.started_ms, row.started_ms + row.duration_ms
    fields: Fields = {
        **of_trace,
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": _level(row),
        "langfuse.observation.status_message": row.error,
        "langfuse.observation.model.name": model,
        "langfuse.observation.usage_details": _usage(row.usage),
        "langfuse.observation.cost_details": None if row.cost_usd is None else _json({"total": row.cost_usd}),
        "langfuse.observation.completion_start_time": _instant(decision, row),
        "langfuse.observation.metadata.provider": provider,
        "langfuse.observation.metadata.endpoint": row.endpoint,
        "langfuse.observation.metadata.attempt": number,
        "langfuse.observation.metadata.outcome": row.outcome,
        "langfuse.observation.metadata.status": row.status,
        **(texts if answered else {}),
    }
    return Span(
        trace_id=bytes.fromhex(trace.trace_id),
        span_id=bytes.fromhex(attempt_span_id(trace, number)),
        parent_span_id=bytes.fromhex(trace.span_id),
        name=row.endpoint,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start_ns(decision, begins_ms),
        end_time_unix_nano=start_ns(decision, ends_ms),
        attributes=key_values(fields),
        status=_status(_level(row) == "ERROR", row.error),
    )


def _of_trace(decision: Decision) -> Fields:
    """What Langfuse wants on every span of a trace."""
    considered, tags = decision.considered, dict(decision.tags)
    return {
        "langfuse.trace.name": decision.surface if considered is None else considered.route.name,
        "user.id": tags.get("user") or decision.key_id,
        "session.id": None if considered is None else considered.session,
        "langfuse.trace.tags": [f"{name}:{value}" for name, value in decision.tags],
    }


def _metadata(decision: Decision) -> Fields:
    considered, trace = decision.considered, decision.trace
    found: Fields = {
        "decision": decision.id,
        "trace_id": trace.trace_id if trace is not None and (trace.recorded or trace.parent_id) else None,
        "surface": decision.surface,
        "asked": decision.model,
        "endpoint": decision.endpoint,
        "outcome": decision.outcome.value,
        "status": decision.status,
        "cost_usd": decision.cost_usd,
        "baseline_cost_usd": decision.baseline_cost_usd,
        "saved_usd": decision.saved_usd,
    }
    if considered is not None:
        found |= {
            "variant": None if considered.variant is None else considered.variant.name,
            "task": considered.task,
            "tier": tier_name(considered.tier_required, decision.tiers),
            "sensitivity": [label.name for label in considered.labels],
        }
    return found


def _texts(decision: Decision) -> Fields:
    texts = decision.texts
    if texts is None:
        return {}
    request, answer = texts.get("request"), answer_of(decision)
    return {
        "langfuse.observation.input": None if request is None else _json(request)[:TEXT_CHARS],
        "langfuse.observation.output": None if answer is None else _text(answer)[:TEXT_CHARS],
    }


def _text(answer: Json) -> str:
    return answer if isinstance(answer, str) else _json(answer)


def _usage(usage: Usage | None) -> str | None:
    if usage is None:
        return None
    parts = {
        "input": usage.input - usage.cached_input - usage.cache_write,
        "input_cached_tokens": usage.cached_input,
        "input_cache_creation": usage.cache_write,
        "output": usage.output - usage.reasoning,
        "output_reasoning_tokens": usage.reasoning,
    }
    return _json({name: count for name, count in parts.items() if count > 0})


def _level(row: AttemptRow) -> str:
    if row.outcome == "ok":
        return "DEFAULT"
    return "WARNING" if row.outcome == "cancelled" else "ERROR"


def _instant(decision: Decision, row: AttemptRow) -> str | None:
    """When the first content came, as ISO 8601."""
    if row.ttft_ms is None:
        return None
    at = datetime.fromtimestamp(start_ns(decision, row.started_ms + row.ttft_ms) / 1e9, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(failed: bool, words: str | None) -> Status | None:
    return Status(code=Status.STATUS_CODE_ERROR, message=words or "") if failed else None


def _json(value: Json | Mapping[str, Json]) -> str:
    return codec.dumps(value).decode()
