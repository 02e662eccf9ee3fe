"""OTLP as plain values, so that tests can compare them whole."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


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
