from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.certificate import (
    Certificate,
    CertificateError,
    Certificates,
    Grounds,
    decode_certificates,
    encode_certificates,
)

CERTIFICATE = Certificate(
    "support/email/1", "support", "email", 1, 0.4, 0.02, 0.05, 800, 0.6, 0.011, "model-a", 1_000.0, 2_000.0
)  # fmt: skip


def changed(**fields: Any) -> Certificate:
    return replace(CERTIFICATE, **fields)


def test_comes_back_from_its_json() -> None:
    all_of_them = Certificates(1, 1_500.0, (CERTIFICATE, changed(id="support//1", task=None)))
    assert decode_certificates(encode_certificates(all_of_them)) == all_of_them


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"{", "is no file of certificates: Input data was truncated"),
        (b"[]", "is no file of certificates: Expected `object`, got `array`"),
        (b'{"version": 2, "as_of_s": 0}', "is of version 2; this program reads 1"),
        (b'{"version": 1, "as_of_s": 0, "certificates": [{}]}', "missing required field `id`"),
        (b'{"version": 1, "as_of_s": 0, "x": ' + b"[" * 200_000, "is nested too deeply"),
    ],
)
def test_garbage_is_refused_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(CertificateError) as caught:
        decode_certificates(data)
    assert problem in str(caught.value)


def test_the_tasks_own_stands_before_the_whole_routes() -> None:
    whole = changed(id="support//1", task=None)
    grounds = Grounds([CERTIFICATE, whole], "model-a")
    assert grounds.of("support", "email", 1, 1_500.0) == CERTIFICATE
    assert grounds.of("support", "chat", 1, 1_500.0) == whole
    assert list(grounds.shown()) == ["support/email/1", "support//1"]


def test_the_whole_routes_says_nothing_of_tasks_that_had_their_own() -> None:
    """Else a task whose own was withdrawn would go lower all the same."""
    whole = changed(id="support//1", task=None, without=("email",))
    assert Grounds([whole], "model-a").of("support", "email", 1, 1_500.0) is None
    assert Grounds([whole], "model-a").of("support", "chat", 1, 1_500.0) == whole


@pytest.mark.parametrize(
    ("route", "task", "step", "now_s"),
    [
        ("other", "email", 1, 1_500.0),
        ("support", "chat", 1, 1_500.0),
        ("support", "email", 0, 1_500.0),
        ("support", "email", 1, 999.0),
        ("support", "email", 1, 2_000.0),
    ],
)
def test_holds_for_nothing_else_and_no_longer(route: str, task: str, step: int, now_s: float) -> None:
    assert Grounds([CERTIFICATE], "model-a").of(route, task, step, now_s) is None


def test_another_models_scores_have_no_grounds() -> None:
    assert not Grounds([CERTIFICATE], "model-b")
    assert Grounds([CERTIFICATE], "model-a")
