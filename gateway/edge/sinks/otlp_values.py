"""Plain values as OTLP's attributes."""

from collections.abc import Iterable, Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

Value = str | bool | int | float | Iterable[str] | None

INT64 = 1 << 63


def key_values(fields: Mapping[str, Value]) -> list[KeyValue]:
    """Attributes in their order; None is left out, as OpenTelemetry has no such value."""
    return [KeyValue(key=sound(key), value=_any(value)) for key, value in fields.items() if value is not None]


def sound(text: str) -> str:
    """The text as protobuf takes it: half an emoji, which JSON may hold, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _any(value: str | bool | int | float | Iterable[str]) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=sound(value))
    if isinstance(value, bool):  # before int, which it is, too
        return AnyValue(bool_value=value)
    if isinstance(value, int) and -INT64 <= value < INT64:
        return AnyValue(int_value=value)
    if isinstance(value, int | float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=sound(one)) for one in value]))
