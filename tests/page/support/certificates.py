"""Judged pairs of a route as they may lie in a monitor's store: one task is certified, the certificate of the others
was withdrawn."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from monitor.evaluation.certify import State, certified, encode_state
from monitor.evaluation.keeper import STATE_KEY
from monitor.evaluation.pairs import Answer, By, Judged, Judgement, Verdict
from monitor.evaluation.store import Store
from tests.support.certifying import a_log, terms
from tests.support.scored import half_of

ROUTE = "default"
EVALUATE = {"share": 0.1, "against": "large", "max_loss": 0.05, "confidence": 0.9}
VERDICTS = {-1.0: Verdict.LOWER, 0.0: Verdict.TIE, 1.0: Verdict.UPPER}
CALM = 450  # pairs before the others' answers are no longer as good


def seed(database: Path) -> None:
    """A store in which all of that has happened already."""
    store = Store.open(f"sqlite:///{database}")
    pairs = _pairs()
    add_pair(store, pairs[0])
    head, row = store.export()
    store.import_([head, *(like(row, one) for one in pairs[1:])])
    state = State()
    for size in (CALM, len(pairs)):
        state = certified(pairs[:size], {ROUTE: terms()}, state, pairs[size - 1].judged_s)
    store.save(STATE_KEY, encode_state(state))
    store.close()


def _pairs() -> list[Judged]:
    logs = [
        a_log(1, 300, lambda _: 0.0),
        a_log(1, CALM - 300, lambda _: 0.0, "chat", first=300),
        a_log(1, 60, lambda _: 1.0, "chat", first=CALM),
    ]
    found = [one for log in logs for one in log]
    later_s = time.time() - found[-1].judged_s - 60  # certificates of long ago have run out
    return [_placed(one, number, later_s) for number, one in enumerate(found)]


def _placed(one: Judged, number: int, later_s: float) -> Judged:
    facts = one.facts
    moved = replace(facts, decision=f"{number:016x}", route=ROUTE, model="rules", time_s=facts.time_s + later_s)
    return replace(one, facts=moved, judged_s=one.judged_s + later_s)


def like(row: Mapping[str, Any], one: Judged) -> dict[str, Any]:
    facts = one.facts
    [said] = row["judgements"]
    return {
        **row, "decision": facts.decision, "time_s": facts.time_s, "task": facts.task, "score": facts.score,
        "judgements": [{**said, "verdict": VERDICTS[one.gain].value, "time_s": one.judged_s}],
    }  # fmt: skip


def add_pair(store: Store, one: Judged) -> None:
    facts = one.facts
    half = replace(
        half_of(0), decision=facts.decision, time_s=facts.time_s, route=facts.route, task=facts.task, step=facts.step,
        score=facts.score, model=facts.model, probability=facts.probability,
    )  # fmt: skip
    store.add([half], facts.time_s)
    store.complete(facts.decision, "Hi", "Hello", Answer("weak/m", "Hello!", 0.001), facts.time_s)
    store.judge(Judgement(facts.decision, "ann", By.PEOPLE, VERDICTS[one.gain], one.judged_s))
