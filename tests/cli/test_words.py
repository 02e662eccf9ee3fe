"""Amounts in words."""

import pytest

from gateway.cli.words import counted, milliseconds, percent, usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "-"),
        (0.0, "$0"),
        (1e-15, "$0"),
        (3.3e-06, "$0.00000330"),
        (0.0003717, "$0.000372"),
        (0.02, "$0.0200"),
        (0.5, "$0.500"),
        (1234.567, "$1,234.57"),
        (-0.25, "-$0.250"),
        (0.1, "$0.100"),
    ],
)
def test_money(amount: float | None, shown: str) -> None:
    assert usd(amount) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(None, "-"), (0.4, "0.4 ms"), (12.4, "12 ms"), (999.4, "999 ms"), (999.6, "1.00 s"), (59_960, "60.0 s"),
     (150_000, "2.5 min")],
)  # fmt: skip
def test_times(ms: float | None, shown: str) -> None:
    assert milliseconds(ms) == shown


@pytest.mark.parametrize(("share", "shown"), [(None, "-"), (0, "0 %"), (0.004, "0.4 %"), (0.99, "99 %"), (1, "100 %")])
def test_shares(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_counts() -> None:
    assert (counted(1, "event"), counted(0, "event"), counted(1200, "event")) == ("1 event", "0 events", "1,200 events")
