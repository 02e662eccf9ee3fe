"""Batches on their way to a receiver that is well, slow, ill or gone; the clock is the test's, and no thread runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.courier import Courier, Means, Rules, Undelivered, wait_s

RULES = Rules(queue_limit=10, queue_bytes=100, batch_limit=4, batch_bytes=50, linger_s=1.0)
BUSY = Undelivered("answered 503", None, final=False)
REFUSED = Undelivered("answered 400", None, final=True)


@dataclass
class Road:
    """A receiver that answers as it is told, and the time that passes there."""

    answers: list[Undelivered | Exception | float | None] = field(default_factory=list)  # a float: seconds, then fine
    came: list[list[int]] = field(default_factory=list)
    paused_s: list[float] = field(default_factory=list)
    now_s: float = 1_000.0
    run: Callable[[], None] = lambda: None

    def deliver(self, batch: Sequence[int]) -> None:
        self.came.append(list(batch))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.now_s += answer or 0.0

    def pause(self, seconds: float) -> None:
        self.paused_s.append(seconds)
        self.now_s += seconds

    def start(self, _name: str, run: Callable[[], None]) -> None:
        self.run = run

    def courier(self, rules: Rules = RULES, weigh: Callable[[int], int] = lambda item: 0) -> Courier[int]:
        means = Means(now_s=lambda: self.now_s, draw=lambda: 0.0, pause=self.pause, start=self.start)
        return Courier("there", self.deliver, rules, weigh, means)


def counted(courier: Courier[int]) -> tuple[int, int, int, int]:
    return courier.delivered, courier.dropped, courier.retries, courier.waiting


def add(courier: Courier[int], *items: int) -> None:
    for item in items:
        courier.add(item)


def test_delivers_what_waits_in_order_and_in_batches() -> None:
    road = Road()
    courier = road.courier()
    add(courier, *range(10))
    assert courier.waiting == 10
    assert courier.turn() == RULES.linger_s
    assert road.came == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert counted(courier) == (10, 0, 0, 0)


def test_has_nothing_to_do_where_nothing_waits() -> None:
    road = Road()
    assert road.courier().turn() == RULES.linger_s
    assert road.came == []


def test_leaves_what_comes_during_a_delivery_to_the_next_turn() -> None:
    road = Road()
    courier = road.courier()
    came: list[list[int]] = []

    def deliver(batch: Sequence[int]) -> None:
        came.append(list(batch))
        courier.add(9)

    courier = Courier("there", deliver, RULES, means=Means(start=road.start))
    add(courier, 1, 2)
    courier.turn()
    assert (came, courier.waiting) == ([[1, 2]], 1)


def test_ends_a_batch_where_it_weighs_enough() -> None:
    road = Road()
    courier = road.courier(weigh=lambda item: item)
    add(courier, 30, 30, 10, 5)
    courier.turn()
    assert road.came == [[30, 30], [10, 5]]


def test_tries_the_same_batch_again_with_growing_patience() -> None:
    road = Road([BUSY, BUSY, BUSY])
    courier = road.courier()
    add(courier, 1, 2)
    assert courier.turn() == 0.5
    add(courier, 3)
    assert [courier.turn(), courier.turn()] == [1.0, 2.0]
    assert counted(courier) == (0, 0, 3, 3)
    assert courier.turn() == RULES.linger_s
    assert road.came == [[1, 2], [1, 2], [1, 2], [1, 2], [3]]
    assert counted(courier) == (3, 0, 3, 0)


def test_waits_at_least_as_long_as_the_receiver_asks_for() -> None:
    road = Road([Undelivered("answered 429", 17.0, final=False)])
    courier = road.courier()
    courier.add(1)
    assert courier.turn() == 17.0


def test_gives_a_batch_up_in_the_end_and_goes_on_with_the_next() -> None:
    road = Road([BUSY, BUSY])
    courier = road.courier()
    courier.add(1)
    courier.turn()
    road.now_s += RULES.give_up_s
    courier.add(2)
    courier.turn()
    assert road.came == [[1], [1], [2]]
    assert counted(courier) == (1, 1, 1, 0)


def test_drops_at_once_what_is_refused_for_good() -> None:
    road = Road([REFUSED])
    courier = road.courier()
    add(courier, *range(5))
    assert courier.turn() == RULES.linger_s
    assert road.came == [[0, 1, 2, 3], [4]]
    assert counted(courier) == (1, 4, 0, 0)


def test_counts_the_part_of_a_batch_that_was_refused() -> None:
    road = Road([Undelivered("refused some", None, final=True, lost=1)])
    courier = road.courier()
    add(courier, 1, 2, 3)
    courier.turn()
    assert counted(courier) == (2, 1, 0, 0)


def test_survives_a_fault_of_the_sink(caplog: pytest.LogCaptureFixture) -> None:
    road = Road([KeyError("sk-secret")])
    courier = road.courier()
    add(courier, *range(5))
    courier.turn()
    assert counted(courier) == (1, 4, 0, 0)
    assert [record.message for record in caplog.records] == ["there: unexpected KeyError; such records are dropped"]


def test_drops_the_oldest_where_too_many_wait() -> None:
    road = Road()
    courier = road.courier()
    add(courier, *range(13))
    assert counted(courier) == (0, 3, 0, 10)
    courier.turn()
    assert [item for batch in road.came for item in batch] == list(range(3, 13))


def test_drops_the_oldest_where_too_much_waits() -> None:
    road = Road()
    courier = road.courier(weigh=lambda item: item)
    add(courier, 40, 50, 60)
    assert courier.dropped == 2
    courier.turn()
    assert road.came == [[60]]
    add(courier, 40, 60)
    assert courier.dropped == 2  # what was taken no longer weighs on the queue
    add(courier, 101)
    assert counted(courier) == (1, 5, 0, 0)  # what alone is too heavy does not wait either


def test_says_once_that_an_outage_began_and_once_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    road = Road([BUSY, BUSY, None, None, BUSY])
    courier = road.courier()
    for item in range(3):
        courier.add(item)
        courier.turn()
    courier.add(3)
    courier.turn()
    trouble = "there: answered 503; tried again for 300 s, then dropped"
    well = "there: records are delivered again"
    assert [record.message for record in caplog.records] == [trouble, well, trouble]


def test_says_once_what_is_refused_though_others_arrive(caplog: pytest.LogCaptureFixture) -> None:
    road = Road([REFUSED, None, REFUSED])
    courier = road.courier()
    for item in range(3):
        courier.add(item)
        courier.turn()
    assert [record.message for record in caplog.records] == ["there: answered 400; such records are dropped"]


def test_delivers_everything_when_it_is_closed() -> None:
    road = Road()
    courier = road.courier()
    add(courier, *range(6))
    courier.hurry(3.0)
    road.run()
    courier.close(3.0)
    assert road.came == [[0, 1, 2, 3], [4, 5]]
    assert (counted(courier), road.paused_s) == ((6, 0, 0, 0), [])


def test_tries_again_until_the_time_to_close_is_over(caplog: pytest.LogCaptureFixture) -> None:
    road = Road([BUSY] * 10)
    courier = road.courier()
    add(courier, 1, 2)
    courier.hurry(3.0)
    road.run()
    courier.close(3.0)
    assert road.paused_s == [1.0, 2.0]  # the first wait, of half a second, ended with the call to close
    assert (courier.delivered, courier.dropped, courier.waiting) == (0, 2, 0)
    assert caplog.records[-1].message == "there: the end came before 2 of its records were delivered"


def test_does_not_wait_longer_for_a_receiver_that_never_answers_than_it_was_told() -> None:
    road = Road()
    courier = road.courier()
    courier.add(1)
    courier.close(0.0)  # nobody runs it
    assert counted(courier) == (0, 1, 0, 0)


def test_runs_in_a_thread_of_its_own() -> None:
    came: list[int] = []
    courier: Courier[int] = Courier("there", came.extend, replace(RULES, queue_limit=1_000))
    add(courier, *range(100))
    courier.close(20.0)
    assert (came, counted(courier)) == (list(range(100)), (100, 0, 0, 0))


@given(
    failures=st.integers(1, 2_000),
    asked_s=st.none() | st.floats(0, 1e6),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_never_waits_less_than_asked_nor_for_ever(failures: int, asked_s: float | None, draw: float) -> None:
    waits = wait_s(RULES, failures, asked_s, draw)
    assert RULES.first_wait_s / 2 <= waits <= RULES.give_up_s + RULES.first_wait_s
    assert waits >= min(asked_s or 0.0, RULES.give_up_s)


@pytest.mark.parametrize(
    ("failures", "draw", "expected"), [(1, 0.0, 0.5), (1, 0.5, 0.75), (2, 0.0, 1.0), (6, 0.0, 15.0), (60, 0.0, 15.0)]
)
def test_doubles_its_patience_up_to_a_limit(failures: int, draw: float, expected: float) -> None:
    assert wait_s(RULES, failures, None, draw) == expected
