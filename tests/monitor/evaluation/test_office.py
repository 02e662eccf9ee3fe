"""Evaluation in the monitor, from what gateways hand over to the page, over a real port."""

import asyncio
import os
from pathlib import Path
from threading import Event, Semaphore

import pytest

from gateway.core.certificate import KEY
from gateway.core.evaluation import encode_halves
from gateway.core.policy import Label
from gateway.edge.sinks.keys import SinkKey
from monitor.evaluation import intake, turns
from monitor.evaluation import office as office_module
from monitor.evaluation.sql_store import SqlStore
from monitor.evaluation.store import Store
from tests.support.builders import EPOCH_S
from tests.support.evaluating import WEAK, a_half
from tests.support.office import EVALUATING, PLAIN, PlayedPlace, office, until, until_open

NOTHING_EVALUATES = {"error": {"message": "no route of the configuration evaluates: it takes `evaluate:` in a route"}}


async def test_takes_halves_asks_the_second_answers_and_shows_the_pairs(tmp_path: Path) -> None:
    async with office(PlayedPlace(tmp_path), EVALUATING) as rig:
        await until_open(rig)
        assert await rig.hand_over(a_half(1), a_half(2, time_s=EPOCH_S - 10)) == (200, {"new": 2, "known": 0}, None)
        assert await rig.hand_over(a_half(1)) == (200, {"new": 0, "known": 1}, None)
        await until(lambda: rig.office.worker.done.answered == 2)
        status, pair = await rig.get("/api/evaluation/next?scorer=Ann")
        taken = rig.office.intake.taken
    assert rig.vendors.tried == [WEAK, WEAK]
    assert (status, {pair["left"], pair["right"]}) == (200, {"Hello", "Second"})
    assert (taken.new, taken.known, taken.refused) == (2, 1, 0)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"[{}]", "application/json", 400, "missing required field"),
        (b"no", "application/json", 400, "is no list of halves"),
        (b"[" * 100_000, "application/json", 400, "is no"),
        (b"[]", "text/plain", 415, "application/json"),
        (b" " * 200_001, "application/json", 413, "MiB at a time"),
    ],
)
async def test_says_what_is_wrong_with_what_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, content_type: str, status: int, words: str
) -> None:
    monkeypatch.setattr(intake, "BODY_LIMIT", 200_000)
    async with office(PlayedPlace(tmp_path), EVALUATING) as rig:
        await until_open(rig)
        found, told, _ = await rig.post(body, content_type)
        assert (found, words in told["error"]["message"]) == (status, True)
        assert rig.office.intake.taken.refused == 1


async def test_who_brings_another_token_is_refused_unread_counted_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = SinkKey("evaluations", "token", "TOKEN", {"TOKEN": "t-right"}, "/nowhere")
    async with office(PlayedPlace(tmp_path), EVALUATING, token=token) as rig:
        await until_open(rig)
        refused = [await rig.post(b"no list of halves", Authorization="Bearer t-wrong") for _ in range(3)]
        taken = await rig.post(encode_halves([a_half()]), Authorization="Bearer t-right")
        counted = rig.office.intake.taken
        status, _ = await rig.get("/api/evaluation/next?scorer=Ann")
    why = {"error": {"message": "send the token that gateways and monitor share"}}
    assert refused == [(401, why, None)] * 3
    assert (taken[0], status) == (200, 200)
    assert (counted.new, counted.refused, counted.unauthorized) == (1, 0, 3)
    told = [record.message for record in caplog.records if "are refused" in record.message]
    assert told == ["halves of pairs from 127.0.0.1 are refused: send the token that gateways and monitor share"]
    assert "t-right" not in caplog.text
    assert "t-wrong" not in caplog.text


async def test_takes_nothing_and_makes_nothing_where_no_route_evaluates(tmp_path: Path) -> None:
    async with office(PlayedPlace(tmp_path), PLAIN) as rig:
        assert await rig.hand_over(a_half()) == (404, NOTHING_EVALUATES, None)
        assert await rig.get("/api/evaluation/progress") == (404, NOTHING_EVALUATES)
    assert os.listdir(tmp_path) == []


async def test_begins_and_ends_with_the_configuration(tmp_path: Path) -> None:
    async with office(PlayedPlace(tmp_path), PLAIN) as rig:
        rig.reconfigure(EVALUATING)
        await until_open(rig)
        assert (await rig.hand_over(a_half()))[0] == 200
        await until(lambda: rig.office.worker.done.answered == 1)
        rig.reconfigure(PLAIN)
        assert await rig.hand_over(a_half(2)) == (404, NOTHING_EVALUATES, None)
        assert (await rig.get("/api/evaluation/progress"))[0] == 200, "what there is can still be seen, and is let go"


async def test_lets_go_of_texts_from_before_though_no_route_evaluates_any_more(tmp_path: Path) -> None:
    place = PlayedPlace(tmp_path, before=True)
    store = Store.open(place.url())
    store.add([a_half(time_s=EPOCH_S - 100.0, keep_s=50.0)], EPOCH_S - 100.0)
    store.close()
    async with office(place, PLAIN) as rig:
        await until(lambda: rig.office.worker.done.expired == 1)


async def test_texts_of_a_label_that_forbids_them_by_now_are_deleted_at_once(tmp_path: Path) -> None:
    async with office(PlayedPlace(tmp_path), EVALUATING) as rig:
        rig.reconfigure(EVALUATING, labels=(Label("pii"), Label("plain")))
        await until_open(rig)
        await rig.hand_over(a_half(1, labels=("pii",)), a_half(2, labels=("plain",)), a_half(3, labels=("unknown",)))
        await until(lambda: rig.office.worker.done.answered == 2)
        rig.reconfigure(EVALUATING, labels=(Label("pii", content_allowed=False), Label("plain")))
        await until(lambda: rig.office.worker.done.expired == 1)
        found = [(await rig.get("/api/evaluation/next?scorer=" + name))[1] for name in ("Ann", "Bob")]
    assert ["prompt" in one for one in found] == [True, False]


async def test_a_store_that_is_away_delays_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office_module, "FIRST_WAIT_S", 0.01)
    async with office(PlayedPlace(tmp_path, away=True), EVALUATING) as rig:
        away = {"error": {"message": "the store of evaluations does not answer"}}
        assert await rig.hand_over(a_half()) == (503, away, "2")
        assert (await rig.get("/api/evaluation/next?scorer=Ann"))[0] == 503
        rig.place.away = False
        await until_open(rig)
        assert (await rig.hand_over(a_half()))[0] == 200
        assert KEY not in rig.publisher.kept, "certificates stay as they are meanwhile"
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert errors == ["evaluation waits, since its store cannot be opened; it is tried again: the disk is gone"]


async def test_a_store_that_hangs_holds_no_more_threads_than_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many gateways come again: probes and publishing need threads as well."""
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    entered, free = Semaphore(0), Event()

    def hang(*_: object) -> int:
        entered.release()
        free.wait()
        return 1

    async with office(PlayedPlace(tmp_path), EVALUATING) as rig:
        await until_open(rig)
        monkeypatch.setattr(SqlStore, "add", hang)
        held = [asyncio.create_task(rig.hand_over(a_half(number))) for number in (1, 2)]
        try:
            for _ in held:
                await asyncio.to_thread(entered.acquire)
            async with asyncio.timeout(10.0):
                others = [await rig.hand_over(a_half(number)) for number in range(3, 8)]
        finally:
            free.set()
        assert {status for status, _, _ in others} == {503}
        assert [status for status, _, _ in await asyncio.gather(*held)] == [200, 200]
    assert not entered.acquire(blocking=False)
