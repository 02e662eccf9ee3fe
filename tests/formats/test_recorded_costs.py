"""Costs that providers told in recorded answers: read as they are, and what our own catalog makes of the same usage."""

import pytest

from tests.support.recorded_costs import charged
from tests.support.vectors import needs_vectors

pytestmark = needs_vectors


def test_reads_every_recorded_cost_exactly() -> None:
    found = charged()
    assert [one.read_usd for one in found] == [one.told_usd for one in found]
    assert len(found) == 8


def test_makes_the_same_of_the_tokens_where_one_price_is_everybodys() -> None:
    """Where many hosts sell a model, the list names the cheapest and the answer came from another."""
    differing = {
        one.model: (one.ours_usd, one.tokens_usd)
        for one in charged()
        if one.ours_usd is not None and one.ours_usd != pytest.approx(one.tokens_usd, rel=1e-9)
    }
    assert differing == {
        "openai/gpt-oss-20b": (pytest.approx(7.15e-6), pytest.approx(1.13e-5)),
        "z-ai/glm-4.6": (pytest.approx(1.2e-5), pytest.approx(1.4e-5)),
    }
