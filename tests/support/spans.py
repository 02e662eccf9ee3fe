"""Spans as plain values."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


def plain_values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: AnyValue) -> Any:
    if value.HasField("array_value"):
        return [_value(one) for one in value.array_value.values]
    return getattr(value, value.WhichOneof("value") or "")


def plain(span: Span, epoch_s: float = 0.0) -> dict[str, Any]:
    """A span; times in milliseconds since `epoch_s`, and what is empty left out."""

    def ms(at_ns: int) -> float:
        return (at_ns - round(epoch_s * 1e9)) / 1e6

    told: dict[str, Any] = {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "state": span.trace_state,
        "flags": span.flags,
        "from_ms": ms(span.start_time_unix_nano),
        "to_ms": ms(span.end_time_unix_nano),
        "attributes": plain_values(span.attributes),
        "events": [(event.name, ms(event.time_unix_nano)) for event in span.events],
        "error": span.status.message if span.status.code == Status.STATUS_CODE_ERROR else None,
    }
    return {name: value for name, value in told.items() if value not in ("", [], None)}


def exported(bodies: Iterable[bytes]) -> list[Span]:
    """All spans of these exports."""
    return [
        span
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
