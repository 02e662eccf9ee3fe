"""Many at once on one store: threads here stand for a monitor's threads and for its replicas."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TypeVar

import pytest

from monitor.evaluation.pairs import Verdict
from monitor.evaluation.store import Store
from tests.support.halves import a_half, by_model, by_person, complete, decisions

AT_ONCE = 6
PAIRS = 30
LEASE_S = 60.0

T = TypeVar("T")


@pytest.fixture
def replicas(url: str) -> Iterator[list[Store]]:
    """Opened at the same time on an empty database."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        opened = list(pool.map(Store.open, [url] * 3))
    yield opened
    for store in opened:
        store.close()


def at_once(work: Callable[[int], T]) -> list[T]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, range(AT_ONCE)))


def drained(take: Callable[[], str | None]) -> list[str]:
    return list(iter(take, None))  # type: ignore[arg-type]


def test_everybody_makes_the_same_tables(replicas: list[Store]) -> None:
    assert [store.progress() for store in replicas] == [[], [], []]


def test_a_half_is_added_once_and_claimed_once(replicas: list[Store]) -> None:
    halves = [a_half(decision) for decision in decisions(1, PAIRS)]
    new = at_once(lambda worker: replicas[worker % 3].add(halves[:: 1 if worker % 2 else -1], 2000.0))
    assert sum(new) == PAIRS

    def claim(worker: int) -> list[str]:
        store = replicas[worker % 3]

        def one() -> str | None:
            half = store.claim_half(f"w{worker}", 2010.0, LEASE_S)
            return None if half is None else half.decision

        return drained(one)

    claimed = [decision for part in at_once(claim) for decision in part]
    assert sorted(claimed) == sorted(half.decision for half in halves)


def test_no_two_people_get_the_same_pair(replicas: list[Store]) -> None:
    once, twice = decisions(1, PAIRS), decisions(2, 5)
    complete(replicas[0], *(a_half(decision) for decision in (*once, *twice)))

    def score(person: int) -> list[str]:
        store, name = replicas[person % 3], f"p{person}"

        def one() -> str | None:
            pair = store.next_for(name, 2010.0, LEASE_S)
            if pair is None:
                return None
            assert store.judge(by_person(pair.facts.decision, Verdict.UPPER, name))
            return pair.facts.decision

        return drained(one)

    by_whom = at_once(score)
    assert all(len(set(part)) == len(part) for part in by_whom), "nobody got a pair twice"
    judged = sorted(decision for part in by_whom for decision in part)
    # At the end a pair may have been in another's hands; its second judge comes later.
    late = [decision for person in range(AT_ONCE) for decision in score(person)]
    assert sorted([*judged, *late]) == sorted([*once, *twice, *twice])


def test_no_two_models_get_the_same_pair(replicas: list[Store]) -> None:
    complete(replicas[0], *(a_half(decision) for decision in decisions(1, PAIRS)))

    def judge(worker: int) -> list[str]:
        store = replicas[worker % 3]

        def one() -> str | None:
            found = store.next_for_model(f"w{worker}", 2010.0, LEASE_S)
            if found is None:
                return None
            store.judge(by_model(found.pair.facts.decision, Verdict.TIE))
            return found.pair.facts.decision

        return drained(one)

    assert sorted(decision for part in at_once(judge) for decision in part) == sorted(decisions(1, PAIRS))


def test_people_who_judge_one_pair_at_once_are_all_counted(replicas: list[Store]) -> None:
    (decision,) = decisions(2, 1)
    complete(replicas[0], a_half(decision))
    assert all(at_once(lambda who: replicas[who % 3].judge(by_person(decision, Verdict.UPPER, f"p{who}"))))
    assert replicas[0].next_for("another", 2010.0, LEASE_S) is None
    assert replicas[0].progress()[0].people_agree.compared == AT_ONCE * (AT_ONCE - 1) // 2


def test_no_money_is_lost(replicas: list[Store]) -> None:
    day = date(2026, 11, 25)
    at_once(lambda worker: [replicas[worker % 3].charge("support", day, 0.25) for _ in range(10)])
    assert replicas[0].spent_usd("support", day) == 0.25 * 10 * AT_ONCE
