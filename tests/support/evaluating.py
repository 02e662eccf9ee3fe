"""Halves as a gateway hands them over, endpoints that are asked for second answers and judgements, and who pays."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from msgspec.structs import replace

from gateway.core.evaluation import Half
from gateway.core.policy import NOTHING_REQUIRED
from gateway.core.pricing import Price, cost_usd
from gateway.core.usage import Usage
from monitor.evaluation.calling import Caller
from monitor.evaluation.pairs import Terms
from monitor.ports import Clock
from tests.support.builders import EPOCH_S, a_body, a_catalog, a_policy, a_price, a_provider, an_endpoint
from tests.support.openai_scripts import an_answer
from tests.support.scripted_upstream import Script, ScriptedUpstream
from tests.support.virtual_time import START_S

WEAK, STRONG, BACKUP, REFEREE = "weak/m", "strong/m", "backup/m", "referee/m"
TERMS = Terms("default", (), NOTHING_REQUIRED)  # on which anybody may see the texts
PRICES: Mapping[str, Price | None] = {
    WEAK: a_price(1.0), STRONG: a_price(10.0), BACKUP: a_price(2.0), REFEREE: a_price(3.0),
}  # fmt: skip


def text_of(script: Script) -> str:
    """The body that a script sends."""
    return b"".join(step for step in script if isinstance(step, bytes)).decode()


def a_half(number: int = 1, **changes: Any) -> Half:
    """A plain chat completion, answered by the upper tier; the lower one is to be asked."""
    plain = Half(
        decision=f"{number:016x}", time_s=EPOCH_S, route="default", task="chat", step=0, score=0.3, model="rules",
        probability=0.02, lower=False, certificate=None, surface="chat", request=a_body(),
        answer=text_of(an_answer("Hello")), endpoint=STRONG, cost_usd=0.01, others=(WEAK,), judges=(),
        budget_usd_per_day=5.0, keep_s=90 * 86_400.0, labels=(),
    )  # fmt: skip
    return replace(plain, **changes)


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
    caller.reconfigure(a_policy(a_catalog(*rows, providers=providers)), keys or Keys())
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
