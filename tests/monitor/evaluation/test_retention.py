"""How long texts and rows stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.evaluation.pairs import Verdict
from monitor.evaluation.store import Store
from tests.support.halves import a_half, by_person, complete, decisions, second

TEXTS = ("request", "answer", "prompt", "first", "second")
ONCE = decisions(1, 6)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def kept(store: Store) -> dict[str, list[str]]:
    """Which texts are there of which pair."""
    rows: list[dict[str, Any]] = [row for row in store.export() if row["kind"] == "pair"]
    return {row["decision"]: [name for name in TEXTS if row[name] is not None] for row in rows}


def test_only_what_people_read_stays_of_a_complete_pair(store: Store) -> None:
    store.add([a_half(decision) for decision in ONCE[:4]], 2000.0)
    store.complete(ONCE[1], "P", "F", second(), 2001.0)
    store.complete(ONCE[2], "P", "F", None, 2001.0)
    store.give_up(ONCE[3], "why", 2001.0)
    assert kept(store) == {
        ONCE[0]: ["request", "answer"],
        ONCE[1]: ["prompt", "first", "second"],
        ONCE[2]: ["prompt", "first"],
        ONCE[3]: [],
    }


def test_texts_go_after_their_time_and_what_was_judged_stays(store: Store) -> None:
    complete(store, *(a_half(decision, keep_s=60.0) for decision in ONCE[:2]), a_half(ONCE[2], keep_s=61.0))
    store.add([a_half(ONCE[3], keep_s=60.0), a_half(ONCE[4], keep_s=60.0)], 1001.0)
    store.give_up(ONCE[4], "why", 1002.0)
    store.judge(by_person(ONCE[0], Verdict.UPPER))
    before = store.judged()
    assert store.expire(1059.0) == 0
    assert store.expire(1060.0) == 3
    assert kept(store) == {ONCE[0]: [], ONCE[2]: ["prompt", "first", "second"]}
    assert store.judged() == before
    assert store.claim_half("w", 1060.0, 1.0) is None
    assert store.expire(1060.0) == 0


def test_texts_that_are_barred_go_at_once_and_what_was_judged_stays(store: Store) -> None:
    pii, plain = ("pii", "eu"), ()
    complete(store, a_half(ONCE[0], labels=pii), a_half(ONCE[1], labels=pii), a_half(ONCE[2], labels=plain))
    complete(store, a_half(ONCE[3], labels=None))
    store.add([a_half(ONCE[4], labels=pii, route="other")], 1001.0)
    store.judge(by_person(ONCE[0], Verdict.UPPER))
    assert store.expire(1002.0, lambda terms: terms.route == "support" and "pii" in (terms.labels or ())) == 2
    whole = ["prompt", "first", "second"]
    assert kept(store) == {ONCE[0]: [], ONCE[2]: whole, ONCE[3]: whole, ONCE[4]: ["request", "answer"]}
    assert [one.facts.decision for one in store.judged()] == [ONCE[0]]
    assert store.expire(1002.0, lambda terms: terms.labels is None) == 1
    assert store.expire(1002.0, lambda _: True) == 2


def test_takes_the_judgement_of_who_had_the_pair_before_its_texts_went(store: Store) -> None:
    complete(store, a_half(ONCE[0], keep_s=60.0))
    store.judge(by_person(ONCE[0], Verdict.UPPER))
    store.expire(1060.0)
    assert store.judge(by_person(ONCE[0], Verdict.TIE, "bob"))
    assert [one.gain for one in store.judged()] == [0.5]


def test_purges_everything_of_pairs_before_a_time(store: Store) -> None:
    complete(store, a_half(ONCE[0]), a_half(ONCE[1], 1001.0), a_half(ONCE[2], route="other"))
    for decision in ONCE[:3]:
        store.judge(by_person(decision, Verdict.UPPER))
    assert store.purge(1001.0, "support") == 1
    assert [one.facts.decision for one in store.judged()] == [ONCE[2], ONCE[1]]
    assert store.purge(1001.0) == 1
    assert list(kept(store)) == [ONCE[1]]
    assert not store.judge(by_person(ONCE[0], Verdict.UPPER))
    assert store.add([a_half(ONCE[0])], 2000.0) == 1, "nothing remembers it"
