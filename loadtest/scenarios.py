"""The scenarios, as plans: which request goes out when, and what is done to the vendors meanwhile.

Pure: a plan follows from the sizes and the seed alone. `driver` carries it out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from loadtest.prompts import LONG_ANSWER, TASKS, draw


class Surface(StrEnum):
    CHAT = "chat"
    MESSAGES = "messages"


class Act(StrEnum):
    """What is done to the busiest vendor."""

    TAKE_DOWN = "take_down"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Job:
    """One request to send, `at_s` after the start."""

    at_s: float
    task: str
    prompt: str
    streamed: bool = False
    surface: Surface = Surface.CHAT


@dataclass(frozen=True, slots=True)
class Size:
    """How much load: never more requests, never longer, never more at once."""

    requests: int = 200
    concurrency: int = 50
    seconds: float = 10.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    jobs: tuple[Job, ...]
    acts: tuple[tuple[float, Act], ...] = ()
    expected_errors: frozenset[str] = frozenset()  # outcomes that belong to the scenario


@dataclass(frozen=True, slots=True)
class Scenario:
    description: str
    plan: Callable[[Size], Plan]


def _steady(size: Size) -> Plan:
    dice = Random(size.seed)
    return Plan(tuple(_plain(place * size.seconds / size.requests, dice) for place in range(size.requests)))


def _burst(size: Size) -> Plan:
    """Waves of `concurrency` requests at one moment, spread over the time."""
    dice = Random(size.seed)
    waves = -(-size.requests // size.concurrency)
    return Plan(tuple(_plain(place // size.concurrency * size.seconds / waves, dice) for place in range(size.requests)))


def _streams(size: Size) -> Plan:
    job = Job(0.0, "chat", LONG_ANSWER, streamed=True)
    return Plan((job,) * size.requests)


def _outage(size: Size) -> Plan:
    """Half of it streamed; the busiest vendor is gone for the middle third."""
    dice = Random(size.seed)
    jobs = tuple(
        _any(place * size.seconds / size.requests, "chat" if place % 3 else dice.choice(TASKS), dice, Surface.CHAT)
        for place in range(size.requests)
    )
    acts = ((size.seconds / 3, Act.TAKE_DOWN), (size.seconds * 2 / 3, Act.RESTORE))
    return Plan(jobs, acts, frozenset({"in_stream_error"}))


def _mix(size: Size) -> Plan:
    """Random arrivals of all tasks on both surfaces, half of them streamed."""
    dice = Random(size.seed)
    times = sorted(dice.uniform(0, size.seconds) for _ in range(size.requests))
    return Plan(
        tuple(
            _any(at_s, TASKS[place % len(TASKS)], dice, dice.choice(tuple(Surface))) for place, at_s in enumerate(times)
        )
    )


def _plain(at_s: float, dice: Random) -> Job:
    task = dice.choice(TASKS)
    return Job(at_s, task, draw(task, dice))


def _any(at_s: float, task: str, dice: Random, surface: Surface) -> Job:
    return Job(at_s, task, draw(task, dice), dice.random() < 0.5, surface)


SCENARIOS: dict[str, Scenario] = {
    "steady": Scenario("whole replies at a constant rate", _steady),
    "burst": Scenario("waves of requests at one moment", _burst),
    "streams": Scenario("long streams in parallel", _streams),
    "outage": Scenario("the busiest vendor refuses connections for the middle third", _outage),
    "mix": Scenario("all eleven tasks, both surfaces, half of it streamed", _mix),
}


def kill_plan(streams: int, plain: int, seed: int) -> Plan:
    """Everything at once: long streams and whole replies, all of the smallest tier so that one vendor serves them."""
    dice = Random(seed)
    long_jobs = (Job(0.0, "chat", LONG_ANSWER, streamed=True),) * streams
    short_jobs = tuple(Job(0.0, "chat", draw("chat", dice)) for _ in range(plain))
    return Plan(long_jobs + short_jobs, expected_errors=frozenset({"in_stream_error"}))
