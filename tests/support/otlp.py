"""OTLP as plain values, so that tests can compare them whole."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span


def plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    assert kind is not None, "an attribute without a value"
    found = getattr(value, kind)
    return [plain(one) for one in found.values] if kind == "array_value" else found


def fields(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by name; none may stand there twice."""
    listed = [(one.key, plain(one.value)) for one in attributes]
    found = dict(listed)
    assert len(found) == len(listed), "an attribute twice"
    return found


def trace_export(spans: Iterable[Span]) -> bytes:
    """The body of an export of these spans."""
    scoped = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    return ExportTraceServiceRequest(resource_spans=[scoped]).SerializeToString()
