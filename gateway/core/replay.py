"""What the record of a request still tells, once the request is gone: the facts by which it can be planned again.

A record holds no text. What the old configuration decided (tiers, floors, prices, order) is decided anew; what came
with the request itself (what it needed, whom it refused) is taken from the reasons for which endpoints were out, and
so is who was ill just then. What a record does not tell one by one is counted as out, and said to be a guess.
"""

from collections.abc import Iterable, Mapping

from gateway.core import catalog, screen
from gateway.core.policy import Policy, Route
from gateway.core.routes import fits
from gateway.core.value import TrackedValue

NEEDS = frozenset(
    {catalog.TOOLS, catalog.JSON_SCHEMA, catalog.VISION, catalog.AUDIO, catalog.PDF, catalog.TRANSLATION}
)
CAPABILITY = screen.capability("")
ILL = frozenset({screen.BREAKER_OPEN, screen.RATE_LIMITED})
AS_RECORDED = "as_recorded"  # was out then, for a reason that the record only counts


class Out(TrackedValue):
    """A candidate that was out, and why."""

    endpoint: str
    reasons: tuple[str, ...]


class Kind(TrackedValue):
    """What records have in common that are planned alike but for their size and their time."""

    surface: str
    model: str
    route: str | None = None  # None: refused before it had a route
    variant: str | None = None
    key_id: str | None = None
    task: str | None = None
    tier: str | None = None
    escalated: bool = False
    certified: bool = False  # went a tier lower on a certificate's grounds
    panic: bool = False
    labels: tuple[str, ...] = ()
    excluded: Mapping[str, int | None] = {}  # reason -> endpoints; None in columns that other records have
    able: tuple[str, ...] = ()  # candidates that were eligible
    out: tuple[Out, ...] = ()
    tops: tuple[str, ...] = ()  # the first eligible ones, in order
    passed_over: tuple[str, ...] = ()  # of the plan, before the one that answered
    first: str | None = None  # of the plan
    answered: str | None = None
    baseline: str | None = None


class Evidence(TrackedValue):
    """What holds of a request under every configuration."""

    needs: frozenset[str]
    unable: Mapping[str, str]  # endpoint id -> reason
    ill: Mapping[str, str]
    keyless: frozenset[str]  # providers
    partial: bool  # some were out for reasons that are only counted


def evidence_of(kind: Kind, seen: frozenset[str]) -> Evidence:
    """What the record proves.

    Args:
        kind: of the record.
        seen: endpoints that were eligible anywhere in the log, so that their absence here says something.
    """
    unable: dict[str, str] = {}
    ill: dict[str, str] = {}
    keyless: set[str] = set()
    told: dict[str, int] = {}
    for one in kind.out:
        for why in one.reasons:
            told[why] = told.get(why, 0) + 1
            if why in ILL:
                ill[one.endpoint] = why
            elif why == screen.NO_KEY:
                keyless.add(one.endpoint.partition("/")[0])
            elif _sticks(why):
                unable[one.endpoint] = why
    partial = any((count or 0) > told.get(why, 0) and _unseen(why, kind) for why, count in kind.excluded.items())
    if partial:
        for name in sorted(seen.difference(kind.able, (one.endpoint for one in kind.out))):
            unable[name] = AS_RECORDED
    lacked = {why.removeprefix(CAPABILITY) for why, count in kind.excluded.items() if count}
    return Evidence(NEEDS & lacked, unable, ill, frozenset(keyless), partial)


def _sticks(why: str) -> bool:
    """Whether a reason lies in the request: what it says that a wire format cannot, or its own rules."""
    if why.startswith(CAPABILITY):
        return why.removeprefix(CAPABILITY) not in NEEDS
    return why in (screen.NOT_ALLOWED, screen.PRICE)


def _unseen(why: str, kind: Kind) -> bool:
    """Whether an endpoint that was out for this reason is out whatever the configuration says."""
    return _sticks(why) or why == screen.NO_KEY or (why in ILL and not kind.panic)


Alike = tuple[str | None, str | None, str, bool]  # route, task, model where one is named, escalated


class Log(TrackedValue):
    """What a log as a whole tells."""

    seen: frozenset[str]  # endpoints that were eligible anywhere
    routes: frozenset[str]
    usual: Mapping[Alike, int]  # lowest tier of such requests: whoever needed a higher one asked for it

    @classmethod
    def of(cls, kinds: Iterable[Kind], policy: Policy) -> "Log":
        """`policy`: whose tiers they are compared by."""
        seen: set[str] = set()
        routes: set[str] = set()
        usual: dict[Alike, int] = {}
        for kind in kinds:
            seen.update(kind.able)
            if kind.route is not None:
                routes.add(kind.route)
            if not kind.certified:
                tier = tier_of(kind, policy) or 0
                usual[_usual(kind)] = min(tier, usual.get(_usual(kind), tier))
        return cls(frozenset(seen), frozenset(routes), usual)

    def asked_tier(self, kind: Kind, policy: Policy) -> int | None:
        """The tier that the request itself asked for: it needed a higher one than others like it."""
        tier = tier_of(kind, policy)
        return tier if tier is not None and tier > self.usual.get(_usual(kind), tier) else None


def _usual(kind: Kind) -> Alike:
    free = kind.model == "auto" or kind.model.startswith(("auto:", "tier:"))
    return kind.route, kind.task, "" if free else kind.model, kind.escalated


def tier_of(kind: Kind, policy: Policy) -> int | None:
    """The recorded tier in the order of this configuration; None where it has none of that name."""
    return policy.tiers.index(kind.tier) if kind.tier in policy.tiers else None


def route_of(kind: Kind, policy: Policy, recorded: frozenset[str]) -> Route | None:
    """The route that the request would take, as far as that can be known without its headers.

    That is the recorded one, unless one before it fits by key and model that the log does not know yet. None: the
    configuration has no such route, and key and model must choose.
    """
    for route in policy.routes:
        if route.name == kind.route:
            return route
        new = route.name not in recorded and not route.match.headers
        if new and (route.match.keys or route.match.models) and fits(route.match, {}, kind.key_id, kind.model):
            return route
    return None
