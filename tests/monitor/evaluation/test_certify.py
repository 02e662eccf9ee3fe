"""The whole procedure on logs that are drawn: promises kept, alarms in time, and what each certificate speaks of."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from gateway.core.certificate import Certificate, Grounds
from gateway.core.guarantee import LEAST_PAIRS
from gateway.core.policy import Evaluate
from monitor.evaluation.certify import (
    FIRST_OF_TASK,
    VALID_S,
    Series,
    State,
    StateError,
    certified,
    decode_state,
    encode_state,
)
from monitor.evaluation.pairs import Judged
from tests.support.certifying import (
    BEGIN_S,
    DELTA,
    EVERY_S,
    MODEL,
    ROUTE,
    a_log,
    always,
    day_by_day,
    judged,
    needed,
    terms,
    usual_loss,
)

LOGS = 1_000
ALPHA = 0.05
FIRST = 118  # pairs of the first look at these terms
none_needed, seldom_needed, always_needed = always(0.0), always(0.02), always(0.6)
DAY_S = 86_400.0


def in_force(state: State, now_s: float = BEGIN_S) -> dict[str | None, Certificate]:
    return {one.task: one for one in state.in_force([ROUTE], now_s)}


def series(state: State, task: str | None) -> Series:
    [found] = [one for one in state.current() if one.task == task]
    return found


def last(pairs: Sequence[Judged], sizes: Sequence[int], state: State | None = None) -> State:
    *_, found = day_by_day(pairs, sizes, state)
    return found


def merged(*logs: Sequence[Judged]) -> list[Judged]:
    return sorted((one for log in logs for one in log), key=lambda one: (one.facts.time_s, one.facts.decision))


def plug_in(pairs: Sequence[Judged]) -> float:
    """The loosest threshold whose measured loss is within alpha."""
    best = loss = 0.0
    for one in sorted(pairs, key=lambda pair: pair.facts.score):
        loss += one.gain / len(pairs)
        if loss <= ALPHA:
            best = one.facts.score
    return best


# -- the promise ----------------------------------------------------------------------------------------------------


def test_with_looks_again_and_again_the_promise_is_broken_in_no_more_than_its_share_of_logs() -> None:
    """And far oftener by the threshold that one would take without a test."""
    broken = plain = 0
    shares = 0.0
    for seed in range(LOGS):
        pairs = a_log(seed, 300)
        found = [in_force(state) for state in day_by_day(pairs, (FIRST, 2 * FIRST, FIRST_OF_TASK))]
        broken += any(usual_loss(one.threshold) > ALPHA for each in found for one in each.values())
        shares += sum(one.share for one in found[-1].values())
        plain += usual_loss(plug_in(pairs)) > ALPHA
    assert broken <= DELTA * LOGS
    assert plain > 3 * DELTA * LOGS
    assert shares / LOGS > 0.5, "and it is worth something"


def test_a_route_of_several_tasks_keeps_the_promise_as_a_whole_too() -> None:
    """However tasks have left the rest, by what was measured of them."""
    steepness = {"a": 0.30, "b": 0.45, "c": 0.65, "d": 0.50}

    def lost(one: Certificate) -> float:
        """Of its own requests, by their part of the route's."""
        tasks = [one.task] if one.task is not None else sorted(steepness.keys() - one.without)
        return sum(usual_loss(one.threshold, steepness[task]) for task in tasks) / len(steepness)

    logs, broken = 60, 0
    for seed in range(logs):
        pairs = merged(*(a_log(seed, 400, needed(steep), task) for task, steep in steepness.items()))
        states = [in_force(state).values() for state in day_by_day(pairs, (150, 400, 800, 1_250, 1_600))]
        broken += any(sum(map(lost, found)) > ALPHA for found in states)
    assert broken <= DELTA * logs


def test_of_fewer_than_a_hundred_pairs_nothing_is_certified_however_good_they_are() -> None:
    """Nor where a look could not pass: it would spend its part of delta for nothing."""
    easy, usual = {ROUTE: terms(alpha=0.3)}, {ROUTE: terms()}
    for of, first in ((easy, LEAST_PAIRS), (usual, FIRST)):
        *before, after = day_by_day(a_log(1, first, none_needed), range(20, first + 1), of=of)
        assert not any(in_force(state) for state in before)
        assert all(series(state, None).looks == 0 for state in before)
        assert series(after, None).looks == 1
        assert in_force(after)


