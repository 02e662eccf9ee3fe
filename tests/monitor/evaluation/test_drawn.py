"""What both answers of drawn requests cost, in SQLite and in PostgreSQL."""

from collections.abc import Iterator

import pytest

from monitor.evaluation.store import Store
from tests.support.halves import a_half, complete, second


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store.open(url)
    yield opened
    opened.close()


def told(store: Store, since_s: float = 0.0, at_most: int = 100) -> list[tuple[str, bool, tuple[float, float] | None]]:
    return [(one.facts.decision, one.lower, one.costs_usd) for one in store.drawn(since_s, at_most)]


def test_costs_are_of_the_lower_and_of_the_upper_tier_whoever_answered_first(store: Store) -> None:
    complete(store, a_half("a", 1.0), a_half("b", 2.0, lower=True), a_half("c", 3.0, cost_usd=None))
    store.add([a_half("d", 4.0), a_half("e", 5.0), a_half("f", 6.0)], 2000.0)
    store.complete("d", "prompt", "first", None, 2001.0)
    store.give_up("e", "no money", 2001.0)
    assert told(store) == [
        ("f", False, None),
        ("e", False, None),
        ("d", False, (0.125, 0.125)),
        ("c", False, None),
        ("b", True, (0.125, second().cost_usd)),
        ("a", False, (second().cost_usd, 0.125)),
    ]


def test_tells_the_latest_ones_with_what_is_known_of_them(store: Store) -> None:
    halves = [a_half(name, time_s) for name, time_s in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    store.add(halves, 2000.0)
    assert [name for name, _, _ in told(store, at_most=2)] == ["c", "b"]
    assert [name for name, _, _ in told(store, since_s=2.0)] == ["c", "b"]
    facts = store.drawn(3.0, 1)[0].facts
    assert (facts.route, facts.task, facts.step, facts.time_s, facts.probability) == ("support", "chat", 1, 3.0, 0.02)
