"""The worker over a real store, in virtual time, with scripted providers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.policy import Evaluate
from gateway.core.pricing import Price
from monitor.evaluation.asking import Asker
from monitor.evaluation.judge import Judge
from monitor.evaluation.pairs import Answer, By
from monitor.evaluation.spending import Spending
from monitor.evaluation.store import Store, StoreError
from monitor.evaluation.worker import IDLE_S, LEASE_S, PATIENCE_S, PAUSE_S, Worker
from monitor.ports import Clock
from tests.support.builders import EPOCH_S, a_body
from tests.support.evaluating import (
    BACKUP,
    PRICES,
    REFEREE,
    STRONG,
    WEAK,
    a_caller,
    a_clock,
    a_half,
    billed_usd,
    upstream,
)
from tests.support.openai_scripts import an_answer, an_error
from tests.support.scripted_upstream import HANG, ScriptedUpstream

pytestmark = pytest.mark.virtual_time
RULES: Mapping[str, Evaluate] = {"default": Evaluate(share=0.02, against=1, judge="both")}
TIGHT: Mapping[str, Evaluate] = {"default": Evaluate(0.02, 1, budget_usd_per_day=0.08)}  # pays for one answer


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/evaluations.sqlite")
    yield opened
    opened.close()


def a_worker(
    store: Store, vendors: ScriptedUpstream, rules: Mapping[str, Evaluate] = RULES, clock: Clock | None = None,
    name: str = "monitor-1", prices: Mapping[str, Price | None] = PRICES,
) -> Worker:  # fmt: skip
    clock = clock or a_clock()
    caller, spending = a_caller(vendors, prices), Spending(store)
    worker = Worker(store, Asker(caller, spending, clock), Judge(caller, spending, clock), clock, name)
    worker.reconfigure(rules)
    return worker


@asynccontextmanager
async def working(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
        assert not task.done(), "the worker works until it is told to stop"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def worked(worker: Worker, for_s: float = 1.0) -> Worker:
    async with working(worker):
        await asyncio.sleep(for_s)
    return worker


def spent_usd(store: Store, epoch_s: float = EPOCH_S, route: str = "default") -> float:
    return store.spent_usd(route, datetime.fromtimestamp(epoch_s, UTC).date())


async def test_asks_the_second_answer_and_has_the_pair_judged(store: Store) -> None:
    verdicts = [an_answer('{"verdict": "second"}'), an_answer('{"verdict": "first"}')]
    vendors = upstream(referee=verdicts)
    store.add([a_half(judges=(REFEREE,))], EPOCH_S)
    done = (await worked(a_worker(store, vendors))).done

    assert vendors.tried == [WEAK, REFEREE, REFEREE]
    (judged,) = store.judged()
    assert (judged.gain, judged.by, judged.facts.decision) == (1.0, By.MODEL, a_half().decision)
    pair = store.next_for("ada", EPOCH_S, 60.0)
    assert pair is not None
    assert pair.lower == Answer(WEAK, "Second", billed_usd(WEAK, an_answer("Second")))
    assert pair.upper == Answer(STRONG, "Hello", 0.01)
    bill = billed_usd(WEAK, an_answer("Second")) + 2 * billed_usd(REFEREE, verdicts[0])
    assert spent_usd(store) == pytest.approx(bill, abs=1e-12)
    assert (done.answered, done.judged, done.failures) == (1, 1, 0)


async def test_leaves_pairs_to_people_where_the_route_says_so(store: Store) -> None:
    vendors = upstream()
    store.add([a_half(1), a_half(2, judges=(REFEREE,))], EPOCH_S)
    await worked(a_worker(store, vendors, {"default": Evaluate(0.02, 1, judge="people")}))
    assert (vendors.tried, store.judged()) == ([WEAK, WEAK], [])
    assert store.next_for("ada", EPOCH_S, 60.0) is not None


async def test_asks_nothing_where_both_answers_would_come_from_one_endpoint(store: Store) -> None:
    vendors = upstream()
    store.add([a_half(others=(STRONG, WEAK), judges=(REFEREE,))], EPOCH_S)
    done = (await worked(a_worker(store, vendors))).done
    assert (vendors.tried, [(one.gain, one.by) for one in store.judged()]) == ([], [(0.0, By.SAME)])
    assert (done.same, done.answered) == (1, 0)


@pytest.mark.parametrize(
    "broken",
    [
        {"answer": "secret"},
        {"surface": "secret"},
        {"others": ("gone/m",)},
        {"time_s": EPOCH_S - PATIENCE_S - 1},
        {"route": "removed", "time_s": EPOCH_S - 700},
    ],
)
async def test_gives_up_what_can_never_be_compared(
    store: Store, caplog: pytest.LogCaptureFixture, broken: dict[str, Any]
) -> None:
    vendors = upstream()
    store.add([a_half(request=a_body("secret"), **broken)], EPOCH_S)
    done = (await worked(a_worker(store, vendors), 4 * IDLE_S)).done
    assert (vendors.tried, done.given_up) == ([], 1)
    assert [one.given_up for one in store.progress()] == [1]
    assert "secret" not in caplog.text
    assert len(caplog.records) == 1


async def test_waits_a_while_for_a_route_that_only_the_gateway_knows_yet(store: Store) -> None:
    vendors = upstream()
    store.add([a_half(route="new")], EPOCH_S)
    worker = a_worker(store, vendors)
    await worked(worker)
    assert (vendors.tried, worker.done.given_up) == ([], 0)
    worker.reconfigure({"new": RULES["default"]})
    await worked(worker, LEASE_S + IDLE_S)
    assert vendors.tried == [WEAK]


async def test_takes_up_again_what_failed(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    vendors = upstream(weak=[an_error(503, "secret"), an_answer("Second")])
    store.add([a_half()], EPOCH_S)
    worker = a_worker(store, vendors)
    async with working(worker):
        await asyncio.sleep(LEASE_S - IDLE_S)
        assert vendors.tried == [WEAK]
        await asyncio.sleep(3 * IDLE_S)
    assert (vendors.tried, worker.done.answered, worker.done.postponed) == ([WEAK, WEAK], 1, 1)
    assert caplog.messages == ["no second answer for route default now: weak/m: overloaded"]


async def test_a_route_without_money_waits_for_the_next_day_and_holds_up_no_other(store: Store) -> None:
    midnight = EPOCH_S + 8 * 3_600
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    clock = Clock(loop.time, lambda: midnight - 300 + loop.time() - start_s)
    dear = an_answer("Second", {"prompt_tokens": 10, "completion_tokens": 16_000, "total_tokens": 16_010})
    vendors = upstream(weak=[dear])
    halves = [a_half(number, time_s=midnight - 400 + number) for number in (1, 2)]
    store.add([*halves, a_half(3, route="rich", time_s=midnight - 390)], midnight - 300)
    worker = a_worker(store, vendors, {**TIGHT, "rich": RULES["default"]}, clock)
    async with working(worker):
        await asyncio.sleep(200)
        assert (worker.done.answered, len(vendors.tried)) == (2, 2)
        assert 3 <= worker.done.over_budget <= 2 * (200 / PAUSE_S + 1), "it looks again once a minute"
        await asyncio.sleep(100 + PAUSE_S + IDLE_S)
    assert worker.done.answered == 3
    assert spent_usd(store, midnight - 1) <= 0.08
    assert spent_usd(store, midnight + 1) == pytest.approx(billed_usd(WEAK, dear), abs=1e-9)


async def test_judgements_wait_for_money_and_for_judges(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    vendors = upstream(referee=[an_error(429), an_answer('{"verdict": "tie"}')])
    store.add([a_half(judges=(REFEREE,), request=a_body(max_tokens=50))], EPOCH_S)
    poor = {"default": Evaluate(0.02, 1, judge="model", budget_usd_per_day=0.1)}
    worker = a_worker(store, vendors, poor)
    store.charge("default", datetime.fromtimestamp(EPOCH_S, UTC).date(), 0.09)
    async with working(worker):
        await asyncio.sleep(1.0)
        assert vendors.tried == [WEAK]
        assert worker.done.over_budget in (1, 2), "the other lane may have looked before it knew"
        worker.reconfigure(RULES)
        await asyncio.sleep(1.0)
        assert (vendors.tried, worker.done.postponed) == ([WEAK, REFEREE], 1)
        await asyncio.sleep(LEASE_S + 2 * IDLE_S)
    assert ([one.by for one in store.judged()], worker.done.judged) == ([By.MODEL], 1)
    assert caplog.messages == ["no judgement for route default now: referee/m: rate_limited"]


async def test_asks_two_at_a_time(store: Store) -> None:
    vendors = upstream(weak=[[10.0, *an_answer("Second")]])
    store.add([a_half(number) for number in range(5)], EPOCH_S)
    worker = a_worker(store, vendors)
    async with working(worker):
        for expected in (2, 4, 5):
            await asyncio.sleep(9.9 if expected == 2 else 10.0)
            assert len(vendors.calls) == expected


async def test_hears_at_once_of_what_comes_in(store: Store) -> None:
    vendors = upstream()
    worker = a_worker(store, vendors)
    async with working(worker):
        await asyncio.sleep(1.0)
        store.add([a_half()], EPOCH_S)
        worker.wake()
        await asyncio.sleep(0.5)
        assert vendors.tried == [WEAK]


async def test_another_takes_up_what_an_ended_worker_had_begun(store: Store) -> None:
    store.add([a_half()], EPOCH_S)
    await worked(a_worker(store, upstream(weak=[[HANG]])), 10.0)
    vendors = upstream()
    await worked(a_worker(store, vendors, name="monitor-2"), LEASE_S + IDLE_S)
    assert vendors.tried == [WEAK]
    assert spent_usd(store) > billed_usd(WEAK, an_answer("Second")), "what the first one set aside stays charged"


class Ailing:
    """A store that fails a number of times first."""

    def __init__(self, store: Store, failures: int, error: Exception) -> None:
        self._store = store
        self.failures = failures
        self._error = error

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._store, name)

        def method(*args: Any) -> Any:
            if self.failures > 0:
                self.failures -= 1
                raise self._error
            return whole(*args)

        return method


@pytest.mark.parametrize("error", [StoreError("the database is gone"), RuntimeError("secret")])
async def test_outlives_a_store_that_is_down(
    store: Store, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    vendors = upstream()
    store.add([a_half()], EPOCH_S)
    ailing: Any = Ailing(store, 12, error)
    worker = a_worker(ailing, vendors)
    async with working(worker):
        await asyncio.sleep(5.0)
        assert vendors.tried == []
        await asyncio.sleep(60.0)
    assert (vendors.tried, worker.done.failures) == ([WEAK], 12)
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


async def test_a_pair_that_breaks_the_worker_holds_up_no_other(store: Store) -> None:
    vendors = upstream()
    store.add([a_half(1, others=(BACKUP,)), a_half(2)], EPOCH_S)
    broken: Any = "no price"
    worker = await worked(a_worker(store, vendors, prices={**PRICES, BACKUP: broken}), 10.0)
    assert (vendors.tried, worker.done.answered, worker.done.failures) == ([WEAK], 1, 1)


async def test_deletes_texts_that_may_be_kept_no_longer(store: Store) -> None:
    store.add([a_half(keep_s=60.0, time_s=EPOCH_S - 61)], EPOCH_S - 61)
    worker = await worked(a_worker(store, upstream(), rules={}))
    assert (worker.done.expired, store.progress()) == (1, [])


@pytest.fixture(autouse=True)
def _quiet_asyncio(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
