"""Halves on their way to the monitor."""

import logging
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.evaluation import PATH, Half, decode_halves
from gateway.edge.courier import Means, Undelivered
from gateway.edge.halves import Halves
from gateway.edge.sinks.keys import SinkKey
from tests.support.receiver import Reply, receiving

HALF = Half(
    decision="0" * 16, time_s=1_764_000_000.5, route="default", task="math", step=1, score=0.25, model="rules",
    probability=0.02, lower=False, certificate=None, surface="chat", request={"model": "auto"}, answer="{}",
    endpoint="dear/l", cost_usd=0.01, others=("mid/m",), judges=(), budget_usd_per_day=5.0, keep_s=86_400.0,
)  # fmt: skip

NO_TOKEN = SinkKey("evaluations", "token", "TOKEN", {})
NO_THREAD = Means(start=lambda _name, _run: None)


def halves(number: int, **changes: Any) -> list[Half]:
    return [replace(HALF, decision=f"{one:016x}", **changes) for one in range(number)]


def counts(sent: Halves) -> tuple[int, int, int]:
    return sent.courier.delivered, sent.courier.dropped, sent.courier.waiting


def test_are_posted_to_the_monitor_in_one_list() -> None:
    with receiving() as monitor:
        sending = Halves(monitor.url, NO_TOKEN)
        for half in halves(3):
            sending.take(half)
        sending.courier.close(20.0)
    assert {sent.path for sent in monitor.sent} == {PATH}
    assert monitor.sent[0].headers["content-type"] == "application/json"
    assert [half for sent in monitor.sent for half in decode_halves(sent.body)] == halves(3)
    assert counts(sending) == (3, 0, 0)


def test_a_monitor_behind_a_path_is_found() -> None:
    with receiving() as monitor:
        sending = Halves(f"{monitor.url}/pointsman/", NO_TOKEN)
        sending.take(HALF)
        sending.courier.close(20.0)
    assert [sent.path for sent in monitor.sent] == [f"/pointsman{PATH}"]


def test_what_no_json_can_hold_is_said_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as monitor, caplog.at_level(logging.WARNING):
        sending = Halves(monitor.url, NO_TOKEN)
        sending.take(replace(HALF, request={"messages": ["\ud83d secret"]}))
        sending.take(HALF)
        sending.courier.close(20.0)
    assert [decode_halves(sent.body) for sent in monitor.sent] == [[HALF]]
    assert f"request {'0' * 16} was drawn for evaluation and cannot be written as JSON" in caplog.text
    assert "secret" not in caplog.text


def test_a_monitor_that_refuses_them_costs_them_and_nothing_else() -> None:
    with receiving() as monitor:
        monitor.always = Reply(400)
        sending = Halves(monitor.url, NO_TOKEN)
        sending.take(HALF)
        sending.courier.close(20.0)
    assert counts(sending) == (0, 1, 0)


def test_they_bring_the_token_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "evaluations").mkdir()
    with receiving() as monitor:
        sending = Halves(monitor.url, SinkKey("evaluations", "token", "TOKEN", {}, str(tmp_path)), NO_THREAD)
        for token in ("t-1", "t-2"):
            (tmp_path / "evaluations" / "token").write_text(f"{token}\n")
            sending.deliver([b"{}"])
        (tmp_path / "evaluations" / "token").unlink()
        sending.deliver([b"{}"])
    found = [sent.headers.get("authorization") for sent in monitor.sent]
    assert found == ["Bearer t-1", "Bearer t-2", None]


@pytest.mark.parametrize(
    ("environ", "why"),
    [({"TOKEN": "t-secret"}, "the monitor knows another token"), ({}, "no token was sent")],
)
def test_are_brought_again_where_the_token_is_not_the_monitors_yet(environ: dict[str, str], why: str) -> None:
    with receiving() as monitor:
        monitor.always = Reply(401)
        sending = Halves(monitor.url, SinkKey("evaluations", "token", "TOKEN", environ, "/nowhere"), NO_THREAD)
        with pytest.raises(Undelivered) as caught:
            sending.deliver([b"{}"])
    where = "(the file /nowhere/evaluations/token, or POINTSMAN_EVALUATIONS_TOKEN)"
    assert (str(caught.value), caught.value.final) == (f"answered 401: {why} {where}", False)


def test_of_what_waits_too_long_the_oldest_make_room() -> None:
    with receiving() as monitor:
        monitor.always = Reply(503)
        sending = Halves(monitor.url, NO_TOKEN)
        for half in halves(20, answer="x" * 1024 * 1024):
            sending.take(half)
        assert sending.courier.dropped >= 3
        sending.courier.close(0.0)
    assert counts(sending) == (0, 20, 0)
