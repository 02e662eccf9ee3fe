"""Whole files as people have them, and whole results: a change of either is seen here."""

import pytest

from gateway.config.imports.notes import Imported
from tests.support.imports import TESTDATA, accepted, from_litellm, from_portkey

SECRETS = ("inline", "this-is-a-secret", "password", "sk-", "acme-prod-token", "AKIA")


def imported(name: str) -> Imported:
    source = (TESTDATA / name).read_text()
    return from_litellm(source) if name.endswith(".yaml") else from_portkey(source)


@pytest.mark.parametrize("name", ["litellm_production.yaml", "litellm_clouds.yaml", "portkey_production.json"])
def test_becomes_what_stands_beside_it(name: str) -> None:
    made = imported(name)
    assert made.text == (TESTDATA / f"{name}.pointsman").read_text()
    accepted(made)


@pytest.mark.parametrize("name", ["litellm_production.yaml", "litellm_clouds.yaml", "portkey_production.json"])
def test_no_secret_of_the_source_is_in_the_result(name: str) -> None:
    source, made = (TESTDATA / name).read_text(), imported(name)
    assert any(secret in source for secret in SECRETS)
    written = made.text.replace("must not carry credentials", "")
    assert not [secret for secret in SECRETS if secret in written]
