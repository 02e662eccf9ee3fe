"""The scorers' desk on a real store: pairs without names, verdicts as they were meant, several scorers and replicas."""

from pathlib import Path

import pytest

from gateway.core.evaluation import Half
from monitor.evaluation.desk import COUNTED_S, HELD_S, Choice, Count, Desk, Nothing, ScorerError, Shown
from monitor.evaluation.pairs import By
from monitor.evaluation.progress import Agreement
from monitor.evaluation.store import Store
from monitor.evaluation.tickets import LIFE_S, LapsedTicketError, TicketError
from tests.support.builders import EPOCH_S
from tests.support.scored import add_pair, half_of

LOWER, UPPER = "from the lower tier", "from the upper tier"
GAINS = {LOWER: -1.0, UPPER: 1.0}


class Table:
    """A store with as many complete pairs as asked for, a clock, and desks at it."""

    def __init__(self, url: str, pairs: int = 1) -> None:
        self.store = Store.open(url)
        self.now_s = EPOCH_S
        for number in range(pairs):
            self.complete(half_of(number))

    def complete(self, half: Half) -> None:
        add_pair(self.store, half, f"prompt of {half.decision}", LOWER, UPPER)

    def desk(self) -> Desk:
        return Desk(self.store, lambda: self.now_s)

    def gains(self) -> dict[str, float]:
        return {one.facts.decision: one.gain for one in self.store.judged()}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/evaluations.sqlite"


def shown(desk: Desk, scorer: str = "Ann") -> Shown:
    pair = desk.next(scorer)
    assert isinstance(pair, Shown)
    return pair


def test_shows_prompt_and_both_answers_and_nothing_that_names_them(url: str) -> None:
    pair = shown(Table(url).desk())
    assert pair.prompt == "prompt of 0000000000000000"
    assert {pair.left, pair.right} == {LOWER, UPPER}
    assert pair.__struct_fields__ == ("ticket", "prompt", "left", "right")


@pytest.mark.parametrize("lower", [True, False], ids=["lower tier answered first", "upper tier answered first"])
@pytest.mark.parametrize("choice", [Choice.LEFT, Choice.RIGHT])
def test_takes_a_side_for_the_answer_that_stood_there(url: str, choice: Choice, lower: bool) -> None:
    table = Table(url, pairs=0)
    for number in range(24):
        table.complete(half_of(number, lower=lower))
    desk, meant, orders = table.desk(), {}, set()
    for number in range(24):
        pair = shown(desk)
        desk.judge(pair.ticket, "Ann", choice)
        meant[f"{number:016x}"] = GAINS[pair.left if choice is Choice.LEFT else pair.right]
        orders.add(pair.left)
    assert orders == {LOWER, UPPER}  # both orders were there
    assert table.gains() == meant


def test_takes_ties_and_two_bad_answers_for_no_gain_and_a_skip_for_nothing(url: str) -> None:
    table = Table(url, pairs=3)
    desk = table.desk()
    for choice in (Choice.TIE, Choice.BOTH_BAD, Choice.SKIP):
        desk.judge(shown(desk).ticket, "Ann", choice)
    assert table.gains() == {f"{0:016x}": 0.0, f"{1:016x}": 0.0}
    assert desk.next("Ann") == Nothing(0)
    assert shown(desk, "Ben").prompt == "prompt of 0000000000000002"  # what Ann skipped is another's


def test_shows_a_pair_again_in_the_same_order(url: str) -> None:
    table = Table(url)
    first, again, elsewhere = shown(table.desk()), shown(table.desk()), shown(Table(url, pairs=0).desk())
    assert {(one.left, one.right) for one in (first, again, elsewhere)} == {(first.left, first.right)}


def test_takes_a_ticket_that_another_replica_gave(url: str) -> None:
    here, there = Table(url), Table(url, pairs=0)
    pair = shown(here.desk())
    there.desk().judge(pair.ticket, "Ann", Choice.LEFT)
    assert here.gains() == {f"{0:016x}": GAINS[pair.left]}