def test_looks_are_taken_at_twice_as_many_pairs_each_time() -> None:
    tasks = [a_log(2, 900, always_needed, task)[place::4] for place, task in enumerate("abcd")]
    pairs = merged(*tasks)  # none has enough for a look of its own
    looks = [series(state, None).looks for state in day_by_day(pairs, (117, 118, 235, 236, 471, 472, 800))]
    assert looks == [0, 1, 1, 2, 2, 3, 3]
    assert series(last(pairs, (150, 290, 300, 310)), None).due == 600, "of what there was, not of a round number"


def test_the_newest_look_decides() -> None:
    good, bad = a_log(3, FIRST, none_needed), a_log(3, FIRST, always_needed, first=FIRST)
    pairs = [*good, *bad]
    before, after = day_by_day(pairs, (FIRST, FIRST + 1)), last(pairs, (FIRST, 2 * FIRST))
    assert all(in_force(state) for state in before)
    assert not in_force(after)


def test_pairs_that_were_drawn_less_often_count_for_more() -> None:
    """Hard prompts were drawn at half the rate for a while: as they stand, they look rarer than they are."""
    often, seldom = (a_log(4, 1_000, probability=each) for each in (0.1, 0.05))
    pairs = [
        (many, few)[many.facts.score > 0.5]
        for number, (many, few) in enumerate(zip(often, seldom, strict=True))
        if many.facts.score <= 0.5 or number % 2
    ]
    found = in_force(last(pairs, (len(pairs),)))["email"]
    assert found.share == pytest.approx(found.threshold, abs=0.04), "of all requests, not of pairs"
    plain = in_force(last([replace(one, facts=replace(one.facts, probability=0.1)) for one in pairs], (len(pairs),)))
    assert plain["email"].share > found.share + 0.02


# -- of whom each certificate speaks --------------------------------------------------------------------------------


def test_a_task_has_its_own_only_with_enough_pairs_and_then_the_rest_speaks_of_the_others() -> None:
    pairs = merged(a_log(5, 300, none_needed), a_log(5, 300, none_needed, "chat"), a_log(5, 200, none_needed, "x"))
    early = last(pairs, (200, 400))
    assert in_force(early).keys() == {None}
    assert in_force(early)[None].without == ()
    late = in_force(last(pairs, (200, 400, len(pairs))))
    assert late.keys() == {"chat", "email", None}
    assert late[None].without == ("chat", "email")
    assert (late["email"].judged, late[None].judged) == (FIRST_OF_TASK, 200)


def test_the_rest_is_looked_at_anew_as_soon_as_a_task_leaves_it_and_pays_for_the_look() -> None:
    """What one good task carried along is no longer certified without it."""
    good, bad = a_log(6, 300, none_needed), a_log(6, 160, always_needed, "x", first=200)
    pairs = merged(bad, good)
    before, after = day_by_day(pairs, (200, len(pairs)))
    assert in_force(before).keys() == {None}
    assert in_force(after).keys() == {"email"}
    assert (series(after, None).looks, series(after, None).due) == (2, 320)


def test_a_task_stays_with_the_rest_while_that_lets_more_of_it_go_lower() -> None:
    """Few pairs alone certify less than many together."""
    others = [a_log(20, 290, none_needed, task) for task in "abc"]
    pairs = merged(a_log(20, 290), *others)
    together = last(pairs, (600, 1_160))
    wide = in_force(together)[None].share
    more = [*pairs, *a_log(20, 20, first=290)]
    after = last(more, (1_180,), together)
    assert in_force(after).keys() == {None}
    assert series(after, "email").looks == 1
    alone = in_force(last([*a_log(20, 290), *more[-20:]], (310,)))["email"].share
    assert 0 < alone < wide


