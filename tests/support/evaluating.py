"""Endpoints that are asked for second answers and judgements, and the accounts that pay for them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.core.pricing import Price, cost_usd
from gateway.core.usage import Usage
from monitor.evaluation.calling import Caller
from monitor.ports import Clock
from tests.support.builders import EPOCH_S, a_catalog, a_price, a_provider, an_endpoint
from tests.support.openai_scripts import an_answer
from tests.support.scripted_upstream import Script, ScriptedUpstream
from tests.support.virtual_time import START_S

WEAK, STRONG, BACKUP, REFEREE = "weak/m", "strong/m", "backup/m", "referee/m"
PRICES: Mapping[str, Price | None] = {
    WEAK: a_price(1.0), STRONG: a_price(10.0), BACKUP: a_price(2.0), REFEREE: a_price(3.0),
}  # fmt: skip


class Keys:
    """No provider has a key; `keyless` ones would need one."""

    def __init__(self, keyless: frozenset[str] = frozenset()) -> None:
        self._keyless = keyless

    def get(self, provider: str, origin: str) -> None:
        return None

    def missing(self) -> frozenset[str]:
        return self._keyless


class Ledger:
    """The store's accounts; remembers the most that ever stood there at once."""

    def __init__(self) -> None:
        self.usd: dict[tuple[str, date], float] = defaultdict(float)
        self.most_usd = 0.0

    def spent_usd(self, route: str, day: date) -> float:
        return self.usd[route, day]

    def charge(self, route: str, day: date, usd: float) -> None:
        self.usd[route, day] += usd
        self.most_usd = max(self.most_usd, self.usd[route, day])

    def total_usd(self) -> float:
        return sum(self.usd.values())


def a_clock() -> Clock:
    """The loop's clock, and Unix time beside it."""
    now_s = asyncio.get_running_loop().time
    return Clock(now_s, lambda: EPOCH_S + now_s() - START_S)


def a_caller(
    upstream: ScriptedUpstream, prices: Mapping[str, Price | None] = PRICES, keys: Keys | None = None,
    endpoints: Mapping[str, Mapping[str, Any]] | None = None,
) -> Caller:  # fmt: skip
    """Of every endpoint that has a price here; `endpoints` are changes to some of them."""
    caller = Caller(upstream, a_clock(), lambda: prices)
    rows = [an_endpoint(name, **(endpoints or {}).get(name, {})) for name in prices]
    providers = [a_provider(row.provider, api=row.api) for row in rows]
    caller.reconfigure(a_catalog(*rows, providers=providers), keys or Keys())
    return caller


def upstream(**scripts: Sequence[Script]) -> ScriptedUpstream:
    """Scripts by provider; who has none answers well."""
    names = {name.partition("/")[0] for name in PRICES}
    return ScriptedUpstream({name: scripts.get(name, [an_answer("Second")]) for name in names})


def billed_usd(name: str, script: Script) -> float:
    """What the vendor charges for a whole answer."""
    usage = json.loads(b"".join(step for step in script if isinstance(step, bytes)))["usage"]
    price = PRICES[name]
    assert price is not None
    return cost_usd(price, Usage(input=usage["prompt_tokens"], output=usage["completion_tokens"]), EPOCH_S)
