"""Decision records as OTLP log records: the record as a JSON text, and as attributes what people filter by.

Source: OpenTelemetry's Logs Data Model; names of the GenAI semantic conventions where they have one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from gateway import VERSION
from gateway.core.decision import Decision, Outcome, tier_name
from gateway.edge.courier import Undelivered
from gateway.edge.lines import Row
from gateway.edge.sinks.otlp import Collector
from gateway.edge.sinks.otlp_values import Value, key_values
from gateway.edge.sinks.rows import complain, end_ns, feedback_ns, jsons, start_ns

DECISION, FEEDBACK = "pointsman.decision", "pointsman.feedback"  # event names
SEVERITIES = {
    Outcome.OK: (logs_pb2.SEVERITY_NUMBER_INFO, "INFO"),
    Outcome.CANCELLED: (logs_pb2.SEVERITY_NUMBER_INFO, "INFO"),
    Outcome.REJECTED: (logs_pb2.SEVERITY_NUMBER_WARN, "WARN"),
    Outcome.PARTIAL: (logs_pb2.SEVERITY_NUMBER_ERROR, "ERROR"),
    Outcome.FAILED: (logs_pb2.SEVERITY_NUMBER_ERROR, "ERROR"),
}


class OtlpLogs:
    """Sends rows to a collector."""

    def __init__(self, collector: Collector, resource: Mapping[str, str]) -> None:
        self._collector = collector
        self._resource = Resource(attributes=key_values(resource))
        self._scope = InstrumentationScope(name="pointsman", version=VERSION)

    def deliver(self, rows: Sequence[Row]) -> None:
        """Raises `Undelivered`."""
        written = jsons(rows)
        records = [_log_record(row, data.decode()) for row, data in written]
        logs = ResourceLogs(resource=self._resource, scope_logs=[ScopeLogs(scope=self._scope, log_records=records)])
        answer = self._collector.send(ExportLogsServiceRequest(resource_logs=[logs]).SerializeToString())
        _heed(answer, len(rows) - len(written))
        complain(rows, written)


def _heed(answer: bytes, left_out: int) -> None:
    """A collector may take a part of a batch and say so; the rest would be refused again."""
    try:
        rejected = ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records
    except DecodeError:  # an answer in words; its status said that all is well
        return
    if rejected > 0:
        raise Undelivered("some were refused", None, final=True, lost=rejected + left_out)


def _log_record(row: Row, text: str) -> LogRecord:
    return _of_decision(row, text) if isinstance(row, Decision) else _of_feedback(row, text)


def _of_decision(decision: Decision, text: str) -> LogRecord:
    number, word = SEVERITIES[decision.outcome]
    found = LogRecord(
        time_unix_nano=start_ns(decision),
        observed_time_unix_nano=end_ns(decision),
        severity_number=number,
        severity_text=word,
        event_name=DECISION,
        body=AnyValue(string_value=text),
        attributes=key_values(_attributes(decision)),
    )
    trace = decision.trace
    if trace is not None and (trace.recorded or trace.parent_id is not None):
        found.trace_id, found.flags = bytes.fromhex(trace.trace_id), trace.flags
        found.span_id = bytes.fromhex(trace.span_id)
    return found


def _of_feedback(row: Mapping[str, Any], text: str) -> LogRecord:
    at_ns = feedback_ns(row)
    return LogRecord(
        time_unix_nano=at_ns,
        observed_time_unix_nano=at_ns,
        severity_number=logs_pb2.SEVERITY_NUMBER_INFO,
        severity_text="INFO",
        event_name=FEEDBACK,
        body=AnyValue(string_value=text),
        attributes=key_values({"pointsman.decision.id": row["decision"], "pointsman.feedback.score": row["score"]}),
    )


def _attributes(decision: Decision) -> dict[str, Value]:
    found: dict[str, Value] = {
        "pointsman.decision.id": decision.id,
        "pointsman.surface": decision.surface,
        "pointsman.outcome": decision.outcome.value,
        "pointsman.key.id": decision.key_id,
        "http.response.status_code": decision.status,
        "error.type": None if decision.error is None else decision.outcome.value,
        "gen_ai.request.model": decision.model,
        "gen_ai.provider.name": decision.provider,
        "pointsman.endpoint": decision.endpoint,
        "pointsman.attempts": len(decision.attempts),
        "pointsman.latency_ms": decision.latency_ms,
        "pointsman.ttft_ms": decision.ttft_ms,
        "pointsman.cost.usd": decision.cost_usd,
        "pointsman.baseline_cost.usd": decision.baseline_cost_usd,
        "pointsman.saved.usd": decision.saved_usd,
        **{f"pointsman.tag.{name}": value for name, value in decision.tags},
    }
    if decision.usage is not None:
        found["gen_ai.usage.input_tokens"] = decision.usage.input
        found["gen_ai.usage.output_tokens"] = decision.usage.output
    considered = decision.considered
    if considered is not None:
        found |= {
            "pointsman.route": considered.route.name,
            "pointsman.variant": None if considered.variant is None else considered.variant.name,
            "pointsman.task": considered.task,
            "pointsman.tier": tier_name(considered.tier_required, decision.tiers),
            "pointsman.sensitivity": [label.name for label in considered.labels],
            "session.id": considered.session,
        }
    return found
