"""The circuit breaker of one endpoint: when it is left alone, and when it is tried again.

                    failures in a row, error rate, or a fault that a repetition cannot cure
        ┌────────┐ ─────────────────────────────────────────────────────────────────────► ┌──────┐
        │ CLOSED │                                                                        │ OPEN │ ◄─┐
        └────────┘ ◄─────────────── success of an attempt made although open ──────────── └──────┘   │ trial fails:
             ▲                                                                    open_for │         │ open_for × 2
             │                                   ┌───────────┐ ◄──────── has passed ───────┘         │
             └────────── trial succeeds ──────── │ HALF_OPEN │ ──────────────────────────────────────┘
                                                 └───────────┘

`step` is the whole machine: a frozen `Breaker` and an event give the next one, and nobody else moves the state.
`Guard` joins one to its window of counts for the hot path, and sorts out late news: every change of state begins a new
generation, an attempt carries the generation it was let through in, and the end of an attempt of an earlier one
changes nothing. So the dying answers of a burst cannot fail the trial after it, and a long stream begun in better
times cannot close what has opened since.

The clock is the caller's: any that only moves forward, in seconds.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil

from gateway.core.failure import FailureKind
from gateway.core.window import Counts, Ring


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """`breaker:` of pointsman.yaml."""

    failures: int = 5  # in a row
    window_s: float = 30.0
    error_rate: float = 0.2  # of the window's requests, from which it opens
    min_requests: int = 20  # in the window, below which the rate says nothing
    open_for_s: float = 30.0
    open_for_max_s: float = 300.0
    half_open_probes: int = 1  # trials at a time


class State(StrEnum):
    """In the order of getting worse: closed, half-open, open. The value is the word of the snapshot."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Event(StrEnum):
    ENTERED = "entered"  # an attempt is let through; only where `standing` is not OPEN
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # counts in the row
    THROTTLED = "throttled"  # a 429: does not count in the row, but fails a trial
    BROKE = "broke"  # the window's error rate is too high, or a repetition cannot cure it
    ENDED = "ended"  # says nothing about the endpoint


@dataclass(frozen=True, slots=True)
class Breaker:
    state: State = State.CLOSED
    since_s: float = 0.0
    generation: int = 0  # rises with every change of state
    row: int = 0  # failures in a row
    open_for_s: float = 0.0  # length of the last opening; 0 once properly closed
    trials_until_s: tuple[float, ...] = ()  # when each running trial is given up, ascending

    @property
    def retry_at_s(self) -> float:
        """When an open breaker lets the first trial through."""
        return self.since_s + self.open_for_s


def step(breaker: Breaker, event: Event, now_s: float, rules: BreakerRules) -> Breaker:
    """The breaker after the event."""
    match breaker.state:
        case State.CLOSED:
            return _step_closed(breaker, event, now_s, rules)
        case State.OPEN:
            return _step_open(breaker, event, now_s, rules)
        case State.HALF_OPEN:
            return _step_half_open(breaker, event, now_s, rules)


def _step_closed(breaker: Breaker, event: Event, now_s: float, rules: BreakerRules) -> Breaker:
    match event:
        case Event.SUCCEEDED:
            return replace(breaker, row=0)
        case Event.FAILED:
            failed = replace(breaker, row=breaker.row + 1)
            return _opened(failed, now_s, rules) if failed.row >= rules.failures else failed
        case Event.BROKE:
            return _opened(breaker, now_s, rules)
        case Event.ENTERED | Event.THROTTLED | Event.ENDED:
            return breaker


def _step_open(breaker: Breaker, event: Event, now_s: float, rules: BreakerRules) -> Breaker:
    match event:
        case Event.ENTERED:
            return _with_trial(_changed(breaker, State.HALF_OPEN, now_s), now_s, rules)
        case Event.SUCCEEDED:
            return _closed(breaker, now_s)
        case Event.FAILED | Event.THROTTLED | Event.BROKE | Event.ENDED:
            return breaker  # tried for want of a better one: neither news nor a reason to wait longer


def _step_half_open(breaker: Breaker, event: Event, now_s: float, rules: BreakerRules) -> Breaker:
    match event:
        case Event.ENTERED:
            return _with_trial(breaker, now_s, rules)
        case Event.SUCCEEDED:
            return _closed(breaker, now_s)
        case Event.FAILED:
            return _opened(replace(breaker, row=breaker.row + 1), now_s, rules)
        case Event.THROTTLED | Event.BROKE:
            return _opened(breaker, now_s, rules)
        case Event.ENDED:
            return replace(breaker, trials_until_s=breaker.trials_until_s[1:])


def standing(breaker: Breaker, now_s: float, rules: BreakerRules) -> State:
    """What an attempt would find now: HALF_OPEN where a trial would be let through, OPEN where none would."""
    match breaker.state:
        case State.CLOSED:
            return State.CLOSED
        case State.OPEN:
            return State.HALF_OPEN if now_s >= breaker.retry_at_s else State.OPEN
        case State.HALF_OPEN:
            running = sum(until_s > now_s for until_s in breaker.trials_until_s)
            return State.HALF_OPEN if running < rules.half_open_probes else State.OPEN


def _opened(breaker: Breaker, now_s: float, rules: BreakerRules) -> Breaker:
    open_for_s = min(max(rules.open_for_s, 2 * breaker.open_for_s), rules.open_for_max_s)
    return _changed(replace(breaker, open_for_s=open_for_s, trials_until_s=()), State.OPEN, now_s)


def _closed(breaker: Breaker, now_s: float) -> Breaker:
    """Properly closed: the next opening is a first one again."""
    return Breaker(State.CLOSED, since_s=now_s, generation=breaker.generation + 1)


