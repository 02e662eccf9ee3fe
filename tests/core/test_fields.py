from typing import Any

import pytest

from gateway.core.fields import FieldError, Fields


def test_gives_each_field_as_its_type() -> None:
    fields = Fields(
        {"t": "x", "c": 3, "n": 2.5, "l": [1, 2.5], "i": "1970-01-01T01:00:00+01:00", "m": {}, "0": None}, "it"
    )

    assert fields.text("t") == "x"
    assert fields.count("c") == 3
    assert fields.number("n") == 2.5
    assert fields.number("c") == 3
    assert fields.sequence("l") == [1, 2.5]
    assert fields.instant("i") == 0.0
    assert fields.mapping("m") == {}
    assert fields.get("absent") is None
    assert (fields.has("t"), fields.has("0"), fields.has("absent")) == (True, False, False)


@pytest.mark.parametrize("value", [None, "1", True, -1, float("nan"), float("inf"), 10**400, [1]])
def test_takes_nothing_else_for_a_number(value: Any) -> None:
    with pytest.raises(FieldError, match="it: n is not a finite number from 0"):
        Fields({"n": value}, "it").number("n")


@pytest.mark.parametrize("value", [None, "12", {"a": 1}, 3])
def test_takes_nothing_else_for_a_list(value: Any) -> None:
    with pytest.raises(FieldError, match="it: l is not a list"):
        Fields({"l": value}, "it").sequence("l")
