"""Tokens are ready before they are needed; in virtual time, but for the one test of the thread."""

import threading
from collections.abc import Callable

import pytest

from gateway.core.credential import Bearer
from gateway.edge.credentials.minted import Minted, MintError
from gateway.edge.credentials.minter import EARLY_S, RETRIES_S, SPARE_S, Minter


class World:
    """A clock, a cloud that can fail, and a minter without a thread."""

    def __init__(self, life_s: float | None = 3_600.0) -> None:
        self.now_s = 1_000.0
        self.life_s = life_s
        self.words: str | None = None
        self.surprise: Exception | None = None
        self.asked = 0
        self.started: list[Callable[[], None]] = []
        self.minter = Minter(lambda: self.now_s, self.started.append)
        self.renewal = self.minter.renewal("key", "Cloud", self.mint)

    def mint(self) -> Minted:
        self.asked += 1
        if self.surprise is not None:
            raise self.surprise
        if self.words is not None:
            raise MintError(self.words)
        return Minted(Bearer(f"t{self.asked}"), self.life_s)

    def has(self) -> str | None:
        found = self.renewal.credential(self.now_s)
        return found.token if isinstance(found, Bearer) else None


def test_has_nothing_before_the_first_answer_and_says_so() -> None:
    world = World()
    assert (world.has(), world.renewal.problem) == (None, "Cloud has not answered yet")
    assert world.minter.turn() == 3_600.0 - EARLY_S
    assert (world.has(), world.renewal.problem) == ("t1", None)


def test_renews_well_before_the_end_and_not_sooner() -> None:
    world = World()
    world.minter.turn()
    world.now_s += 3_600.0 - EARLY_S - 1
    assert (world.minter.turn(), world.has()) == (1.0, "t1")
    world.now_s += 1
    world.minter.turn()
    assert (world.has(), world.asked) == ("t2", 2)


def test_keeps_the_last_good_one_to_its_end_however_often_renewal_fails() -> None:
    world = World()
    world.minter.turn()
    world.words = "no route"
    end_s = 1_000.0 + 3_600.0 - SPARE_S
    world.now_s += 3_600.0 - EARLY_S
    while world.now_s < end_s:
        wait_s = world.minter.turn()
        assert world.has() == "t1"
        world.now_s = min(world.now_s + wait_s, end_s)
    assert world.has() is None
    assert world.renewal.problem == "Cloud: no route"
    assert 6 <= world.asked <= 12


def test_tries_again_after_growing_pauses_and_recovers() -> None:
    world = World()
    world.words = "no route"
    pauses = []
    for _ in range(len(RETRIES_S) + 2):
        pauses.append(world.minter.turn())
        world.now_s += pauses[-1]
    assert pauses == [*RETRIES_S, RETRIES_S[-1], RETRIES_S[-1]]
    world.words = None
    world.minter.turn()
    assert (world.has(), world.renewal.problem) == (f"t{world.asked}", None)


def test_renews_a_short_life_at_its_half_but_never_in_a_frenzy() -> None:
    world = World(life_s=120.0)
    assert world.minter.turn() == 60.0
    world = World(life_s=4.0)
    assert world.minter.turn() == 10.0
    assert world.has() is None


def test_asks_once_for_what_never_ends() -> None:
    world = World(life_s=None)
    assert world.minter.turn() == 3_600.0
    world.now_s += 1e9
    world.minter.turn()
    assert (world.has(), world.asked) == ("t1", 1)


def test_outlives_a_surprise_in_a_clouds_library() -> None:
    world = World()
    world.surprise = AssertionError("odd")
    world.minter.turn()
    assert world.renewal.problem == "Cloud: unexpected AssertionError"


def test_is_asked_once_by_all_who_want_the_same_and_forgets_what_nobody_wants() -> None:
    world = World()
    assert world.minter.renewal("key", "Cloud", world.mint) is world.renewal
    assert len(world.started) == 1
    world.minter.keep(["other"])
    world.minter.turn()
    assert world.asked == 0


def test_complains_of_what_fails_but_not_once_it_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.words = "cloud.test cannot be reached"
    world.minter.turn()
    assert caplog.messages == ["no credential from Cloud: cloud.test cannot be reached"]
    world.minter.close()  # while it is being asked, for instance
    world.now_s += RETRIES_S[0]
    world.minter.turn()
    assert (world.asked, len(caplog.messages)) == (2, 1)


def test_mints_in_a_thread_of_its_own_and_ends_when_closed() -> None:
    minted, ended = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def start(run: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=lambda: (run(), ended.set())))
        threads[0].start()

    def mint() -> Minted:
        minted.set()
        return Minted(Bearer("t"), None)

    minter = Minter(lambda: 0.0, start)
    minter.renewal("a", "Cloud", mint)
    assert minted.wait(10)
    minted.clear()
    minter.renewal("b", "Cloud", mint)
    assert minted.wait(10)
    minter.close()
    assert ended.wait(10)
    threads[0].join()


def test_needs_no_thread_from_its_maker() -> None:
    minted = threading.Event()
    minter = Minter(lambda: 0.0)
    minter.renewal("a", "Cloud", lambda: (minted.set(), Minted(Bearer("t"), None))[1])
    assert minted.wait(10)
    minter.close()
