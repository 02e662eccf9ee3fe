"""The store as rows of JSON: a round trip between both databases, and lines that are none."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.core.policy import NOTHING_REQUIRED
from monitor.evaluation.pairs import Verdict
from monitor.evaluation.store import RowError, Store
from tests.support.halves import a_half, by_model, by_person, complete, decisions, second
from tests.support.postgres import Postgres

DAY = date(2026, 11, 25)
HEAD = {"kind": "evaluations", "version": 1}
ONCE = decisions(1, 6)
(TWICE,) = decisions(2, 1)


def filled(store: Store) -> Store:
    """With something of everything."""
    complete(
        store, a_half(TWICE, 1000.0), a_half(ONCE[0], 1001.0, lower=True, certificate="c"), a_half(ONCE[1], 1002.0)
    )
    store.judge(by_person(TWICE, Verdict.UPPER))
    store.judge(by_model(TWICE, Verdict.SKIP))
    store.judge(by_person(ONCE[0], Verdict.SKIP))
    store.add([a_half(decision, 1003.0 + place) for place, decision in enumerate(ONCE[2:6])], 2000.0)
    store.complete(ONCE[2], "P", "F", None, 2001.0)
    store.give_up(ONCE[3], "nobody answered", 2001.0)
    store.add([a_half("expired", 1.0, keep_s=1.0)], 2000.0)
    store.complete("expired", "P", "F", second(), 2001.0)
    store.judge(by_model("expired", Verdict.LOWER))
    store.expire(900.0)
    store.charge("support", DAY, 1.25)
    store.save("watch", b"\0\xff")
    store.save("scoring secret", b"of this store alone")
    return store


def through_text(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(json.dumps(row)) for row in rows]


def work(store: Store) -> list[Any]:
    """What is left to do."""
    half = store.claim_half("w", 3000.0, 1.0)
    people = [store.next_for(name, 3000.0, 60.0) for name in ("ann", "bob", "cyd")]
    models = [store.next_for_model("w", 3000.0, 60.0) for _ in range(3)]
    return [half, people, models]


@pytest.fixture
def source(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield filled(opened)
    opened.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(str(tmp_path / "target.sqlite"))
    yield opened
    opened.close()


def moved(source: Store, target: Store) -> None:
    rows = through_text(source.export())
    assert target.import_(rows) == 8
    assert through_text(target.export()) == rows
    assert target.judged() == source.judged()
    assert target.progress() == source.progress()
    assert (target.spent_usd("support", DAY), target.load("watch")) == (1.25, b"\0\xff")
    assert target.load("scoring secret") is None
    assert work(target) == work(source)
    assert target.import_(rows) == 0, "what is there stays"
    assert target.spent_usd("support", DAY) == 1.25


def test_everything_moves_to_another_database(source: Store, target: Store) -> None:
    moved(source, target)


def test_everything_moves_from_sqlite_to_postgresql(target: Store, postgres: Postgres) -> None:
    opened = Store.open(postgres.url())
    moved(filled(target), opened)
    opened.close()


def test_what_is_there_already_stays_as_it_is(source: Store) -> None:
    rows = through_text(source.export())
    source.judge(by_person(ONCE[1], Verdict.UPPER))
    source.save("watch", b"later")
    assert source.import_(rows) == 0
    assert (len(source.judged()), source.load("watch")) == (4, b"later")


def test_an_empty_store_exports_its_head_alone(target: Store) -> None:
    assert list(target.export()) == [HEAD]


WAITING = {
    "kind": "pair", "decision": "01", "time_s": 1.0, "route": "r", "task": "t", "step": 0, "score": 0.5, "model": "m",
    "probability": 0.1, "certificate": None, "lower": False, "surface": "s", "endpoint": "e", "cost_usd": None,
    "others": ["o"], "judges": [], "budget_usd_per_day": 5, "keep_s": 1.0, "added_s": 1.0, "state": "waiting",
    "state_s": 1.0, "why": None, "second_endpoint": None, "second_cost_usd": None, "wanted": 1, "judgements": [],
    "request": {}, "answer": "a",
}  # fmt: skip
COMPLETE = WAITING | {"state": "complete", "second_endpoint": "o"}
SAID = {"scorer": "ann", "by": "people", "verdict": "tie", "time_s": 1.0}


def without(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (without(WAITING, "route"), "route: is missing"),
        (WAITING | {"colour": 1}, "colour: is no field here; leave it out"),
        (WAITING | {"score": "high"}, "score: must be a number, and is a text"),
        (WAITING | {"step": -1}, "step: must be a whole number of at least 0"),
        (WAITING | {"cost_usd": "1"}, "cost_usd: must be a number or null, and is a text"),
        (WAITING | {"others": "o"}, "others: must be a list, and is a text"),
        (WAITING | {"state": "done"}, "state: must be one of waiting, complete, given_up"),
        (WAITING | {"judgements": [SAID]}, "judgements: must be empty, since the pair is not complete"),
        (COMPLETE | {"judgements": [SAID | {"verdict": "good"}]},
         "judgements[0].verdict: must be one of lower, upper, tie, both_bad, skip"),
        (COMPLETE | {"judgements": [without(SAID, "by")]}, "judgements[0].by: is missing"),
        (COMPLETE | {"second_endpoint": None},
         'second_endpoint: must be a text: the pair is complete, and no judgement is by "same"'),
        (COMPLETE | {"prompt": "p"}, "prompt, first, second: must be there all three, or none"),
        ({"kind": "spending", "route": "r", "day": "today", "usd": 1}, "day: must be a day, like 2026-11-25"),
        ({"kind": "state", "key": "k", "value": "?"}, "value: must be bytes in base64"),
        ({"kind": "pears"}, "kind: must be one of evaluations, pair, spending, state"),
        ({}, "kind: is missing"),
        ([], "the line: must be an object, and is a list"),
        (HEAD, 'kind: "evaluations" stands in the first line alone'),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_named_and_nothing_is_imported(target: Store, row: Any, told: str) -> None:
    with pytest.raises(RowError) as refused:
        target.import_([HEAD, WAITING | {"decision": "00"}, row])
    assert str(refused.value) == f"line 3: {told}"
    assert list(target.export()) == [HEAD]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], 'there is no line, and an export begins with {"kind":"evaluations","version":1}'),
        ([WAITING], 'line 1: kind: must be "evaluations": an export begins with {"kind":"evaluations","version":1}'),
        ([HEAD | {"version": 2}], "line 1: version: must be 1: this Pointsman reads no other"),
    ],
)
def test_reads_no_other_exports(target: Store, rows: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(RowError) as refused:
        target.import_(rows)
    assert str(refused.value) == told


def test_of_a_pair_whose_labels_no_line_names_nobody_knows_them(target: Store) -> None:
    assert target.import_([HEAD, WAITING]) == 1
    half = target.claim_half("w", 1.0, 1.0)
    assert half is not None
    assert (half.labels, half.require) == (None, NOTHING_REQUIRED)


def test_takes_pairs_whose_texts_are_gone(target: Store) -> None:
    rows = [HEAD, without(without(COMPLETE, "request"), "answer") | {"judgements": [SAID]}]
    assert target.import_(rows) == 1
    assert [one.gain for one in target.judged()] == [0.0]
    assert target.next_for("bob", 2.0, 1.0) is None
