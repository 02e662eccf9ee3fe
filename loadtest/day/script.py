"""The script: what happens on the day, in order, and how long each step may take.

Owns the steps and what proves them. A step that does not happen in its time ends the day; the report then says how far
it came.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadtest.day.blocks import Block, block
from loadtest.day.config import MAX_LOSS, SMALL
from loadtest.day.judgements import agreement
from loadtest.day.traffic import Traffic
from loadtest.day.truth import AFTERNOON, MORNING, SPOILED
from loadtest.money import total_of
from loadtest.quality import Rule

Json = Any  # a parsed JSON value

PROVEN = ("summarization", "extraction")  # tasks that the small model does well enough
MEASURED = 400  # requests of a stretch that is measured
LOOK_S = 1.0
JUDGED_S, CERTIFIED_S, TAKEN_OVER_S, ALARM_S = 60.0, 150.0, 30.0, 90.0  # about three times what they take at rest
_SAVED = "pointsman_saved_usd_total"


class Scene(Protocol):
    """What the script has of the processes (`loadtest.day.stage.Stage`). All of it raises `StageError`."""

    async def set_quality(self, rules: Sequence[Rule]) -> None: ...

    def certificates(self) -> list[dict[str, Json]]: ...

    async def evaluation(self) -> dict[str, Json]: ...

    async def gateway_metrics(self) -> str: ...

    async def exported(self) -> bytes: ...


class StepFailedError(Exception):
    """A step did not happen in its time, or not as it should have; the message says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Step:
    at_s: float  # since the start of the day
    name: str
    told: str


@dataclass(slots=True)
class Log:
    """What has happened so far."""

    steps: list[Step] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    certificates: list[dict[str, Json]] = field(default_factory=list)  # as they were first published
    evaluation_usd: float = 0.0  # second answers and judgements


