"""Plain values as OTLP's attributes."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Value = str | bool | int | float | Iterable[str] | None

INT64 = 1 << 63


class Attributes(Protocol):
    """A message's own list."""

    def add(self) -> KeyValue: ...


def key_values(fields: Mapping[str, Value]) -> list[KeyValue]:
    """Attributes in their order; None is left out, as OpenTelemetry has no such value."""
    made = _Made()
    tell(made, fields)
    return made.all


def tell(attributes: Attributes, fields: Mapping[str, Value]) -> None:
    """As `key_values`, right into a message: a third of the work, since nothing is copied there."""
    for key, value in fields.items():
        if value is not None:
            one = attributes.add()
            one.key = sound(key)
            _put(one.value, value)


def sound(text: str) -> str:
    """The text as protobuf takes it: half an emoji, which JSON may hold, becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _put(into: AnyValue, value: str | bool | int | float | Iterable[str]) -> None:
    if isinstance(value, str):
        into.string_value = sound(value)
    elif isinstance(value, bool):  # before int, which it is, too
        into.bool_value = value
    elif isinstance(value, int) and -INT64 <= value < INT64:
        into.int_value = value
    elif isinstance(value, int | float):
        into.double_value = value
    else:
        into.array_value.SetInParent()  # an empty list is one, too
        for one in value:
            into.array_value.values.add().string_value = sound(one)


class _Made:
    def __init__(self) -> None:
        self.all: list[KeyValue] = []

    def add(self) -> KeyValue:
        self.all.append(KeyValue())
        return self.all[-1]
