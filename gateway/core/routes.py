"""Which route a request takes, and in which arm of its split.

A route fits when all its conditions do. The first that fits is taken, unless the request names one; the sensitivity
floors of every one that fits apply either way, so that naming a lax route cannot undo a strict one.
"""

from collections.abc import Mapping
from hashlib import blake2b

from gateway.core.policy import Match, Policy, Route, Variant
from gateway.core.value import Value


class Taken(Value):
    route: Route
    floors: tuple[str, ...]  # sensitivity labels of every route that fits, and of the one taken


def fits(match: Match, headers: Mapping[str, str], key_id: str | None, model: str) -> bool:
    """Whether every condition of `match` holds; header names are lower-cased."""
    for name, pattern in match.headers:
        value = headers.get(name)
        if value is None or not pattern.fullmatch(value):
            return False
    if match.keys and not any(pattern.fullmatch(key_id or "") for pattern in match.keys):
        return False
    return not match.models or any(pattern.fullmatch(model) for pattern in match.models)


def take(policy: Policy, headers: Mapping[str, str], key_id: str | None, model: str, named: str | None) -> Taken:
    """Choose the route of a request.

    Args:
        policy: its routes, the last of which fits everything.
        headers: the request's, lower-cased names.
        key_id: id of the client's key, if keys are in use.
        model: as the client named it.
        named: a route the request names itself; it is taken whether or not its match fits.
    """
    fitting = [route for route in policy.routes if fits(route.match, headers, key_id, model)]
    taken = fitting[0] if fitting else policy.routes[-1]
    if named is not None:
        taken = next(route for route in policy.routes if route.name == named)
    floors: dict[str, None] = {}  # as a set, in order
    for route in (*fitting, taken):
        if route.sensitivity is not None:
            floors[route.sensitivity] = None
    return Taken(taken, tuple(floors))


def variant_of(route: Route, unit: str) -> Variant | None:
    """The arm of the route's split for `unit` (the session): the same unit is in the same arm on every replica."""
    if not route.split:
        return None
    whole = sum(variant.weight for variant in route.split)
    draw = draw_of(f"{route.name}\0{unit}") * whole
    for variant in route.split:
        draw -= variant.weight
        if draw < 0:
            return variant
    return route.split[-1]


def draw_of(text: str) -> float:
    """A number in [0, 1) that depends on `text` alone."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()) / 2**48
