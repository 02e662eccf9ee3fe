"""The operator's rules as values."""

from gateway.core.policy import Label, Requirement
from tests.support.builders import a_catalog, a_policy


def test_knows_when_a_requirement_asks_for_nothing() -> None:
    assert Requirement().empty
    assert not Requirement(retention_days=0).empty


def test_lists_the_labels_that_the_scanner_puts_on() -> None:
    labels = {name: Label(name, detect=name != "public") for name in ("public", "pii", "secret")}
    assert a_policy(a_catalog("alpha/m"), labels=labels).detecting_labels == ("pii", "secret")