def test_every_request_is_spoken_of_by_one_certificate_at_most() -> None:
    pairs = merged(a_log(7, 320, none_needed), a_log(7, 150, none_needed, "x"))
    grounds = Grounds(in_force(last(pairs, (len(pairs),))).values(), MODEL)
    found = {task: grounds.of(ROUTE, task, 1, pairs[-1].judged_s + 60) for task in ("email", "x", "never seen")}
    assert {task: one and one.task for task, one in found.items()} == {"email": "email", "x": None, "never seen": None}


# -- the alarm ------------------------------------------------------------------------------------------------------


def test_drift_of_one_task_withdraws_its_certificate_and_leaves_the_others() -> None:
    drifting = [*a_log(8, 400, seldom_needed), *a_log(8, 400, always_needed, first=400)]
    pairs = merged(drifting, a_log(8, 800, seldom_needed, "chat"), a_log(8, 800, seldom_needed, "x"))
    calm = last(pairs, range(300, 1_201, 60))
    assert in_force(calm).keys() == {"chat", "email", "x"}
    states = list(day_by_day(pairs, range(1_201, 1_500, 10), calm))
    assert in_force(states[-1]).keys() == {"chat", "x"}
    [alarm] = states[-1].alarms
    assert (alarm.certificate.task, series(states[-1], "email").alarms) == ("email", 1)
    assert alarm.loss > ALPHA
    assert not Grounds(in_force(states[-1]).values(), MODEL).of(ROUTE, "email", 1, alarm.time_s), "not by the rest's"


def test_the_alarm_comes_soon_and_seldom_for_nothing() -> None:
    """A loss that has trebled is found after some 130 pairs (80 where none is below 0), one within it hardly ever."""
    found, wrong = [], 0
    for seed in range(40):
        calm = last(a_log(seed, 300, none_needed), (300,))
        threshold = in_force(calm)["email"].threshold
        after = a_log(seed, 400, always(3 * ALPHA / threshold + 0.03), first=300)
        states = day_by_day(after, range(10, 401, 10), calm)
        found.append(next((state.alarms[0].watched for state in states if state.alarms), 400))
        held = a_log(seed, 400, always(ALPHA), first=300)
        wrong += bool(last(held, (400,), calm).alarms)
    assert 70 <= sorted(found)[20] <= 200
    assert wrong <= DELTA * 40


def test_after_an_alarm_only_later_pairs_count() -> None:
    calm = last(a_log(9, 300, none_needed), (300,))
    pairs = [*a_log(9, 300, none_needed), *a_log(9, 150, always_needed, first=300)]
    alarmed = certified(pairs, {ROUTE: terms()}, calm, pairs[-1].judged_s)
    left = series(alarmed, "email")
    assert (left.looks, left.due, left.judged) == (0, FIRST_OF_TASK, 150 - alarmed.alarms[0].watched)
    assert in_force(alarmed) == {}
    more = [*pairs, *a_log(9, 400, none_needed, first=450)]
    again = last(more, (740,), alarmed)
    assert again.alarms == alarmed.alarms, "told once"
    assert (series(again, "email").looks, series(again, "email").judged) == (1, 440 - alarmed.alarms[0].watched)


# -- time and terms -------------------------------------------------------------------------------------------------


def test_runs_out_thirty_days_after_the_last_look_and_then_begins_anew() -> None:
    pairs = a_log(10, 150, none_needed)
    state = last(pairs, (150,))
    [one] = in_force(state).values()
    assert one.until_s == one.since_s + VALID_S
    assert in_force(state, one.until_s - 1)
    assert not in_force(state, one.until_s)
    after = certified(pairs, {ROUTE: terms()}, state, one.until_s)
    assert (series(after, None).certificate, series(after, None).looks, series(after, None).judged) == (None, 0, 0)


def test_lasts_as_long_as_it_is_watched() -> None:
    pairs = a_log(11, 190, none_needed)
    first, some, more = (in_force(state)[None] for state in day_by_day(pairs, (150, 169, 189)))
    assert some == first
    assert more == replace(first, until_s=pairs[169].judged_s + VALID_S)
    assert more.id == first.id


@pytest.mark.parametrize("changed", [terms(alpha=0.04), terms(delta=0.05)])
def test_other_terms_withdraw(changed: Evaluate) -> None:
    pairs = a_log(12, 50, always_needed)
    good = last(a_log(12, 150, none_needed), (150,))
    assert in_force(good)
    after = certified(pairs, {ROUTE: changed}, good, BEGIN_S)
    assert in_force(after) == {}
    assert series(after, None).looks == 0


