"""The desk at which people judge pairs: hands out the next one without names, and takes verdicts.

Owns what a scorer sees and which tier a side stood for. Which pair comes next, who holds it and what judgements amount
to are the store's business. Everything here is synchronous, as the store is; callers use threads.
"""

import math
import secrets
from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from monitor.evaluation.pairs import By, Judgement, Verdict
from monitor.evaluation.progress import Agreement, Progress
from monitor.evaluation.store import Store
from monitor.evaluation.tickets import SECRET_BYTES, LapsedTicketError, Ticket, TicketError, Tickets

HELD_S = 600.0  # how long a pair is kept for a scorer who may have left
SCORER_CHARS = 64
COUNTED_S = 5.0
STATE = "scoring"  # what the store calls the secret


class Choice(StrEnum):
    """What a scorer says of the two answers as they stand on the page."""

    LEFT = "left"
    RIGHT = "right"
    TIE = "tie"
    BOTH_BAD = "both_bad"
    SKIP = "skip"


class ScorerError(Exception):
    """This is no scorer's name; the message says what is."""


class Shown(Struct, frozen=True):
    """A pair as a scorer sees it."""

    ticket: str
    prompt: str
    left: str
    right: str


class Nothing(Struct, frozen=True):
    """There is no pair for this scorer now."""

    waiting: int  # pairs whose second answer is still to come
    done: bool = True


class Count(Struct, frozen=True):
    """How far one route's task is: numbers alone, and none that tells which tier is ahead."""

    route: str
    task: str
    waiting: int  # pairs, for their second answer
    complete: int
    by_people: int
    by_model: int
    same: int  # needed no judge: one endpoint would have given both answers
    people_agree: Agreement
    model_agrees: Agreement


class Desk:
    """One for each process; replicas share the store, and so the secret and who holds what."""

    def __init__(self, store: Store, epoch_s: Callable[[], float]) -> None:
        self._store = store
        self._epoch_s = epoch_s
        self._counted: tuple[float, list[Count]] = (-math.inf, [])

    def next(self, scorer: str) -> Shown | Nothing:
        """The next pair for this scorer, held for `HELD_S`. Raises ScorerError."""
        named(scorer)
        now_s = self._epoch_s()
        pair = self._store.next_for(scorer, now_s, HELD_S)
        if pair is None:
            return Nothing(sum(count.waiting for count in self.progress()))
        tickets = self._tickets()
        ticket = Ticket(pair.facts.decision, scorer)
        lower, upper = pair.lower.text, pair.upper.text
        left, right = (lower, upper) if tickets.lower_is_left(ticket) else (upper, lower)
        return Shown(tickets.sealed(ticket, now_s), pair.prompt, left, right)

    def judge(self, sealed: str, scorer: str, choice: Choice) -> None:
        """Take a verdict; a later one of the same scorer replaces the earlier. Raises ScorerError, TicketError."""
        named(scorer)
        now_s = self._epoch_s()
        tickets = self._tickets()
        ticket = tickets.read(sealed, now_s)
        if ticket.scorer != scorer:
            raise TicketError(f"the ticket was given to another scorer than {scorer!r}")
        verdict = _meant(choice, tickets.lower_is_left(ticket))
        if not self._store.judge(Judgement(ticket.decision, scorer, By.PEOPLE, verdict, now_s)):
            raise LapsedTicketError("the pair is no longer kept; ask for the next one")

    def progress(self) -> list[Count]:
        """By route and task; up to `COUNTED_S` old, since counting reads every judgement."""
        counted_s, counts = self._counted
        now_s = self._epoch_s()
        if not counted_s <= now_s < counted_s + COUNTED_S:
            counts = [_count(one) for one in self._store.progress()]
            self._counted = (now_s, counts)
        return counts

    def _tickets(self) -> Tickets:
        """Under the secret that stands in the store.

        It is read each time. If two replicas make one at the same moment, the later counts for both, and only tickets
        of that moment are lost.
        """
        secret = self._store.load(STATE)
        if secret is None:
            self._store.save(STATE, secrets.token_bytes(SECRET_BYTES))
            secret = self._store.load(STATE)
            assert secret is not None, "it was saved"
        return Tickets(secret)


def named(scorer: str) -> None:
    """Raises ScorerError unless this can be a scorer's name."""
    if not 0 < len(scorer) <= SCORER_CHARS or not scorer.isprintable() or scorer != scorer.strip():
        raise ScorerError(f"'scorer' must be a name of 1 to {SCORER_CHARS} printable characters")


def _count(one: Progress) -> Count:
    return Count(
        one.route,
        one.task,
        one.waiting,
        one.complete,
        one.by_people,
        one.by_model,
        one.same,
        one.people_agree,
        one.model_agrees,
    )


def _meant(choice: Choice, lower_is_left: bool) -> Verdict:
    match choice:
        case Choice.LEFT:
            return Verdict.LOWER if lower_is_left else Verdict.UPPER
        case Choice.RIGHT:
            return Verdict.UPPER if lower_is_left else Verdict.LOWER
        case Choice.TIE:
            return Verdict.TIE
        case Choice.BOTH_BAD:
            return Verdict.BOTH_BAD
        case Choice.SKIP:
            return Verdict.SKIP
