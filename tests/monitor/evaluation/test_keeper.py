"""When certificates are looked for, and that what is published is always what is in force."""

import pytest

from gateway.core.certificate import KEY
from monitor.evaluation.certify import VALID_S, encode_state
from monitor.evaluation.keeper import LOOK_S, NEWS, NOTHING, STATE_KEY
from monitor.evaluation.store import StoreError
from tests.support.certifying import BEGIN_S, ROUTE, a_log, terms
from tests.support.keeping import DAY_S, PlayedBooks, Rig, always_needed, none_needed

pytestmark = pytest.mark.virtual_time


async def test_publishes_what_is_certified_and_nothing_before() -> None:
    rig = Rig(a_log(1, 100, none_needed))
    assert await rig.tend() is None
    assert rig.books is not None
    rig.books.pairs = a_log(1, 150, none_needed)
    found = await rig.tend()
    assert found == rig.keeper.in_force()
    assert [one.judged for one in found or ()] == [150]
    await rig.tend()
    assert rig.writes == 1


async def test_certifies_after_twenty_new_judgements_and_every_hour_at_the_latest() -> None:
    pairs = a_log(2, 200, none_needed)
    books = PlayedBooks(pairs[:10])
    rig = Rig(books=books)
    seen = []
    for count, after_s in ((10, 15), (10 + NEWS - 1, 15), (10 + NEWS, 15), (10 + NEWS, LOOK_S - 20), (10 + NEWS, 20)):
        books.pairs = pairs[:count]
        await rig.tend(after_s)
        seen.append(books.certified)
    assert seen == [1, 1, 2, 2, 3]


async def test_the_longer_counting_takes_the_more_seldom_it_is_done() -> None:
    rig = Rig(books=PlayedBooks())
    assert rig.books is not None

    def one_second() -> None:
        rig.now_s += 1

    rig.books.slow = one_second
    for _ in range(20):
        await rig.tend()
    assert rig.books.counted == 5


async def test_a_change_of_terms_is_seen_at_once() -> None:
    rig = Rig(a_log(3, 150, none_needed))
    assert await rig.tend()
    rig.terms = {ROUTE: terms(alpha=0.001)}
    assert await rig.tend() == ()


async def test_an_alarm_takes_the_certificate_from_the_gateways_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(a_log(4, 150, none_needed))
    assert await rig.tend()
    assert rig.books is not None
    rig.books.pairs += a_log(4, 60, always_needed, first=150)
    assert await rig.tend() == ()
    assert caplog.messages[-1].startswith("certificate ")
    assert "is withdrawn: on route support, other tasks, step 1, " in caplog.messages[-1]


async def test_what_could_not_be_written_or_was_deleted_is_written_again() -> None:
    rig = Rig(a_log(5, 150, none_needed))
    rig.publisher.broken = True
    assert await rig.tend() is None
    rig.publisher.broken = False
    found = await rig.tend()
    assert found
    del rig.publisher.kept[KEY]
    assert await rig.tend() == found
    rig.publisher.kept[KEY] = b"[garbage"
    assert await rig.tend() == found


async def test_where_nothing_is_evaluated_any_more_one_empty_file_is_left_if_there_was_one() -> None:
    rig = Rig(a_log(6, 150, none_needed))
    assert await rig.tend()
    rig.terms, rig.books = {}, None
    assert await rig.tend() == ()
    await rig.tend()
    assert rig.writes == 2
    never = Rig()
    never.terms, never.books = {}, None
    assert await never.tend() is None


async def test_routes_that_ask_a_person_first_are_certified_and_not_published() -> None:
    rig = Rig(a_log(7, 150, none_needed))
    rig.terms = {ROUTE: terms(auto="no")}
    assert await rig.tend() is None
    assert [one.certificate is not None for one in rig.keeper.series()] == [False, True]


async def test_what_ran_out_is_taken_back() -> None:
    rig = Rig(a_log(8, 150, none_needed))
    assert await rig.tend()
    assert await rig.tend(VALID_S + 1) == ()


async def test_does_nothing_where_another_replica_does_it_and_goes_on_where_that_one_ended() -> None:
    rig = Rig(a_log(9, 150, none_needed))
    rig.leads = False
    assert await rig.tend() is None
    assert rig.keeper.kept == NOTHING
    rig.leads = True
    found = await rig.tend()
    other = Rig(books=rig.books)
    assert await other.tend() == found
    assert rig.books is not None
    assert rig.books.kept[STATE_KEY] == encode_state(other.keeper.kept.state)


async def test_publishes_nothing_that_was_certified_while_another_replica_took_over() -> None:
    rig = Rig(a_log(9, 150, none_needed))
    assert rig.books is not None

    def lose() -> None:
        rig.leads = False

    rig.books.slow = lose
    assert await rig.tend() is None


async def test_a_state_that_cannot_be_read_is_certified_anew(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(books=PlayedBooks(a_log(10, 150, none_needed), {STATE_KEY: b"[]"}))
    assert await rig.tend()
    assert caplog.messages[0].startswith("what was certified is forgotten, and certified anew: it is no state")


async def test_while_the_store_fails_everything_stays_and_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(a_log(11, 150, none_needed))
    found = await rig.tend()
    assert rig.books is not None
    for problem in (StoreError("the disk is full"), StoreError("the disk is full"), KeyError("a bug")):
        rig.books.problem = problem
        assert await rig.tend() == found
    assert rig.keeper.failures == 3
    assert [message.partition("since ")[2] for message in caplog.messages] == [
        "the store of evaluations fails: the disk is full",
        "certifying fails: KeyError",
    ]
    fresh = Rig(books=rig.books)
    fresh.publisher.kept = rig.publisher.kept
    assert await fresh.tend() == found, "who could not load the state takes nothing back"


async def test_knows_how_far_the_evaluation_is_and_what_it_cost_today() -> None:
    rig = Rig(a_log(12, 10, none_needed))
    await rig.tend()
    [progress] = rig.keeper.kept.progress
    assert (progress.waiting, progress.by_people) == (3, 10)
    assert rig.keeper.kept.spent_usd == {ROUTE: 22 / 4}
    assert rig.keeper.kept.looked_s == BEGIN_S + DAY_S + rig.now_s
