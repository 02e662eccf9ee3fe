"""What the store keeps and hands out, on both databases."""

from collections.abc import Iterator
from datetime import date

import pytest

from monitor.evaluation.pairs import Answer, By, Facts, Judged, Pair, Terms, Verdict
from monitor.evaluation.store import Store, StoreError
from tests.support.halves import a_half, by_model, by_person, complete, decisions, second

LEASE_S = 60.0
ONCE = decisions(1, 6)
TWICE = decisions(2, 2)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def facts(decision: str, time_s: float = 1000.0) -> Facts:
    return Facts(decision, time_s, "support", "chat", 1, 0.25, "rules", 0.02, None)


def held(store: Store, scorer: str, now_s: float = 2010.0) -> str | None:
    pair = store.next_for(scorer, now_s, LEASE_S)
    return None if pair is None else pair.facts.decision


def claimed(store: Store, name: str, now_s: float = 2010.0) -> str | None:
    half = store.claim_half(name, now_s, LEASE_S)
    return None if half is None else half.decision


# Halves


def test_gives_a_half_back_as_it_came(store: Store) -> None:
    half = a_half(ONCE[0], certificate="c1", lower=True, cost_usd=None)
    assert store.add([half], 2000.0) == 1
    assert store.claim_half("w", 2010.0, LEASE_S) == half


def test_a_gateway_whose_clock_is_ahead_is_taken_to_have_asked_just_now(store: Store) -> None:
    store.add([a_half(ONCE[0], 1e300)], 2000.0)
    half = store.claim_half("w", 2000.0, LEASE_S)
    assert half is not None
    assert half.time_s == 2000.0


def test_ignores_a_decision_that_it_knows(store: Store) -> None:
    assert store.add([a_half(ONCE[0]), a_half(ONCE[1])], 2000.0) == 2
    assert store.add([a_half(ONCE[1], route="other"), a_half(ONCE[2])], 2001.0) == 1
    assert [claimed(store, "w") for _ in range(4)] == [*ONCE[:3], None]


def test_keeps_nothing_of_a_batch_that_cannot_be_kept(store: Store) -> None:
    with pytest.raises(StoreError):
        store.add([a_half(ONCE[0]), a_half(ONCE[1], step=1 << 70)], 2000.0)
    assert claimed(store, "w") is None


def test_hands_out_the_oldest_half_and_each_once_until_its_lease_ends(store: Store) -> None:
    store.add([a_half(ONCE[0], 1002.0), a_half(ONCE[1], 1001.0)], 2000.0)
    assert [claimed(store, "a"), claimed(store, "b"), claimed(store, "b")] == [ONCE[1], ONCE[0], None]
    assert claimed(store, "b", 2010.0 + LEASE_S - 1) is None
    assert claimed(store, "b", 2010.0 + LEASE_S) == ONCE[1]


def test_passes_over_routes_that_are_to_be_left_out(store: Store) -> None:
    store.add([a_half(ONCE[0], route="spent"), a_half(ONCE[1], 1001.0)], 2000.0)
    half = store.claim_half("w", 2010.0, LEASE_S, without={"spent"})
    assert half is not None
    assert half.decision == ONCE[1]


def test_a_half_that_is_released_can_be_claimed_at_once(store: Store) -> None:
    store.add([a_half(ONCE[0])], 2000.0)
    assert claimed(store, "a") == ONCE[0]
    store.release("b", ONCE[0])
    assert claimed(store, "b") is None
    store.release("a", ONCE[0])
    assert claimed(store, "b") == ONCE[0]


def test_a_half_that_was_given_up_comes_back_to_nobody(store: Store) -> None:
    store.add([a_half(ONCE[0])], 2000.0)
    store.give_up(ONCE[0], "no endpoint", 2001.0)
    store.complete(ONCE[0], "p", "f", second(), 2002.0)
    assert (claimed(store, "w"), held(store, "ann")) == (None, None)
    assert [(row.waiting, row.given_up, row.complete) for row in store.progress()] == [(0, 1, 0)]


# Pairs for people


