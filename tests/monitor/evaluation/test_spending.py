"""A route's money of the UTC day."""

from datetime import date

import pytest

from monitor.evaluation.spending import OverBudget, Spending
from tests.support.builders import EPOCH_S
from tests.support.evaluating import Ledger

TODAY, TOMORROW = date(2025, 11, 24), date(2025, 11, 25)
DAY_S = 86_400.0


class Crowded(Ledger):
    """Another replica spends in the very moment in which this one has looked."""

    def charge(self, route: str, day: date, usd: float) -> None:
        super().charge(route, day, usd)
        if usd == 3.0:
            super().charge(route, day, 2.5)


async def test_charges_the_bound_first_and_then_what_it_did_cost() -> None:
    ledger = Ledger()
    aside = await Spending(ledger).set_aside("support", 3.0, 5.0, EPOCH_S)
    assert ledger.usd == {("support", TODAY): 3.0}
    await aside.settle(0.25)
    assert ledger.usd == {("support", TODAY): 0.25}


async def test_charges_the_day_on_which_a_call_began() -> None:
    ledger = Ledger()
    spending = Spending(ledger)
    aside = await spending.set_aside("support", 5.0, 5.0, EPOCH_S)
    with pytest.raises(OverBudget):
        await spending.set_aside("support", 5.0, 5.0, EPOCH_S)
    await spending.set_aside("support", 5.0, 5.0, EPOCH_S + DAY_S)
    await spending.set_aside("sales", 5.0, 5.0, EPOCH_S)
    await aside.settle(1.0)
    assert (ledger.usd["support", TODAY], ledger.usd["support", TOMORROW]) == (1.0, 5.0)


async def test_steps_back_where_another_has_spent_the_same_money() -> None:
    ledger = Crowded()
    with pytest.raises(OverBudget):
        await Spending(ledger).set_aside("support", 3.0, 5.0, EPOCH_S)
    assert ledger.usd["support", TODAY] == 2.5
