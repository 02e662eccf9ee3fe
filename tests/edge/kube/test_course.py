"""When a reflector lists and watches, and how long it pauses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.kube.course import (
    BRISK_S,
    CAP_S,
    FIRST_S,
    HEALTHY_S,
    RETRY_AFTER_CAP_S,
    Backoff,
    Course,
    Pause,
    why,
)
from gateway.edge.kube.ports import KubeError, KubeSilent

DRAWS = st.floats(0.0, 1.0, exclude_max=True)


def test_doubles_from_the_first_wait_to_the_cap() -> None:
    backoff = Backoff(lambda: 0.0)
    now_s, waits = 0.0, []
    for _ in range(8):
        wait_s = backoff.wait_s(now_s)
        waits.append(wait_s)
        now_s += wait_s
    assert waits == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@given(st.lists(st.tuples(DRAWS, st.floats(0.0, HEALTHY_S)), min_size=1, max_size=40))
def test_draws_each_wait_between_once_and_twice_the_step_while_failures_go_on(
    course: list[tuple[float, float]],
) -> None:
    draws = [draw for draw, _ in course]
    backoff = Backoff(iter(draws).__next__)
    now_s, step_s = 0.0, FIRST_S
    for draw, healthy_s in course:
        wait_s = backoff.wait_s(now_s)
        assert wait_s == step_s * (1 + draw)
        now_s += wait_s + healthy_s * 0.999
        step_s = min(step_s * 2, CAP_S)


def test_begins_anew_after_two_minutes_without_failure() -> None:
    backoff = Backoff(lambda: 0.0)
    first = [backoff.wait_s(0.0), backoff.wait_s(1.0)]
    later = backoff.wait_s(1.0 + first[1] + HEALTHY_S + 0.1)
    assert [*first, later] == [0.8, 1.6, 0.8]


@given(DRAWS, st.floats(0.001, 1e9))
def test_comes_back_no_earlier_than_the_api_says_within_reason(draw: float, retry_after_s: float) -> None:
    wait_s = Backoff(lambda: draw).wait_s(0.0, retry_after_s)
    asked_s = min(retry_after_s, RETRY_AFTER_CAP_S)
    assert asked_s <= wait_s <= max(asked_s + FIRST_S, 2 * FIRST_S)


def test_lists_from_the_cache_first_and_from_the_store_ever_after() -> None:
    course = Course({"fieldSelector": "metadata.name=x"}, lambda: 0.0)
    queries = [course.list_query()]
    course.failed(KubeError(500, "no"), 0.0)
    queries.append(course.list_query())
    course.listed("7")
    queries.append(course.list_query())
    selector = {"fieldSelector": "metadata.name=x"}
    assert queries == [
        {**selector, "resourceVersion": "0"},
        {**selector, "resourceVersion": "0"},
        {**selector, "resourceVersion": ""},
    ]


@given(DRAWS)
def test_asks_for_a_watch_of_five_to_ten_minutes_with_bookmarks(draw: float) -> None:
    query = dict(Course({"labelSelector": "a=b"}, lambda: draw).watch_query("7"))
    assert 300 <= int(query.pop("timeoutSeconds")) < 600
    assert query == {"labelSelector": "a=b", "resourceVersion": "7", "allowWatchBookmarks": "true"}


def test_takes_a_watch_up_where_it_ended_in_order() -> None:
    course = Course({}, lambda: 0.5)
    course.listed("7")
    course.moved("9")
    assert (course.ended(BRISK_S, 100.0), course.version) == (Pause(0.5, "end"), "9")


def test_lists_again_after_a_watch_that_ended_at_once() -> None:
    course = Course({}, lambda: 0.0)
    course.listed("7")
    assert (course.ended(BRISK_S - 0.1, 100.0), course.version) == (Pause(FIRST_S, "short"), None)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (KubeError(None, "reset"), "network"),
        (KubeSilent(None, "nothing"), "silent"),
        (KubeError(410, "gone"), "expired"),
        (KubeError(401, "who"), "denied"),
        (KubeError(403, "no"), "denied"),
        (KubeError(429, "slow"), "throttled"),
        (KubeError(500, "oh"), "error"),
    ],
)
def test_lists_again_after_any_failure_and_names_its_kind(error: KubeError, word: str) -> None:
    course = Course({}, lambda: 0.0)
    course.listed("7")
    assert (why(error), course.failed(error, 0.0), course.version) == (word, Pause(FIRST_S, word), None)


def test_says_the_status_where_there_is_one() -> None:
    assert [str(KubeError(410, "gone")), str(KubeError(None, "reset"))] == ["gone (status 410)", "reset"]
