"""A route's money for evaluation: per UTC day, and never more than the budget.

What a call may cost at most is set aside before it is made, in the store, so that several replicas cannot spend the
same money; afterwards what it did cost remains. Who ends in between leaves the whole bound charged: too little is spent
that day rather than too much.
"""

import asyncio
from datetime import UTC, date, datetime
from typing import Protocol

ROUNDING_USD = 1e-9  # far above a double's, far below a cent


class OverBudget(Exception):
    """What is left of the route's budget of the day does not pay for it."""


class Accounts(Protocol):
    """Of the store."""

    def spent_usd(self, route: str, day: date) -> float: ...
    def charge(self, route: str, day: date, usd: float) -> None: ...


class Aside:
    """Money set aside for calls; it stays charged until `settle` says what they did cost."""

    def __init__(self, accounts: Accounts, route: str, day: date, usd: float) -> None:
        self._accounts = accounts
        self._route = route
        self._day = day
        self._usd = usd

    async def settle(self, usd: float) -> None:
        """Of the day on which it was set aside. Raises StoreError."""
        if usd != self._usd:
            await asyncio.to_thread(self._accounts.charge, self._route, self._day, usd - self._usd)


class Spending:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def set_aside(self, route: str, usd: float, budget_usd: float, epoch_s: float) -> Aside:
        """Raises OverBudget where it does not fit into the day, StoreError."""
        day = datetime.fromtimestamp(epoch_s, UTC).date()
        if not await asyncio.to_thread(self._charged, route, day, usd, budget_usd):
            raise OverBudget
        return Aside(self._accounts, route, day, usd)

    def _charged(self, route: str, day: date, usd: float, budget_usd: float) -> bool:
        """Charge first and look then: of two that come together, neither may think that it was alone."""
        if self._accounts.spent_usd(route, day) + usd > budget_usd + ROUNDING_USD:
            return False
        self._accounts.charge(route, day, usd)
        if self._accounts.spent_usd(route, day) <= budget_usd + ROUNDING_USD:
            return True
        self._accounts.charge(route, day, -usd)
        return False
