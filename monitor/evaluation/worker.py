"""Works off what waits in the store: second answers, judgements by a model, and texts that may no longer be kept.

A few things at a time, the rest in the order of the requests. Whatever is claimed is claimed for a while only, so that
a worker that ends, or fails in a way nobody thought of, leaves nothing behind that is not taken up again. Failures are
logged once for each kind, without content.

Where a day's budget does not pay for the next one of a route, the whole route waits: if cheaper ones went first, those
that are compared would no longer be like the others.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.core.evaluation import Half
from gateway.core.policy import Evaluate
from monitor.evaluation.asking import Asker, NoAnswer, NotNow
from monitor.evaluation.judge import Judge
from monitor.evaluation.pairs import By, Judgement, Terms, Unjudged, Verdict
from monitor.evaluation.reading import Unreadable, read_half
from monitor.evaluation.spending import OverBudget
from monitor.evaluation.store import Store, StoreError
from monitor.ports import Clock

LANES = 2  # things done at a time; probes and their timing come first
IDLE_S = 10.0  # where nothing waits; what comes in wakes a lane at once
LEASE_S = 1_200.0  # more than three endpoints' time each; also how long one waits that failed
PAUSE_S = 60.0  # for a route without money: what is set aside for others' calls comes back soon
PATIENCE_S = 86_400.0  # of a request for its second answer
JUDGE_PATIENCE_S = 3 * 86_400.0  # of a request for its judgement by a model
UNKNOWN_ROUTE_S = 600.0  # in which this process may learn of a route that a gateway knows already
RETENTION_S = 3_600.0
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0  # where the store fails
KINDS = 1_000  # of failures that are remembered as told

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Done:
    """Counts for metrics, since the start."""

    answered: int = 0
    same: int = 0
    given_up: int = 0
    judged: int = 0
    skipped: int = 0  # by a judge
    postponed: int = 0  # failed, and tried again later
    over_budget: int = 0  # waited for money
    expired: int = 0  # pairs whose texts were deleted
    failures: int = 0  # of the store, or bugs


class Worker:
    """One per process; replicas share the store."""

    def __init__(self, store: Store, asker: Asker, judge: Judge, clock: Clock, name: str) -> None:
        self._store = store
        self._asker = asker
        self._judge = judge
        self._clock = clock
        self._name = name
        self._rules: Mapping[str, Evaluate] = {}
        self._paused: dict[str, float] = {}  # route -> until when, by the loop's clock
        self._woken = asyncio.Event()
        self._barred: Callable[[Terms], bool] | None = None
        self._stricter = asyncio.Event()  # texts are looked through at once
        self._told: set[str] = set()
        self.done = Done()

    def reconfigure(self, rules: Mapping[str, Evaluate], barred: Callable[[Terms], bool] | None = None) -> None:
        """`rules` of the routes that evaluate, by name; `barred`: whose texts are to be deleted now."""
        self._rules = rules
        self._barred = barred
        self._stricter.set()
        self._paused.clear()
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Ends by cancellation; what is under way is taken up again when its claim lapses."""
        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(self._repeated(self._work))
            group.create_task(self._repeated(self._expire))

    async def _repeated(self, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                await work()
                failures = 0
            except StoreError as error:
                failures += 1
                self._tell(f"the store of evaluations fails; it is tried again: {error}")
            except Exception as error:  # one pair that nobody thought of must not end all evaluation
                failures += 1
                self._tell(f"evaluation: {type(error).__name__}; what was being done is tried again later")
                log.debug("evaluation", exc_info=error)
            if failures:
                self.done.failures += 1
                await asyncio.sleep(min(FIRST_WAIT_S * 2.0 ** (failures - 1), LONGEST_WAIT_S))

    def _tell(self, problem: str) -> None:
        if len(self._told) >= KINDS:
            self._told.clear()
        if problem not in self._told:
            self._told.add(problem)
            log.warning("%s", problem)

    async def _expire(self) -> None:
        self._stricter.clear()
        self.done.expired += await asyncio.to_thread(self._store.expire, self._clock.epoch_s(), self._barred)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RETENTION_S):
                await self._stricter.wait()

    async def _work(self) -> None:
        """One thing, or a rest where there is none."""
        self._woken.clear()
        if await self._judge_one() or await self._answer_one():
            return
        try:
            async with asyncio.timeout(IDLE_S):
                await self._woken.wait()
        except TimeoutError:
            pass

    def _without(self) -> frozenset[str]:
        """Routes whose money does not suffice now."""
        now_s = self._clock.now_s()
        self._paused = {route: until_s for route, until_s in self._paused.items() if until_s > now_s}
        return frozenset(self._paused)

    # -- second answers ------------------------------------------------------------------------------------------------

    async def _answer_one(self) -> bool:
        claim, now_s = self._store.claim_half, self._clock.epoch_s()
        half = await asyncio.to_thread(claim, self._name, now_s, LEASE_S, self._without())
        if half is None:
            return False
        try:
            await self._answer(half)
        except OverBudget:
            await self._wait_for_money(half.route, half.decision)
        except NotNow as error:
            self.done.postponed += 1
            self._tell(f"no second answer for route {half.route} now: {error}")
        except (NoAnswer, Unreadable) as error:
            await self._give_up(half, str(error))
        return True

    async def _answer(self, half: Half) -> None:
        rules, age_s = self._rules.get(half.route), self._clock.epoch_s() - half.time_s
        if rules is None and age_s <= UNKNOWN_ROUTE_S:
            raise NotNow("it does not evaluate here")
        if rules is None:
            raise NoAnswer("the route no longer evaluates")
        if age_s > PATIENCE_S:
            raise NoAnswer("no second answer within a day: the budget was spent, or nobody answered")
        reading = read_half(half)
        second = await self._asker.second(half, reading.ask, rules.budget_usd_per_day)
        complete = self._store.complete
        now_s = self._clock.epoch_s()
        await asyncio.to_thread(complete, half.decision, reading.prompt, reading.first, second, now_s)
        self.done.same += second is None
        self.done.answered += second is not None
        self.wake()  # it may have a judge

    async def _give_up(self, half: Half, why: str) -> None:
        self.done.given_up += 1
        self._tell(f"a pair of route {half.route} stays without a second answer: {why}")
        await asyncio.to_thread(self._store.give_up, half.decision, why, self._clock.epoch_s())

    async def _wait_for_money(self, route: str, decision: str) -> None:
        self.done.over_budget += 1
        self._paused[route] = self._clock.now_s() + PAUSE_S
        await asyncio.to_thread(self._store.release, self._name, decision)

    # -- judgements ----------------------------------------------------------------------------------------------------

    async def _judge_one(self) -> bool:
        claim, now_s = self._store.next_for_model, self._clock.epoch_s()
        unjudged = await asyncio.to_thread(claim, self._name, now_s, LEASE_S, self._without())
        if unjudged is None:
            return False
        facts = unjudged.pair.facts
        try:
            judgement = await self._judgement(unjudged)
        except OverBudget:
            await self._wait_for_money(facts.route, facts.decision)
        except NotNow as error:
            self.done.postponed += 1
            self._tell(f"no judgement for route {facts.route} now: {error}")
        else:
            self.done.skipped += judgement.verdict is Verdict.SKIP
            self.done.judged += judgement.verdict is not Verdict.SKIP
            await asyncio.to_thread(self._store.judge, judgement)
        return True

    async def _judgement(self, unjudged: Unjudged) -> Judgement:
        facts, now_s = unjudged.pair.facts, self._clock.epoch_s()
        rules = self._rules.get(facts.route)
        skipped = Judgement(facts.decision, unjudged.judges[0], By.MODEL, Verdict.SKIP, now_s)
        if rules is None or rules.judge == "people" or now_s - facts.time_s > JUDGE_PATIENCE_S:
            return skipped
        try:
            return await self._judge.judge(unjudged, rules.budget_usd_per_day)
        except NoAnswer as error:
            self._tell(f"a pair of route {facts.route} stays without a model's judgement: {error}")
            return skipped
