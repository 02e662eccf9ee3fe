"""Durations."""

import pytest

from gateway.config.words import duration_s


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("30s", 30.0), ("1500ms", 1.5), ("2m", 120.0), ("1h", 3600.0), ("1.5s", 1.5), ("7d", 604800.0)],
)
def test_reads_durations_as_seconds(written: str, seconds: float) -> None:
    assert duration_s(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "30", "s", "-1s", "1 s", "1e3s", "1s30", "٣s", 30, True, None, [], "0s", "0.0001s", "8d"]
)
def test_refuses_what_is_none(written: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        duration_s(written)