def test_tells_which_answer_was_which_tiers(store: Store) -> None:
    first, other = Answer("openai/large", "F", 0.125), Answer("groq/small", "S", 0.001)
    store.add([a_half(ONCE[0]), a_half(ONCE[1], 1001.0, lower=True)], 2000.0)
    for decision in ONCE[:2]:
        store.complete(decision, "P", "F", other, 2001.0)
    assert store.next_for("ann", 2010.0, LEASE_S) == Pair(facts(ONCE[0]), "P", lower=other, upper=first)
    assert store.next_for("bob", 2010.0, LEASE_S) == Pair(facts(ONCE[1], 1001.0), "P", lower=first, upper=other)


def test_keeps_texts_that_no_database_takes_as_they_are(store: Store) -> None:
    store.add([a_half(ONCE[0])], 2000.0)
    store.complete(ONCE[0], "a\0b", "c\ud800d", second("e"), 2001.0)
    pair = store.next_for("ann", 2010.0, LEASE_S)
    assert pair is not None
    assert (pair.prompt, pair.upper.text) == ("a\ufffdb", "c?d")


def test_a_person_gets_the_pair_they_hold_again_and_another_the_next(store: Store) -> None:
    complete(store, a_half(ONCE[0], 1000.0), a_half(ONCE[1], 1001.0))
    assert [held(store, "ann"), held(store, "ann"), held(store, "bob"), held(store, "cyd")] == [
        ONCE[0], ONCE[0], ONCE[1], None,
    ]  # fmt: skip
    assert held(store, "cyd", 2010.0 + LEASE_S) == ONCE[0]


def test_a_pair_that_is_released_goes_to_another(store: Store) -> None:
    complete(store, a_half(ONCE[0]))
    assert held(store, "ann") == ONCE[0]
    store.release("ann", ONCE[0])
    assert held(store, "bob") == ONCE[0]


def test_one_judgement_is_enough_for_most_pairs(store: Store) -> None:
    complete(store, a_half(ONCE[0]))
    assert held(store, "ann") == ONCE[0]
    assert store.judge(by_person(ONCE[0], Verdict.UPPER))
    assert (held(store, "ann"), held(store, "bob")) == (None, None)


def test_a_tenth_of_the_pairs_is_judged_by_two_people(store: Store) -> None:
    complete(store, a_half(TWICE[0]))
    assert held(store, "ann") == TWICE[0]
    assert held(store, "bob") is None
    store.judge(by_person(TWICE[0], Verdict.UPPER))
    assert (held(store, "ann"), held(store, "bob")) == (None, TWICE[0])
    store.judge(by_person(TWICE[0], Verdict.TIE, "bob"))
    assert held(store, "cyd") is None
    assert 900 < len(decisions(2, 20_000)) / 100_000 * 10_000 < 1100


def test_a_pair_that_was_skipped_goes_to_another_person(store: Store) -> None:
    complete(store, a_half(ONCE[0]))
    assert held(store, "ann") == ONCE[0]
    store.judge(by_person(ONCE[0], Verdict.SKIP))
    assert (held(store, "ann"), held(store, "bob")) == (None, ONCE[0])


def test_a_later_judgement_of_the_same_scorer_replaces_the_earlier(store: Store) -> None:
    complete(store, a_half(ONCE[0]))
    store.judge(by_person(ONCE[0], Verdict.UPPER, time_s=3000.0))
    store.judge(by_person(ONCE[0], Verdict.LOWER, time_s=3001.0))
    assert store.judged() == [Judged(facts(ONCE[0]), -1.0, By.PEOPLE, 3001.0)]


def test_takes_no_judgement_on_what_is_not_complete(store: Store) -> None:
    store.add([a_half(ONCE[0])], 2000.0)
    assert not store.judge(by_person(ONCE[0], Verdict.UPPER))
    assert not store.judge(by_person("unknown", Verdict.UPPER))
    assert store.judged() == []


# Pairs for models


def test_a_model_gets_each_pair_once_with_its_judges(store: Store) -> None:
    complete(store, a_half(ONCE[0]), a_half(ONCE[1], 1001.0, judges=()), a_half(ONCE[2], 1002.0))
    first = store.next_for_model("w", 2010.0, LEASE_S)
    assert first is not None
    drawn = a_half(ONCE[0])
    assert (first.pair.facts.decision, first.judges) == (ONCE[0], ("openai/judge",))
    assert first.terms == Terms("support", drawn.labels, drawn.require)
    following = store.next_for_model("v", 2010.0, LEASE_S)
    assert following is not None
    assert following.pair.facts.decision == ONCE[2]
    assert store.next_for_model("v", 2010.0, LEASE_S) is None
    assert store.next_for_model("v", 2010.0 + LEASE_S, LEASE_S, without={"support"}) is None
    store.judge(by_model(ONCE[0], Verdict.SKIP))
    store.judge(by_model(ONCE[2], Verdict.TIE))
    assert store.next_for_model("v", 2010.0 + LEASE_S, LEASE_S) is None


