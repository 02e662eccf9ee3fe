"""The live breakers of all endpoints and of their providers.

An endpoint has its own breaker, and shares one with its siblings that opens when the provider refuses our key or our
balance: then none of them can serve, and one trial for all of them tells when it is mended.

Knows nothing of plans; says only what stands, lets through, and is told how it ended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.core.breaker import Blame, BreakerRules, Guard, State, blame
from gateway.core.failure import FailureKind
from gateway.core.value import Value

_CLOSED = State.CLOSED  # a member of an enum costs ten times a name, and every attempt asks four times
_BADNESS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


def worse(one: State, other: State) -> State:
    """The worse of two states."""
    return one if _BADNESS[one] >= _BADNESS[other] else other


class Ticket(Value):
    """Under which generations of the two breakers an attempt was let through; handed back when it ends."""

    own: int
    provider: int


@dataclass(frozen=True, slots=True)
class EndpointGuard:
    """Both breakers an attempt must pass."""

    own: Guard
    provider: Guard

    @property
    def state(self) -> State:
        """The worse state of the two, as events left it."""
        return worse(self.own.breaker.state, self.provider.breaker.state)

    def standing(self, now_s: float) -> State:
        """What an attempt would find now; takes nothing."""
        if self.own.breaker.state is _CLOSED is self.provider.breaker.state:
            return _CLOSED
        return worse(self.own.standing(now_s), self.provider.standing(now_s))

    def retry_at_s(self, now_s: float) -> float:
        """When the first trial may be let through; now, where none is needed."""
        breakers = (self.own.breaker, self.provider.breaker)
        return max([now_s, *(breaker.retry_at_s for breaker in breakers if breaker.state is State.OPEN)])

    def enter(self, now_s: float) -> Ticket | None:
        """Let an attempt through, or refuse it (None)."""
        own, provider = self.own.breaker, self.provider.breaker
        if own.state is _CLOSED is provider.state:
            return Ticket(own.generation, provider.generation)
        if self.standing(now_s) is State.OPEN:
            return None
        return self.enter_anyway(now_s)

    def enter_anyway(self, now_s: float) -> Ticket:
        """Let an attempt through although a breaker may be open: nothing better is left."""
        return Ticket(self.own.enter_anyway(now_s), self.provider.enter_anyway(now_s))

    def succeeded(self, ticket: Ticket, now_s: float) -> None:
        self.own.succeeded(ticket.own, now_s)
        if self.provider.breaker.state is not _CLOSED:
            self.provider.succeeded(ticket.provider, now_s)

    def failed(self, ticket: Ticket, kind: FailureKind, now_s: float) -> None:
        blamed = blame(kind)
        if blamed is Blame.PROVIDER:
            self.provider.failed(ticket.provider, blamed, now_s)
            self.own.failed(ticket.own, Blame.NONE, now_s)  # gives a trial back
        else:
            self.own.failed(ticket.own, blamed, now_s)
            self.provider.failed(ticket.provider, Blame.NONE, now_s)


class Guards(Mapping[str, EndpointGuard]):
    """The guard of each endpoint, by its id."""

    def __init__(self, providers: Mapping[str, str], rules: BreakerRules) -> None:
        """`providers`: endpoint id to provider id."""
        self._shared = {provider: Guard(rules) for provider in set(providers.values())}
        self._guards = {
            endpoint: EndpointGuard(Guard(rules), self._shared[provider]) for endpoint, provider in providers.items()
        }

    def renewed(self, providers: Mapping[str, str], rules: BreakerRules) -> "Guards":
        """The guards for a new configuration; what remains in it keeps its state.

        Under new rules the windows start empty, and an attempt under way reports to a guard nobody asks any more: a
        trial lost that way is given up in time.
        """
        after = Guards(providers, rules)
        for name in after._shared.keys() & self._shared.keys():
            after._shared[name] = _continued(self._shared[name], rules)
        for endpoint, provider in providers.items():
            own = self._guards[endpoint].own if endpoint in self._guards else None
            after._guards[endpoint] = EndpointGuard(_continued(own, rules), after._shared[provider])
        return after

    def __getitem__(self, endpoint: str) -> EndpointGuard:
        return self._guards[endpoint]

    def __iter__(self) -> Iterator[str]:
        return iter(self._guards)

    def __len__(self) -> int:
        return len(self._guards)


def _continued(guard: Guard | None, rules: BreakerRules) -> Guard:
    if guard is None:
        return Guard(rules)
    return guard if guard.rules == rules else Guard(rules, guard.breaker)
