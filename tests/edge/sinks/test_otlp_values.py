"""Plain values as OTLP's attributes."""

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from gateway.edge.sinks.otlp_values import key_values, sound


def test_has_a_form_for_every_value() -> None:
    fields = {
        "text": "北京",
        "yes": True,
        "no": False,
        "count": 3,
        "huge": 1 << 80,
        "share": 0.5,
        "list": ["a", "b"],
        "none": None,
        "empty": [],
    }
    assert key_values(fields) == [
        KeyValue(key="text", value=AnyValue(string_value="北京")),
        KeyValue(key="yes", value=AnyValue(bool_value=True)),
        KeyValue(key="no", value=AnyValue(bool_value=False)),
        KeyValue(key="count", value=AnyValue(int_value=3)),
        KeyValue(key="huge", value=AnyValue(double_value=float(1 << 80))),
        KeyValue(key="share", value=AnyValue(double_value=0.5)),
        KeyValue(key="list", value=AnyValue(array_value=ArrayValue(values=[
            AnyValue(string_value="a"), AnyValue(string_value="b"),
        ]))),
        KeyValue(key="empty", value=AnyValue(array_value=ArrayValue())),
    ]  # fmt: skip


def test_takes_half_an_emoji() -> None:
    assert sound("a\ud83d🙂") == "a?🙂"
    assert key_values({"\ud83d": "\ud83d"})[0].SerializeToString()