def _with_trial(breaker: Breaker, now_s: float, rules: BreakerRules) -> Breaker:
    """With one more trial; one that never reports is given up after `open_for_s` and so cannot wedge the breaker."""
    running = tuple(until_s for until_s in breaker.trials_until_s if until_s > now_s)
    return replace(breaker, trials_until_s=(*running, now_s + rules.open_for_s))


def _changed(breaker: Breaker, state: State, now_s: float) -> Breaker:
    return replace(breaker, state=state, since_s=now_s, generation=breaker.generation + 1)


class Blame(StrEnum):
    """What a failed attempt says about the endpoint."""

    FAILURE = "failure"  # in the row and in the rate
    RATE_ONLY = "rate_only"
    ENDPOINT = "endpoint"  # opens the endpoint's breaker at once
    PROVIDER = "provider"  # opens the whole provider's breaker at once
    NONE = "none"  # made by the client or by the gateway


def blame(kind: FailureKind) -> Blame:
    """What a failure of this kind says about the endpoint (CONTRACT §5, Failover and Breaker)."""
    match kind:
        case FailureKind.RATE_LIMITED:
            return Blame.RATE_ONLY
        case FailureKind.CREDENTIAL | FailureKind.BILLING:
            return Blame.PROVIDER
        case FailureKind.NOT_FOUND:
            return Blame.ENDPOINT
        case (
            FailureKind.REJECTED
            | FailureKind.CONTEXT_LENGTH
            | FailureKind.TOO_LARGE
            | FailureKind.CANCELLED
            | FailureKind.INTERNAL
            | FailureKind.SHUTDOWN
            | FailureKind.TOTAL_TIMEOUT
        ):
            return Blame.NONE
        case (
            FailureKind.UNREACHABLE
            | FailureKind.CONNECT_TIMEOUT
            | FailureKind.FIRST_TOKEN_TIMEOUT
            | FailureKind.ANSWER_TIMEOUT
            | FailureKind.IDLE_TIMEOUT
            | FailureKind.DISCONNECTED
            | FailureKind.TRUNCATED
            | FailureKind.MALFORMED
            | FailureKind.OVERLOADED
            | FailureKind.SERVER_ERROR
        ):
            return Blame.FAILURE


PROOF_S = 30.0  # CONTRACT §5, Health: 3 live successes without a failure within it outweigh what the monitor says
NEVER_S = float("-inf")
_CLOSED = State.CLOSED  # a member of an enum costs ten times a name, and every answer asks


class Guard:
    """One live breaker: its state, and the window the error rate is taken from."""

    __slots__ = ("_first_s", "_ring", "_second_s", "_third_s", "breaker", "rules")

    def __init__(self, rules: BreakerRules, breaker: Breaker | None = None) -> None:
        self.rules = rules
        self.breaker = breaker or Breaker()
        self._ring = Ring(max(1, ceil(rules.window_s)))
        self._first_s = self._second_s = self._third_s = NEVER_S  # the last successes without a failure between

    def standing(self, now_s: float) -> State:
        """What an attempt would find now; takes nothing."""
        return standing(self.breaker, now_s, self.rules)

    def counts(self, now_s: float) -> Counts:
        """Outcomes within the breaker's window, 429s included."""
        return self._ring.counts(now_s)

    def proven(self, now_s: float) -> bool:
        """Whether live successes alone show that it works."""
        return now_s - self._third_s <= PROOF_S

    def enter(self, now_s: float) -> int | None:
        """Let an attempt through, as a trial where it is not closed: the generation to report with; None: refused."""
        if self.breaker.state is not State.CLOSED:
            if self.standing(now_s) is State.OPEN:
                return None
            self.breaker = step(self.breaker, Event.ENTERED, now_s, self.rules)
        return self.breaker.generation

    def enter_anyway(self, now_s: float) -> int:
        """Let an attempt through although the breaker may be open: nothing better is left."""
        generation = self.enter(now_s)
        return self.breaker.generation if generation is None else generation

    def succeeded(self, generation: int, now_s: float) -> None:
        if generation != self.breaker.generation:
            return
        self._third_s, self._second_s, self._first_s = self._second_s, self._first_s, now_s
        if self.breaker.state is not _CLOSED or self.breaker.row:
            self._apply(Event.SUCCEEDED, now_s)
        self._ring.succeeded(now_s)

    def failed(self, generation: int, blamed: Blame, now_s: float) -> None:
        if generation != self.breaker.generation:
            return
        if blamed is not Blame.NONE:
            self._first_s = self._second_s = self._third_s = NEVER_S
            self._ring.failed(now_s)
        self._apply(self._event(blamed, now_s), now_s)

    def _event(self, blamed: Blame, now_s: float) -> Event:
        match blamed:
            case Blame.NONE:
                return Event.ENDED
            case Blame.ENDPOINT | Blame.PROVIDER:
                return Event.BROKE
            case Blame.FAILURE:
                return Event.BROKE if self._fails_too_often(now_s) else Event.FAILED
            case Blame.RATE_ONLY:
                return Event.BROKE if self._fails_too_often(now_s) else Event.THROTTLED

    def _fails_too_often(self, now_s: float) -> bool:
        counts = self._ring.counts(now_s)
        return counts.total >= self.rules.min_requests and counts.error_rate >= self.rules.error_rate

    def _apply(self, event: Event, now_s: float) -> None:
        before = self.breaker.state
        self.breaker = step(self.breaker, event, now_s, self.rules)
        if self.breaker.state is not before:
            self._ring.clear()  # what was judged once is not judged again