class Script:
    """One day. `tell` hears of each step as it happens."""

    def __init__(self, stage: Scene, traffic: Traffic, tell: Callable[[Step], None]) -> None:
        self._stage = stage
        self._traffic = traffic
        self._tell = tell
        self._now_s = asyncio.get_running_loop().time
        self._began_s = self._now_s()
        self._saved_usd = 0.0
        self._since = 0  # requests served before the present stretch
        self.log = Log()

    async def run(self) -> None:
        """Raises `StepFailedError`, and `StageError` where a process does not answer."""
        await self._stage.set_quality(MORNING)
        self._step("evaluation on", "everything goes to the tier that the rules ask for, and half of it is compared")
        await self._meanwhile(self._judged, JUDGED_S, "no pair was judged")
        await self._meanwhile(self._certified, CERTIFIED_S, f"there is no certificate for {' and '.join(PROVEN)}")
        await self._measured("while pairs are judged", MORNING)
        await self._meanwhile(self._taken_over, TAKEN_OVER_S, "the gateway sends nothing to the cheaper tier")
        self._begin()
        await self._traffic.some(MEASURED)
        self._cheaper(await self._measured("with certificates", MORNING))
        await self._spoil()
        await self._meanwhile(self._alarmed, ALARM_S, f"the certificate of {SPOILED} is still in force")
        await self._measured("until the alarm", AFTERNOON)
        await self._meanwhile(self._stepped_back, TAKEN_OVER_S, f"{SPOILED} still goes to the cheaper tier")
        self._begin()
        await self._traffic.some(MEASURED)
        self._back(await self._measured("after the alarm", AFTERNOON))
        await self._judged_rightly()
        self.log.evaluation_usd = math.fsum((await self._stage.evaluation())["spent_today_usd"].values())

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def _judged(self) -> bool:
        judged = sum(one["judged"] for one in (await self._stage.evaluation())["pairs"])
        if judged:
            self._step("pairs judged", f"{judged} so far, of {self._traffic.sent} requests")
        return bool(judged)

    async def _certified(self) -> bool:
        found = {one["task"]: one for one in self._stage.certificates()}
        if any(task not in found for task in PROVEN):
            return False
        self.log.certificates = [found[task] for task in PROVEN]
        words = (
            f"{one['task']} {one['share']:.0%} at {one['loss']:+.1%} over {one['judged']} pairs"
            for one in self.log.certificates
        )
        self._step("certificates", f"{'; '.join(words)}; promised: {MAX_LOSS:.0%} at most")
        return True

    async def _taken_over(self) -> bool:
        found = any(one.model == SMALL and one.asked.task in PROVEN for one in self._traffic.served[-40:])
        if found:
            self._step("cheaper routing", "the gateway sends requests below the threshold a tier lower")
        return found

    async def _spoil(self) -> None:
        await self._stage.set_quality(AFTERNOON)
        self._step("quality drops", f"from now on {SMALL} fails at most of {SPOILED}; nobody is told")
        self._begin()

    async def _alarmed(self) -> bool:
        alarms = [one for one in (await self._stage.evaluation())["alarms"] if one["task"] == SPOILED]
        if not alarms or any(one["task"] == SPOILED for one in self._stage.certificates()):
            return False
        pairs, lost = alarms[0]["watched"], alarms[0]["loss"]
        words = f"{SPOILED} has lost {lost:.1%} over {pairs} pairs since: its certificate is withdrawn"
        self._step("alarm", words)
        return True

    async def _stepped_back(self) -> bool:
        last = [one for one in self._traffic.served[-60:] if one.asked.task == SPOILED]
        back = len(last) >= 20 and all(one.model != SMALL for one in last)
        if back:
            self._step("stepped back", f"{SPOILED} goes to the tier that the rules ask for")
        return back

    async def _judged_rightly(self) -> None:
        found = agreement(await self._stage.exported())
        if found.wrong or not found.judged:
            raise StepFailedError(f"{found.wrong} of {found.judged} judgements are not true")
        self._step("judgements", f"all {found.judged} say what is true of their answers")

    def _cheaper(self, found: Block) -> None:
        before = self.log.blocks[0]
        if found.per_1000(found.cost_usd) >= before.per_1000(before.cost_usd):
            raise StepFailedError("requests cost no less than before")
        if found.per_1000(found.saved_usd) <= before.per_1000(before.saved_usd):
            raise StepFailedError("the gateway shows no more savings than before")
        if found.all.loss > MAX_LOSS:
            raise StepFailedError(f"the true loss is {found.all.loss:.1%}, more than the promised {MAX_LOSS:.0%}")

    def _back(self, found: Block) -> None:
        for task in PROVEN:
            lower = found.by_task[task].lower
            if (lower > 0) is (task == SPOILED):
                raise StepFailedError(f"{lower:.0%} of {task} went to the cheaper tier after the alarm")

    # -- how -----------------------------------------------------------------------------------------------------------

    async def _meanwhile(self, happened: Callable[[], Awaitable[bool]], within_s: float, otherwise: str) -> None:
        """Traffic goes on until it has happened."""
        over = False
        sending = asyncio.ensure_future(self._traffic.until(lambda: over))
        try:
            async with asyncio.timeout(within_s):
                while not await happened():  # noqa: ASYNC110  # in other processes
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise StepFailedError(f"{otherwise} after {within_s:.0f} s") from None
        finally:
            over = True
            await sending

    def _step(self, name: str, told: str) -> None:
        step = Step(round(self._now_s() - self._began_s, 1), name, told)
        self.log.steps.append(step)
        self._tell(step)

    def _begin(self) -> None:
        """A new stretch."""
        self._since = len(self._traffic.served)

    async def _measured(self, name: str, rules: Sequence[Rule]) -> Block:
        """The stretch that ends here."""
        saved_usd = total_of(_SAVED, await self._stage.gateway_metrics())
        found = block(name, self._traffic.served[self._since :], rules, saved_usd - self._saved_usd)
        self._saved_usd = saved_usd
        self._begin()
        self.log.blocks.append(found)
        return found
