import pytest

from loadtest.prompts import PROMPTS, TASKS
from loadtest.scenarios import SCENARIOS, Act, Size, Surface, kill_plan

SIZE = Size(requests=44, concurrency=10, seconds=22.0, seed=7)


@pytest.mark.parametrize("name", SCENARIOS)
def test_keeps_to_its_size_and_repeats_itself_by_seed(name: str) -> None:
    plan = SCENARIOS[name].plan(SIZE)
    assert plan == SCENARIOS[name].plan(SIZE)
    assert len(plan.jobs) == 44
    times = [job.at_s for job in plan.jobs]
    assert (times == sorted(times), times[0] >= 0, times[-1] <= 22.0) == (True, True, True)


def test_sends_at_a_constant_rate_when_steady() -> None:
    assert [job.at_s for job in SCENARIOS["steady"].plan(SIZE).jobs[:3]] == [0.0, 0.5, 1.0]


def test_sends_waves_when_bursting() -> None:
    times = [job.at_s for job in SCENARIOS["burst"].plan(SIZE).jobs]
    assert {at_s: times.count(at_s) for at_s in times} == pytest.approx({0.0: 10, 4.4: 10, 8.8: 10, 13.2: 10, 17.6: 4})


def test_takes_a_vendor_down_for_the_middle_third() -> None:
    plan = SCENARIOS["outage"].plan(SIZE)
    assert plan.acts == ((22 / 3, Act.TAKE_DOWN), (44 / 3, Act.RESTORE))


def test_mixes_all_tasks_on_both_surfaces() -> None:
    jobs = SCENARIOS["mix"].plan(SIZE).jobs
    assert {job.task for job in jobs} == set(TASKS)
    assert {(job.surface, job.streamed) for job in jobs} == {(one, two) for one in Surface for two in (True, False)}
    assert all(job.prompt in PROMPTS[job.task] for job in jobs)


def test_kills_under_streams_and_whole_replies_that_start_at_once() -> None:
    jobs = kill_plan(5, 20, 1).jobs
    assert (sum(job.streamed for job in jobs), len(jobs), {job.at_s for job in jobs}) == (5, 25, {0.0})


def test_has_prompts_for_the_eleven_tasks() -> None:
    assert len(TASKS) == 11
