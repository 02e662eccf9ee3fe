"""The script of the day, with processes that are played: what it takes for proof, and what it says without it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from loadtest.day.config import BIG, SMALL
from loadtest.day.prompts import Prompts
from loadtest.day.script import PROVEN, Script, Step, StepFailedError
from loadtest.day.traffic import Traffic
from loadtest.day.truth import AFTERNOON, MORNING, SPOILED
from loadtest.flight import OK, Flight
from loadtest.quality import Rule

pytestmark = pytest.mark.virtual_time

_COSTS_USD = {SMALL: 0.00001, BIG: 0.0001}


class World:
    """Gateway, monitor and providers: pairs are judged after 10 s, certificates are there after 30, and an alarm goes
    off 20 s after the quality has dropped, unless a test wants it otherwise."""

    def __init__(self) -> None:
        self._now_s = asyncio.get_running_loop().time
        self._began_s = self._now_s()
        self._dropped_s = float("inf")
        self.judged_after_s = 10.0
        self.certified_after_s = 30.0
        self.alarm_after_s = 20.0
        self.obeys = True  # the gateway, when a certificate is gone
        self.takes_over = True  # the gateway, when one has come
        self.shows_savings = True
        self.verdict = "tie"
        self.saved_usd = 0.0
        self.quality: list[Sequence[Rule]] = []

    async def set_quality(self, rules: Sequence[Rule]) -> None:
        self.quality.append(rules)
        if rules == AFTERNOON:
            self._dropped_s = self._now_s()

    def _alarmed(self) -> bool:
        return self._now_s() >= self._dropped_s + self.alarm_after_s

    def certificates(self) -> list[dict[str, Any]]:
        if self._now_s() < self._began_s + self.certified_after_s:
            return []
        tasks = [task for task in PROVEN if task != SPOILED or not self._alarmed()]
        return [{"task": task, "share": 0.7, "loss": 0.01, "judged": 300} for task in tasks]

    async def evaluation(self) -> dict[str, Any]:
        judged = 5 if self._now_s() >= self._began_s + self.judged_after_s else 0
        alarms = [{"task": SPOILED, "watched": 130, "loss": 0.2}] if self._alarmed() else []
        return {"pairs": [{"judged": judged}], "alarms": alarms, "spent_today_usd": {"default": 1.5}}

    async def gateway_metrics(self) -> str:
        return f'pointsman_saved_usd_total{{route="default"}} {self.saved_usd}\n'

    async def exported(self) -> bytes:
        row = {"task": "email", "prompt": "p", "judgements": [{"verdict": self.verdict}]}
        return orjson.dumps(row)

    async def send(self, flight: Flight) -> None:
        """As the gateway would serve it."""
        certified = {one["task"] for one in self.certificates()} if self.takes_over else set()
        if not self.obeys and self.takes_over and self._alarmed():
            certified = set(PROVEN)
        model = SMALL if flight.job.task in certified and "in detail" not in flight.job.prompt else BIG
        flight.headers = {"x-pointsman-endpoint": f"sim-fast/{model}"}
        flight.cost_usd = _COSTS_USD[model]
        self.saved_usd += (_COSTS_USD[BIG] - _COSTS_USD[model]) * self.shows_savings
        flight.outcome = OK


async def play(world: World) -> tuple[Script, list[Step]]:
    told: list[Step] = []
    script = Script(world, Traffic(world, Prompts(1)), told.append)
    await script.run()
    return script, told


async def test_tells_the_whole_loop_in_order() -> None:
    world = World()
    script, told = await play(world)
    assert [step.name for step in told] == [
        "evaluation on", "pairs judged", "certificates", "cheaper routing", "quality drops", "alarm", "stepped back",
        "judgements",
    ]  # fmt: skip
    assert (script.log.steps, script.log.evaluation_usd) == (told, 1.5)
    assert world.quality == [MORNING, AFTERNOON]


async def test_measures_each_stretch_between_the_steps() -> None:
    script, _ = await play(World())
    morning, noon, afternoon, evening = script.log.blocks
    assert [round(block.all.lower, 1) for block in (morning, noon, evening)] == [0.0, 0.6, 0.3]
    assert [block.by_task[SPOILED].lower > 0 for block in (noon, afternoon, evening)] == [True, True, False]
    assert afternoon.by_task[SPOILED].loss > 0.3 > 0.05 > noon.all.loss
    assert noon.per_1000(noon.saved_usd) > 4 * morning.per_1000(morning.saved_usd)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"judged_after_s": 1e9}, "no pair was judged after 60 s"),
        ({"certified_after_s": 1e9}, "there is no certificate for summarization and extraction after 150 s"),
        ({"takes_over": False}, "the gateway sends nothing to the cheaper tier after 30 s"),
        ({"alarm_after_s": 1e9}, "the certificate of summarization is still in force after 90 s"),
        ({"obeys": False}, "summarization still goes to the cheaper tier after 30 s"),
        ({"verdict": "lower"}, "1 of 1 judgements are not true"),
    ],
)
async def test_says_which_step_did_not_happen(changed: dict[str, Any], words: str) -> None:
    world = World()
    for name, value in changed.items():
        setattr(world, name, value)
    with pytest.raises(StepFailedError, match=f"^{words}$"):
        await play(world)


async def test_fails_where_nothing_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_COSTS_USD, SMALL, 0.0002)
    with pytest.raises(StepFailedError, match="requests cost no less than before"):
        await play(World())


async def test_fails_where_no_savings_are_shown() -> None:
    world = World()
    world.shows_savings = False
    with pytest.raises(StepFailedError, match="the gateway shows no more savings than before"):
        await play(world)


async def test_fails_where_more_is_lost_than_was_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.day.script.MORNING", (Rule(0.0, SMALL),))
    with pytest.raises(StepFailedError, match=r"the true loss is \d+\.\d%, more than the promised 5%"):
        await play(World())
