"""Second answers: of whom they are asked, what they cost, and what becomes of failures."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.failure import FailureKind
from monitor.evaluation.asking import MOST_OUTPUT, Asker, NoAnswer, NotNow
from monitor.evaluation.calling import Caller
from monitor.evaluation.pairs import Answer
from monitor.evaluation.reading import read_half
from monitor.evaluation.spending import OverBudget, Spending
from tests.support.builders import a_body
from tests.support.evaluating import (
    BACKUP,
    PRICES,
    REFEREE,
    STRONG,
    TERMS,
    WEAK,
    Keys,
    Ledger,
    a_caller,
    a_clock,
    a_half,
    billed_usd,
    text_of,
    upstream,
)
from tests.support.openai_scripts import an_answer, an_error
from tests.support.scripted_upstream import HANG, Script, ScriptedUpstream, Status
from tests.support.virtual_time import VirtualLoop

pytestmark = pytest.mark.virtual_time
BUDGET_USD = 5.0


async def ask(
    caller: Caller, ledger: Ledger | None = None, budget_usd: float = BUDGET_USD, **half: Any
) -> Answer | None:
    drawn = a_half(**half)
    asker = Asker(caller, Spending(ledger or Ledger()), a_clock())
    return await asker.second(drawn, read_half(drawn).ask, budget_usd)


def cut(text: str = "and so") -> Script:
    answer = json.loads(text_of(an_answer(text)))
    answer["choices"][0]["finish_reason"] = "length"
    return [Status(), json.dumps(answer).encode()]


async def test_asks_the_endpoint_that_the_gateway_named_and_charges_what_it_bills() -> None:
    script = an_answer("Second", {"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500})
    vendors, ledger = upstream(weak=[script]), Ledger()
    answer = await ask(a_caller(vendors), ledger, request=a_body("Why?", temperature=0.2, stream=True))

    bill = billed_usd(WEAK, script)
    assert answer == Answer(WEAK, "Second", bill)
    assert ledger.total_usd() == pytest.approx(bill, abs=1e-12)
    assert vendors.tried == [WEAK]
    sent = a_body("Why?", "m", temperature=0.2, max_tokens=16_000)
    assert vendors.calls[0].body == sent


CLAUDE = {
    "id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Four."}], "usage": {"input_tokens": 9, "output_tokens": 3},
}  # fmt: skip


async def test_asks_with_the_headers_that_the_first_answer_was_asked_with_and_no_others() -> None:
    answer = json.dumps(CLAUDE)
    vendors = upstream(weak=[[Status(), answer.encode()]])
    headers = (("anthropic-version", "2026-10-21"), ("anthropic-beta", "context-1m-2025-08-07"), ("x-forged", "yes"))
    claude = {"surface": "messages", "request": a_body(max_tokens=100), "answer": answer, "headers": headers}
    await ask(a_caller(vendors, endpoints={WEAK: {"api": "anthropic"}}), **claude)
    sent = vendors.calls[0].headers
    assert {name: sent.get(name) for name, _ in headers} == dict(headers) | {"x-forged": None}


async def test_caps_the_answer_as_the_client_did() -> None:
    vendors = upstream()
    await ask(a_caller(vendors), request=a_body(max_tokens=300))
    assert vendors.calls[0].body["max_tokens"] == 300


@pytest.mark.parametrize("kind", [FailureKind.UNREACHABLE, FailureKind.TRUNCATED])
async def test_goes_on_to_the_next_one_named(kind: FailureKind) -> None:
    vendors, ledger = upstream(weak=[[kind]]), Ledger()
    answer = await ask(a_caller(vendors), ledger, others=(WEAK, BACKUP))

    assert answer is not None
    assert (answer.endpoint, vendors.tried) == (BACKUP, [WEAK, BACKUP])


async def test_charges_the_bound_where_nobody_knows_what_a_failure_cost() -> None:
    ledger, sure = Ledger(), Ledger()
    caller = a_caller(upstream(weak=[[HANG]]))
    bound_usd = caller.prepare(read_half(a_half()).ask, WEAK, MOST_OUTPUT, TERMS).bound_usd
    with pytest.raises(NotNow):
        await ask(caller, ledger, others=(WEAK,))
    with pytest.raises(NotNow):
        await ask(a_caller(upstream(weak=[an_error(503)])), sure, others=(WEAK,))

    assert (ledger.total_usd(), sure.total_usd()) == (bound_usd, 0.0)


async def test_charges_the_bound_where_the_answer_tells_no_usage() -> None:
    answer = json.loads(text_of(an_answer("Second")))
    del answer["usage"]
    ledger = Ledger()
    caller = a_caller(upstream(weak=[[Status(), json.dumps(answer).encode()]]))
    found = await ask(caller, ledger)

    assert found == Answer(WEAK, "Second", None)
    assert ledger.total_usd() == caller.prepare(read_half(a_half()).ask, WEAK, MOST_OUTPUT, TERMS).bound_usd


async def test_pays_for_an_answer_that_cannot_be_read() -> None:
    answer = json.loads(text_of(an_answer("Second")))
    answer["choices"][0]["message"]["tool_calls"] = [{"function": {}}]
    ledger = Ledger()
    with pytest.raises(NotNow, match="malformed"):
        await ask(a_caller(upstream(weak=[[Status(), json.dumps(answer).encode()]])), ledger)
    assert ledger.total_usd() == pytest.approx(billed_usd(WEAK, an_answer("Second")), abs=1e-12)


async def test_asks_nobody_where_the_answer_would_come_from_the_same_endpoint() -> None:
    vendors = upstream(weak=[an_error(400)])
    assert await ask(a_caller(vendors), others=(STRONG, WEAK), endpoint=STRONG) is None
    assert vendors.tried == []
    assert await ask(a_caller(vendors), others=(WEAK, STRONG), endpoint=STRONG) is None
    assert vendors.tried == [WEAK], "it refuses this request whenever it is asked"


async def test_compares_nothing_instead_of_an_endpoint_that_fails_just_now() -> None:
    """Its neighbours of another tier would make pairs without a difference, and those certificates."""
    vendors = upstream(weak=[an_error(429), an_error(503), an_answer("Second")])
    caller = a_caller(vendors, endpoints={WEAK: {"tier": 0}})
    for wait_s in (0.0, 1.0, 29.1):
        await asyncio.sleep(wait_s)
        with pytest.raises(NotNow, match=f"^{WEAK}: "):
            await ask(caller, others=(WEAK, BACKUP, STRONG))
    assert vendors.tried == [WEAK, WEAK]
    await asyncio.sleep(60.1)
    answer = await ask(caller, others=(WEAK, BACKUP, STRONG))
    assert answer is not None
    assert answer.endpoint == WEAK


async def test_tries_three_endpoints_and_says_that_it_may_be_different_later() -> None:
    vendors = upstream(weak=[an_error(503, "the prompt was: secret")], backup=[an_error(429)], referee=[an_error(500)])
    with pytest.raises(NotNow) as caught:
        await ask(a_caller(vendors), others=(WEAK, BACKUP, REFEREE, STRONG), endpoint="other/m")

    assert vendors.tried == [WEAK, BACKUP, REFEREE]
    assert "secret" not in str(caught.value)


async def test_leaves_an_endpoint_alone_for_a_while_after_each_failure() -> None:
    """However many halves wait for it: a failing provider is not asked for each of them, and they cost nothing."""
    vendors, ledger = upstream(weak=[an_error(503), an_error(503), an_answer(), an_error(503)]), Ledger()
    caller = a_caller(vendors)

    async def asked_after(seconds: float) -> int:
        await asyncio.sleep(seconds)
        for number in range(5):
            with suppress(NotNow):
                await ask(caller, ledger, number=number)
        return len(vendors.tried)

    waits = (0.0, 29.0, 1.1, 58.0, 2.1)
    assert [await asked_after(wait_s) for wait_s in waits] == [1, 1, 2, 2, 2 + 1 + 1], "well once, then failing again"
    assert await asked_after(30.1) == 5


async def test_comes_again_when_a_provider_says() -> None:
    vendors = upstream(weak=[an_error(429, retry_after="300")])
    caller = a_caller(vendors)
    for wait_s, calls in ((0.0, 1), (299.0, 1), (1.1, 2)):
        await asyncio.sleep(wait_s)
        with pytest.raises(NotNow, match="weak/m: rate_limited"):
            await ask(caller)
        assert len(vendors.tried) == calls


async def test_says_that_nobody_will_ever_answer() -> None:
    vendors = upstream(weak=[an_error(400, "secret")])
    with pytest.raises(NoAnswer, match=r"^weak/m: rejected; gone/m: no such endpoint is configured$"):
        await ask(a_caller(vendors), others=(WEAK, "gone/m"))
    with pytest.raises(NoAnswer, match="the other tier has no endpoint"):
        await ask(a_caller(vendors), others=())


@pytest.mark.parametrize(
    ("caller", "half", "reason"),
    [
        ({"prices": {**PRICES, WEAK: None}}, {}, "its price is unknown"),
        ({"keys": Keys(frozenset({"weak"}))}, {}, "its provider's key is missing"),
        ({"endpoints": {WEAK: {"context": 3}}}, {}, "the request is longer than its context"),
        ({}, {"request": a_body(service_tier="priority")}, "nobody can say what the request costs at most"),
        (
            {"endpoints": {WEAK: {"api": "anthropic"}}}, {"request": a_body(modalities=["audio"])},
            "the request cannot be said in its wire format",
        ),
    ],
)  # fmt: skip
async def test_asks_nobody_who_cannot_be_asked(caller: Any, half: Any, reason: str) -> None:
    vendors = upstream()
    with pytest.raises(NoAnswer, match=f"^weak/m: {reason}$"):
        await ask(a_caller(vendors, **caller), **half)
    assert vendors.tried == []


async def test_compares_no_answer_that_only_we_cut_short() -> None:
    wide = {WEAK: {"max_output": 64_000}}
    with pytest.raises(NoAnswer, match="longer than 16,384 tokens"):
        await ask(a_caller(upstream(weak=[cut()]), endpoints=wide))
    limited = await ask(a_caller(upstream(weak=[cut()]), endpoints=wide), request=a_body(max_tokens=20))
    assert limited is not None
    assert limited.text == "and so"


async def test_waits_where_the_rest_of_the_days_budget_may_not_suffice() -> None:
    vendors, ledger, clock = upstream(), Ledger(), a_clock()
    caller = a_caller(vendors)
    bound_usd = caller.prepare(read_half(a_half()).ask, WEAK, MOST_OUTPUT, TERMS).bound_usd
    await Spending(ledger).set_aside("default", BUDGET_USD - bound_usd / 2, BUDGET_USD, clock.epoch_s())

    with pytest.raises(OverBudget):
        await ask(caller, ledger)
    assert vendors.tried == []
    assert await ask(caller, ledger, route="another") is not None


async def test_asks_nobody_whose_answer_may_cost_more_than_a_whole_day() -> None:
    vendors = upstream()
    with pytest.raises(NoAnswer, match="more than the budget of a whole day"):
        await ask(a_caller(vendors), budget_usd=0.001)
    assert vendors.tried == []


@settings(max_examples=60, deadline=None)
@given(
    budget_usd=st.floats(0.01, 0.4),
    tokens=st.lists(st.integers(1, 16_000), min_size=1, max_size=12),
    fails=st.sets(st.integers(0, 11)),
)
def test_never_spends_more_than_the_budget_whatever_is_asked_at_once(
    budget_usd: float, tokens: list[int], fails: set[int]
) -> None:
    """What vendors bill, and what is charged, both stay within it."""
    billed_usd_: list[float] = []

    async def run() -> Ledger:
        scripts: list[Script] = []
        for place, count in enumerate(tokens):
            usage = {"prompt_tokens": 20, "completion_tokens": count, "total_tokens": 20 + count}
            scripts.append([FailureKind.TRUNCATED] if place in fails else [0.5, *an_answer("x", usage)])
        vendors, ledger = ScriptedUpstream({"weak": scripts}), Ledger()
        caller = a_caller(vendors, prices={WEAK: PRICES[WEAK]})
        asked = (ask(caller, ledger, budget_usd, number=number) for number in range(len(tokens)))
        for found in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(found, Answer | OverBudget | NotNow | NoAnswer), found
            if isinstance(found, Answer):
                assert found.cost_usd is not None
                billed_usd_.append(found.cost_usd)
        return ledger

    loop = VirtualLoop()
    try:
        ledger = loop.run_until_complete(run())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
    assert sum(billed_usd_) <= ledger.total_usd() + 1e-9 <= budget_usd + 2e-9