def test_another_model_withdraws_and_the_first_ones_looks_stay_spent() -> None:
    pairs = a_log(13, 200, none_needed)
    state = last(pairs, (150,))
    other = [*pairs[:150], *(replace(one, facts=replace(one.facts, model="model-b")) for one in pairs[150:])]
    after = last(other, (200,), state)
    assert in_force(after) == {}
    assert series(after, None).judged == 50
    assert [one.looks for one in after.series if one.model == MODEL and one.task is None] == [1]


def test_a_route_that_is_no_longer_evaluated_has_nothing_in_force() -> None:
    pairs = a_log(14, 150, none_needed)
    state = last(pairs, (150,))
    after = certified(pairs, {}, state, BEGIN_S)
    assert in_force(after) == {}
    assert [one.looks for one in after.series if one.task is None] == [1]
    again = certified(pairs, {ROUTE: terms()}, after, BEGIN_S)
    assert in_force(again) == {}, "not by a look that was taken already"


def test_only_the_routes_asked_for_are_in_force() -> None:
    state = last(a_log(15, 150, none_needed), (150,))
    assert state.in_force((), BEGIN_S) == ()


# -- what is kept ---------------------------------------------------------------------------------------------------


def test_comes_back_from_its_json_and_goes_on_as_if_nothing_had_been() -> None:
    pairs = [*a_log(16, 300, none_needed), *a_log(16, 150, always_needed, first=300)]
    straight = resumed = State()
    for size in range(50, 451, 50):
        [straight] = day_by_day(pairs, (size,), straight)
        [resumed] = day_by_day(pairs, (size,), decode_state(encode_state(resumed)))
    assert resumed == straight
    assert straight.alarms


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{", "is no state of certificates: Input data was truncated"),
        (b'{"version": 9}', "is of version 9; this program reads 1"),
    ],
)
def test_garbage_is_refused_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(StateError) as caught:
        decode_state(data)
    assert str(caught.value) == problem


def test_a_certificate_is_named_by_what_it_says() -> None:
    pairs = a_log(17, 150, none_needed)
    one, same = (in_force(last(pairs, (150,)))[None] for _ in range(2))
    later = in_force(certified(pairs, {ROUTE: terms()}, State(), BEGIN_S + DAY_S))[None]
    assert one.id == same.id
    assert len({one.id, later.id}) == 2


def test_a_confidence_next_to_certainty_stops_no_other_routes_certificates() -> None:
    pairs = a_log(21, 150, none_needed)
    other = [replace(one, facts=replace(one.facts, route="sure")) for one in pairs]
    of = {ROUTE: terms(), "sure": terms(delta=1e-13)}
    assert in_force(certified([*pairs, *other], of, State(), BEGIN_S + DAY_S)).keys() == {None}


def test_a_threshold_below_which_nothing_lies_is_none() -> None:
    pairs = [judged(number, 0.5, 0.0 if number % 9 else 1.0) for number in range(150)]
    state = last(pairs, (150,))
    assert series(state, None).looks == 1
    assert in_force(state) == {}


def test_a_task_keeps_to_its_own_side_even_without_pairs() -> None:
    state = last(a_log(18, 300, none_needed), (300,))
    others = a_log(18, 150, none_needed, "x", first=400)
    after = certified(others, {ROUTE: terms()}, state, BEGIN_S + 600 * EVERY_S)
    assert in_force(after)[None].without == ("email",)


@pytest.mark.parametrize("broken", [{"probability": 0.0}, {"probability": -1.0}, {"score": 1e308}, {"time_s": 1e300}])
def test_pairs_that_no_gateway_can_have_meant_are_passed_over(broken: dict[str, float]) -> None:
    pairs = a_log(19, 150, none_needed)
    strange = replace(pairs[0], facts=replace(pairs[0].facts, **broken))
    of, now_s = {ROUTE: terms()}, BEGIN_S + DAY_S
    assert certified([*pairs, strange], of, State(), now_s) == certified(pairs, of, State(), now_s)
