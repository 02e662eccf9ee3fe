"""What labels demand of a provider, and who gives it. Fails closed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.catalog import Privacy
from gateway.core.extras import ProviderRules
from gateway.core.policy import Label, Requirement
from gateway.core.sensitivity import both, labels_of, merged, missing, of_rules
from tests.support.builders import a_catalog, a_policy

TODAY = date(2026, 11, 24)
STRICT = Privacy(
    trains_on_data=False, retention_days=0, regions=frozenset({"eu"}), certifications=frozenset({"iso27001", "soc2"})
)


@pytest.mark.parametrize(
    ("require", "privacy", "lacking"),
    [
        (Requirement(), Privacy(), ()),
        (Requirement(trains_on_data=False), STRICT, ()),
        (Requirement(trains_on_data=False), Privacy(), ("trains_on_data",)),
        (Requirement(trains_on_data=False), Privacy(trains_on_data=True), ("trains_on_data",)),
        (Requirement(retention_days=30), Privacy(retention_days=30), ()),
        (Requirement(retention_days=30), Privacy(retention_days=31), ("retention_days",)),
        (Requirement(retention_days=30), Privacy(), ("retention_days",)),
        (Requirement(regions=frozenset({"eu", "uk"})), STRICT, ()),
        (Requirement(regions=frozenset({"eu"})), Privacy(regions=frozenset({"eu", "us"})), ("regions",)),
        (Requirement(regions=frozenset({"eu"})), Privacy(regions=frozenset()), ("regions",)),
        (Requirement(regions=frozenset({"eu"})), Privacy(), ("regions",)),
        (Requirement(regions=frozenset()), STRICT, ("regions",)),
        (Requirement(certifications=frozenset({"soc2"})), STRICT, ()),
        (Requirement(certifications=frozenset({"soc2", "hipaa"})), STRICT, ("certifications",)),
        (Requirement(certifications=frozenset({"soc2"})), Privacy(), ("certifications",)),
    ],
)
def test_names_the_facts_that_are_not_guaranteed(
    require: Requirement, privacy: Privacy, lacking: tuple[str, ...]
) -> None:
    assert missing(require, privacy, TODAY) == lacking


@pytest.mark.parametrize(("expires", "lacking"), [(date(2026, 11, 25), ()), (TODAY, ("retention_days",))])
def test_forgets_every_fact_on_the_day_a_row_expires(expires: date, lacking: tuple[str, ...]) -> None:
    assert missing(Requirement(retention_days=0), Privacy(retention_days=0, expires=expires), TODAY) == lacking


def test_adds_up_what_several_labels_demand() -> None:
    labels = [
        Label("internal", Requirement(trains_on_data=False, retention_days=30)),
        Label("eu", Requirement(regions=frozenset({"eu", "uk"}), certifications=frozenset({"soc2"}))),
        Label("de", Requirement(retention_days=7, regions=frozenset({"eu"}), certifications=frozenset({"c5"}))),
    ]
    assert merged(labels) == Requirement(
        trains_on_data=False,
        retention_days=7,
        regions=frozenset({"eu"}),
        certifications=frozenset({"soc2", "c5"}),
    )
    assert merged([]) == Requirement()


@pytest.mark.parametrize(
    ("rules", "require"),
    [
        (ProviderRules(), Requirement()),
        (ProviderRules(deny_data_collection=True), Requirement(trains_on_data=False)),
        (ProviderRules(zdr=True), Requirement(retention_days=0)),
    ],
)
def test_reads_what_the_request_itself_demands(rules: ProviderRules, require: Requirement) -> None:
    assert of_rules(rules) == require


@pytest.mark.parametrize(
    ("found", "names"), [(False, ["internal", "secret"]), (True, ["internal", "pii", "secret"])]
)
def test_joins_floors_the_header_and_what_was_found_in_the_order_of_the_file(found: bool, names: list[str]) -> None:
    labels = {name: Label(name, detect=name == "pii") for name in ("public", "internal", "pii", "secret")}
    policy = a_policy(a_catalog("alpha/m"), labels=labels)
    assert [label.name for label in labels_of(policy, ["secret"], ["internal", "secret"], found)] == names


facts = st.frozensets(st.sampled_from(["eu", "us", "uk"]))
requirements = st.builds(
    Requirement,
    trains_on_data=st.sampled_from([None, False]),
    retention_days=st.none() | st.integers(0, 60),
    regions=st.none() | facts,
    certifications=st.none() | st.frozensets(st.sampled_from(["iso", "soc2"]), min_size=1),
)
privacies = st.builds(
    Privacy,
    trains_on_data=st.none() | st.booleans(),
    retention_days=st.none() | st.integers(0, 60),
    regions=st.none() | facts,
    certifications=st.none() | st.frozensets(st.sampled_from(["iso", "soc2"])),
    expires=st.none() | st.dates(date(2026, 11, 20), date(2026, 11, 28)),
)


@given(requirements, requirements, privacies)
def test_gives_both_exactly_where_it_gives_each(a: Requirement, b: Requirement, privacy: Privacy) -> None:
    each = set(missing(a, privacy, TODAY)) | set(missing(b, privacy, TODAY))
    together = set(missing(both(a, b), privacy, TODAY))
    assert together == each