def test_never_gives_one_pair_to_two_scorers_until_its_holder_is_gone(url: str) -> None:
    table = Table(url, pairs=2)
    desk = table.desk()
    prompts = [shown(desk, name).prompt for name in ("Ann", "Ben")]
    assert len(set(prompts)) == 2
    assert desk.next("Cem") == Nothing(0)
    table.now_s += HELD_S
    assert shown(desk, "Cem").prompt == prompts[0]


def test_replaces_a_verdict_by_a_later_one_of_the_same_scorer(url: str) -> None:
    table = Table(url)
    desk = table.desk()
    pair = shown(desk)
    desk.judge(pair.ticket, "Ann", Choice.LEFT)
    desk.judge(pair.ticket, "Ann", Choice.RIGHT)
    assert table.gains() == {f"{0:016x}": GAINS[pair.right]}


def test_takes_a_late_verdict_but_none_after_an_hour(url: str) -> None:
    table = Table(url)
    desk = table.desk()
    ticket = shown(desk).ticket
    table.now_s += LIFE_S + 1
    with pytest.raises(LapsedTicketError):
        desk.judge(ticket, "Ann", Choice.TIE)
    assert table.gains() == {}
    table.now_s -= 1
    desk.judge(ticket, "Ann", Choice.TIE)
    assert table.gains() == {f"{0:016x}": 0.0}


def test_refuses_a_ticket_of_another_scorer_and_of_a_pair_that_is_gone(url: str) -> None:
    table = Table(url)
    desk = table.desk()
    ticket = shown(desk).ticket
    with pytest.raises(TicketError, match="another scorer than 'Ben'"):
        desk.judge(ticket, "Ben", Choice.TIE)
    table.store.purge(EPOCH_S + 9)
    with pytest.raises(LapsedTicketError, match="no longer kept"):
        desk.judge(ticket, "Ann", Choice.TIE)


@pytest.mark.parametrize("name", ["", " ", "Ann ", "a\nb", "x" * 65, "\u202eAnn", "\x00"])
def test_refuses_what_is_no_name(url: str, name: str) -> None:
    desk = Table(url).desk()
    with pytest.raises(ScorerError, match="1 to 64 printable characters"):
        desk.next(name)
    with pytest.raises(ScorerError):
        desk.judge("ticket", name, Choice.TIE)


@pytest.mark.parametrize("name", ["A", "x" * 64, "Zoë Ångström", "王芳", "🙂"])
def test_takes_names_in_every_script(url: str, name: str) -> None:
    assert shown(Table(url).desk(), name).prompt == "prompt of 0000000000000000"


def test_says_how_many_pairs_still_wait_where_there_is_none(url: str) -> None:
    table = Table(url, pairs=0)
    table.store.add([half_of(7), half_of(8)], EPOCH_S)
    assert table.desk().next("Ann") == Nothing(2)


def test_counts_without_telling_which_tier_is_ahead_and_not_at_every_look(url: str) -> None:
    table = Table(url, pairs=2)
    desk = table.desk()
    before = Count("default", "chat", 0, 2, 0, 0, 0, Agreement(), Agreement())
    assert desk.progress() == [before]
    desk.judge(shown(desk).ticket, "Ann", Choice.LEFT)
    assert desk.progress() == [before]
    table.now_s += COUNTED_S
    assert desk.progress() == [Count("default", "chat", 0, 2, 1, 0, 0, Agreement(), Agreement())]


def test_makes_its_secret_once_for_all_replicas(url: str) -> None:
    table = Table(url)
    ticket = shown(table.desk()).ticket
    assert shown(table.desk()).ticket != ticket
    assert [one.by for one in table.store.judged()] == []
    table.desk().judge(ticket, "Ann", Choice.TIE)
    assert [one.by for one in table.store.judged()] == [By.PEOPLE]
