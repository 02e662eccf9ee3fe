"""Who may hand over halves of pairs."""

import logging
from pathlib import Path

import pytest

from gateway.edge.sinks.keys import SinkKey
from monitor.evaluation.gate import Gate

NO_TOKEN = (
    "this monitor has no POINTSMAN_EVALUATIONS_TOKEN, and without one it takes pairs from programs on its own machine "
    "alone"
)
RIGHT = {"Authorization": "Bearer t-1"}


def gate(folder: Path, token: str | None = None) -> Gate:
    if token is not None:
        replace(folder, token)
    return Gate(SinkKey("evaluations", "token", "TOKEN", {}, str(folder)))


def replace(folder: Path, token: str) -> None:
    (folder / "evaluations").mkdir(exist_ok=True)
    (folder / "evaluations" / "token").write_text(token)


@pytest.mark.parametrize("remote", ["127.0.0.1", "10.0.0.7", None])
def test_who_knows_the_token_may_from_everywhere_and_nobody_else_from_anywhere(
    tmp_path: Path, remote: str | None
) -> None:
    found = gate(tmp_path, "t-1")
    assert found.refusal(remote, RIGHT) is None
    for wrong in ({}, {"Authorization": "Bearer t-2"}, {"Authorization": "t-1"}):
        assert found.refusal(remote, wrong) == "send the token that gateways and monitor share"


def test_a_token_that_is_replaced_counts_at_once(tmp_path: Path) -> None:
    found = gate(tmp_path, "t-0")
    assert found.refusal("10.0.0.7", RIGHT) is not None
    replace(tmp_path, "t-1\n")
    assert found.refusal("10.0.0.7", RIGHT) is None


@pytest.mark.parametrize("remote", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_without_a_token_programs_on_this_machine_may(tmp_path: Path, remote: str) -> None:
    assert gate(tmp_path).refusal(remote, {}) is None


@pytest.mark.parametrize("remote", ["10.0.0.7", "127.0.0.6", "::ffff:10.0.0.7", "", None])
def test_without_a_token_nobody_else_may(tmp_path: Path, remote: str | None) -> None:
    assert gate(tmp_path).refusal(remote, RIGHT) == NO_TOKEN


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip", "Origin", "Sec-Fetch-Site"])
def test_what_a_proxy_or_a_browser_on_this_machine_brings_comes_from_elsewhere(tmp_path: Path, name: str) -> None:
    assert gate(tmp_path).refusal("127.0.0.1", {name: "http://127.0.0.1:9091"}) == NO_TOKEN


def test_says_once_that_others_are_refused_and_nothing_where_there_is_a_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        found = gate(tmp_path)
        found.announce()
        found.announce()
        told = [(record.levelname, record.message) for record in caplog.records]
        gate(tmp_path, "t-1").announce()
    assert [level for level, _ in told] == ["WARNING"]
    assert f"{tmp_path}/evaluations/token" in told[0][1]
    assert len(caplog.records) == 1
