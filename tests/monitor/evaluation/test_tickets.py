"""Tickets of the scoring page: noise to who holds them, plain to every replica, and a fair coin for the order."""

from itertools import pairwise

import pytest

from monitor.evaluation.tickets import LIFE_S, ForgedTicketError, LapsedTicketError, Ticket, Tickets

NOW_S = 1_780_000_000.0
TICKETS = Tickets(bytes(range(32)))
ANN = Ticket("00000000deadbeef", "Ann")


def test_are_understood_by_another_replica_under_the_same_secret() -> None:
    assert Tickets(bytes(range(32))).read(TICKETS.sealed(ANN, NOW_S), NOW_S + LIFE_S) == ANN


def test_lapse_after_an_hour() -> None:
    sealed = TICKETS.sealed(ANN, NOW_S)
    with pytest.raises(LapsedTicketError, match="older than 60 minutes"):
        TICKETS.read(sealed, NOW_S + LIFE_S + 1)


@pytest.mark.parametrize("sealed", ["", "x", "00000000deadbeef", "é", "gAAAAA==", "\x00" * 100, "A" * 200])
def test_that_nobody_made_are_refused(sealed: str) -> None:
    with pytest.raises(ForgedTicketError, match="api/evaluation/next"):
        TICKETS.read(sealed, NOW_S)


def test_of_another_secret_are_refused() -> None:
    with pytest.raises(ForgedTicketError):
        TICKETS.read(Tickets(bytes(32)).sealed(ANN, NOW_S), NOW_S)


def test_that_were_changed_anywhere_are_refused() -> None:
    sealed = TICKETS.sealed(ANN, NOW_S)
    for at, sign in enumerate(sealed.rstrip("=")[:-1]):
        other = "A" if sign != "A" else "B"
        with pytest.raises(ForgedTicketError):
            TICKETS.read(sealed[:at] + other + sealed[at + 1 :], NOW_S)


def test_hold_nothing_of_the_pair_in_the_clear() -> None:
    one, other = (TICKETS.sealed(ANN, NOW_S) for _ in range(2))
    assert one != other
    assert "deadbeef" not in one
    assert "Ann" not in one


def test_are_as_long_whatever_the_order() -> None:
    lengths = {len(TICKETS.sealed(Ticket(f"{number:016x}", "Ann"), NOW_S)) for number in range(200)}
    assert len(lengths) == 1


def test_put_the_lower_tier_left_as_a_fair_coin_does() -> None:
    falls = [TICKETS.lower_is_left(Ticket(f"{number:016x}", "Ann")) for number in range(10_000)]
    assert abs(sum(falls) - 5_000) < 4 * 50  # four standard deviations
    assert abs(sum(one != other for one, other in pairwise(falls)) - 5_000) < 4 * 50


def test_let_the_coin_fall_apart_for_two_scorers_and_two_secrets_but_always_so_for_one() -> None:
    ann, ben = (
        [TICKETS.lower_is_left(Ticket(f"{number:016x}", name)) for number in range(2_000)] for name in ("Ann", "Ben")
    )
    other = [Tickets(bytes(32)).lower_is_left(Ticket(f"{number:016x}", "Ann")) for number in range(2_000)]
    again = [Tickets(bytes(range(32))).lower_is_left(Ticket(f"{number:016x}", "Ann")) for number in range(2_000)]
    assert again == ann
    for apart in (ben, other):
        assert abs(sum(one == two for one, two in zip(ann, apart, strict=True)) - 1_000) < 4 * 23
