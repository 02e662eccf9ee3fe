import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.catalog import PASSED, Catalog, Operation, ProbeRules
from monitor.schedule import CATCH_UP_S, Target, again_s, begun, due, first_s, next_s, phase, targets
from tests.support.builders import a_catalog, a_provider, an_endpoint

NAMES = st.text("abcdefgh/-", min_size=1, max_size=12)
TARGETS = st.builds(Target, NAMES, st.floats(1, 600), st.none() | NAMES)
INSTANTS = st.floats(0, 1e7)


def probed(**by: str) -> Catalog:
    """A catalog of one endpoint for each provider, by the means it is probed by."""
    providers = [a_provider(id_, probe=ProbeRules(by=means)) for id_, means in by.items()]
    return a_catalog(*(f"{id_}/m" for id_ in by), providers=providers)


def test_probes_providers_by_a_check_and_endpoints_by_completions_as_the_rules_say() -> None:
    found = targets(probed(auto="auto", comp="completion", list="models", tcp="tcp", off="none"))

    assert found == (
        Target("auto", 30.0),
        Target("comp", 30.0),
        Target("list", 30.0),
        Target("tcp", 30.0),
        Target("auto", 30.0, "auto/m"),
        Target("comp", 30.0, "comp/m"),
    )


def test_asks_nobody_for_images_and_the_like() -> None:
    rows = [an_endpoint(f"a/{operation}", operation=operation) for operation in (*PASSED, Operation.EMBEDDINGS)]
    assert targets(a_catalog(*rows)) == (Target("a", 30.0), Target("a", 30.0, "a/embeddings"))


def test_leaves_providers_without_endpoints_alone() -> None:
    assert targets(Catalog(probed(a="auto").providers, {})) == ()


@given(TARGETS, INSTANTS)
def test_comes_once_in_every_period_at_the_same_phase(target: Target, now_s: float) -> None:
    first = next_s(target, now_s)
    second = next_s(target, first)

    assert now_s < first <= now_s + target.every_s * 1.002
    assert second - first == pytest.approx(target.every_s, abs=1e-6)


def test_spreads_targets_over_the_period() -> None:
    phases = sorted(phase(Target("p", 30.0, f"p/model-{number}")) for number in range(1_000))

    assert all(abs(phases[number] - number / 1_000) < 0.06 for number in range(1_000))


def test_begins_with_providers_and_lets_endpoints_follow_within_a_period() -> None:
    assert all(100.0 <= first_s(Target(f"p{n}", 30.0), 100.0, 30.0) < 101.0 for n in range(100))
    assert all(102.0 <= first_s(Target("p", 30.0, f"p/{n}"), 100.0, 30.0) < 132.0 for n in range(100))


@given(TARGETS, INSTANTS)
def test_comes_again_sooner_after_a_failure(target: Target, now_s: float) -> None:
    again = again_s(target, now_s)

    assert now_s < again <= now_s + target.every_s / 6
    assert again <= next_s(target, now_s)


def test_keeps_the_turn_of_what_stays_configured() -> None:
    stays, comes = Target("a", 30.0), Target("b", 30.0)

    assert begun([stays, comes], {stays: 17.0, Target("gone", 30.0): 3.0}, 50.0) == {
        stays: 17.0,
        comes: first_s(comes, 50.0, CATCH_UP_S),
    }


def test_takes_the_longest_overdue_first() -> None:
    a, b, c = Target("a", 30.0), Target("b", 30.0), Target("c", 30.0)

    assert due({a: 10.0, b: 5.0, c: 11.0}, 10.0) == [b, a]