def test_a_persons_name_is_never_taken_for_a_models(store: Store) -> None:
    complete(store, a_half(ONCE[0]))
    store.judge(by_model(ONCE[0], Verdict.UPPER))
    store.judge(by_person(ONCE[0], Verdict.LOWER, "openai/judge"))
    assert [one.gain for one in store.judged()] == [-1.0]


def test_one_endpoint_for_both_tiers_is_a_tie_that_nobody_judges(store: Store) -> None:
    store.add([a_half(ONCE[0])], 2000.0)
    store.complete(ONCE[0], "P", "F", None, 2001.0)
    assert (held(store, "ann"), store.next_for_model("w", 2010.0, LEASE_S)) == (None, None)
    assert store.judged() == [Judged(facts(ONCE[0]), 0.0, By.SAME, 2001.0)]


# What it amounts to


def test_judged_pairs_come_by_the_requests_time(store: Store) -> None:
    complete(
        store, *(a_half(decision, 1005.0 - place) for place, decision in enumerate(ONCE[:3])), a_half(ONCE[3], 1.0)
    )
    store.judge(by_person(ONCE[0], Verdict.UPPER))
    store.judge(by_model(ONCE[1], Verdict.LOWER))
    store.judge(by_person(ONCE[2], Verdict.SKIP))
    store.judge(by_person(ONCE[3], Verdict.TIE))
    assert store.judged(since_s=1004.0) == [
        Judged(facts(ONCE[1], 1004.0), -1.0, By.MODEL, 3000.0),
        Judged(facts(ONCE[0], 1005.0), 1.0, By.PEOPLE, 3000.0),
    ]
    assert [one.facts.decision for one in store.judged()] == [ONCE[3], ONCE[1], ONCE[0]]


def test_tells_how_far_each_task_is_and_how_far_judges_agree(store: Store) -> None:
    complete(store, *(a_half(decision) for decision in (*TWICE, *ONCE[:3])), a_half(ONCE[3], task="code"))
    store.add([a_half(ONCE[4]), a_half(ONCE[5], route="another")], 2000.0)
    store.complete(ONCE[5], "P", "F", None, 2001.0)
    for decision, ann, bob in ((TWICE[0], Verdict.TIE, Verdict.BOTH_BAD), (TWICE[1], Verdict.UPPER, Verdict.LOWER)):
        store.judge(by_person(decision, ann))
        store.judge(by_person(decision, bob, "bob"))
    store.judge(by_model(TWICE[1], Verdict.UPPER))
    store.judge(by_model(ONCE[0], Verdict.UPPER))
    store.judge(by_person(ONCE[1], Verdict.SKIP))
    rows = store.progress()
    assert [(row.route, row.task, row.waiting, row.complete, row.same) for row in rows] == [
        ("another", "chat", 0, 1, 1), ("support", "chat", 1, 5, 0), ("support", "code", 0, 1, 0),
    ]  # fmt: skip
    assert [(row.by_people, row.by_model, row.mean_gain) for row in rows] == [(0, 0, 0.0), (2, 1, 1 / 3), (0, 0, None)]
    chat = rows[1]
    assert (chat.people_agree.share, chat.model_agrees.share) == (0.5, 0.5)
    assert (rows[2].people_agree.share, rows[2].model_agrees.share) == (None, None)


# Money and states


def test_adds_up_what_a_route_spent_on_a_day(store: Store) -> None:
    monday, tuesday = date(2026, 11, 23), date(2026, 11, 24)
    store.charge("support", monday, 0.5)
    store.charge("support", monday, 0.25)
    store.charge("support", tuesday, 1.0)
    assert [store.spent_usd(*of) for of in (("support", monday), ("support", tuesday), ("other", monday))] == [
        0.75, 1.0, 0.0,
    ]  # fmt: skip


def test_remembers_the_last_state_saved(store: Store) -> None:
    assert store.load("watch") is None
    store.save("watch", b"\0one")
    store.save("watch", b"two\xff")
    assert store.load("watch") == b"two\xff"
