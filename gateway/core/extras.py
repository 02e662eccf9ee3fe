"""The request's own wishes: OpenRouter's body fields and our headers, read and taken out of the body.

Everything here can only tighten what the operator allows. An unknown word is refused with the valid ones, since a
misspelt `sensitivity` that is silently ignored would be a leak.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from gateway.core.chat import Json
from gateway.core.policy import Policy
from gateway.core.value import Value

MAX_SESSION_CHARS = 256  # OpenRouter's limit for session_id
MAX_TAGS = 32
MAX_TAG_CHARS = 128


class BadExtra(Exception):
    """A wish that cannot be read. `param` says where it stands, the message what would be right."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param
        self.message = message


class MaxPrice(Value):
    """Highest accepted list prices, USD per million tokens; `request` in USD per request."""

    input: float | None = None
    output: float | None = None
    request: float | None = None


class ProviderRules(Value):
    """OpenRouter's `provider` object. Names are provider ids or endpoint ids."""

    order: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    allow_fallbacks: bool | None = None
    sort: str | None = None  # "price" | "latency" | "throughput"
    max_price: MaxPrice | None = None
    deny_data_collection: bool = False
    zdr: bool = False
    require_parameters: bool = False


class OnlyAfter(Value):
    """The providers' statuses after which another endpoint is tried; None: after any. It cures no more than ever."""

    again: frozenset[int] | None = None  # that has the same model
    elsewhere: frozenset[int] | None = None  # that the request names next


class Extras(Value):
    models: tuple[str, ...] = ()
    provider: ProviderRules = ProviderRules()
    session: str | None = None
    route: str | None = None
    sensitivity: tuple[str, ...] = ()
    tier: int | None = None
    task: str | None = None
    max_cost_usd: float | None = None
    deadline_s: float | None = None
    tags: tuple[tuple[str, str], ...] = ()
    tries: int | None = None  # of each model that is named, at most
    only_after: OnlyAfter | None = None


NO_EXTRAS = Extras()
BODY_FIELDS = frozenset({"models", "provider", "session_id"})
HEADER_PREFIX = "x-pointsman-"
HEADERS = ("route", "sensitivity", "tier", "task", "max-cost", "deadline", "session", "tags")


def read_extras(body: Mapping[str, Json], headers: Mapping[str, str], policy: Policy) -> tuple[Extras, dict[str, Json]]:
    """Read the wishes of a request.

    Args:
        body: the client's JSON object.
        headers: lower-cased names; only those that start with `x-pointsman-` are looked at.
        policy: says which routes, labels, tiers and tasks exist.

    Returns:
        The wishes, and the body without them.

    Raises:
        BadExtra: a field or header is unknown or has a wrong value.
    """
    ours = {name[len(HEADER_PREFIX) :]: value for name, value in headers.items() if name.startswith(HEADER_PREFIX)}
    if not ours and BODY_FIELDS.isdisjoint(body):
        return NO_EXTRAS, dict(body)
    for name in ours:
        if name not in HEADERS:
            valid = ", ".join(HEADER_PREFIX + known for known in HEADERS)
            raise BadExtra(HEADER_PREFIX + name, f"unknown header; valid: {valid}")
    rest = {name: value for name, value in body.items() if name not in BODY_FIELDS}
    session = _session(body.get("session_id"), ours.get("session"))
    extras = Extras(
        models=_names(body.get("models"), "models"),
        provider=_provider_rules(body.get("provider"), policy),
        session=session,
        route=_one_of(ours.get("route"), "route", [route.name for route in policy.routes]),
        sensitivity=_labels(ours.get("sensitivity"), policy),
        tier=_tier(ours.get("tier"), policy),
        task=_one_of(ours.get("task"), "task", policy.tasks),
        max_cost_usd=_positive(ours.get("max-cost"), "max-cost", "an amount in USD such as 0.02"),
        deadline_s=_positive(ours.get("deadline"), "deadline", "a number of seconds such as 30"),
        tags=_tags(ours.get("tags")),
    )
    return extras, rest


def _one_of(value: str | None, name: str, valid: "tuple[str, ...] | list[str]") -> str | None:
    if value is None:
        return None
    word = value.strip()
    if word in valid:
        return word
    near = get_close_matches(word, valid, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise BadExtra(HEADER_PREFIX + name, f"unknown {name} {word[:64]!r}; valid: {', '.join(valid)}{hint}")


def _tier(value: str | None, policy: Policy) -> int | None:
    word = _one_of(value, "tier", policy.tiers)
    return None if word is None else policy.tiers.index(word)


def _labels(value: str | None, policy: Policy) -> tuple[str, ...]:
    if value is None:
        return ()
    found = (_one_of(word, "sensitivity", tuple(policy.labels)) for word in value.split(","))
    return tuple(label for label in found if label is not None)


def _positive(value: str | None, name: str, right: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e9:
        raise BadExtra(HEADER_PREFIX + name, f"must be {right}, got {value[:64]!r}")
    return number


def _session(in_body: Json, in_header: str | None) -> str | None:
    session = in_header if in_body is None else in_body
    if session is None:
        return None
    param = HEADER_PREFIX + "session" if in_body is None else "session_id"
    if not isinstance(session, str) or not 0 < len(session) <= MAX_SESSION_CHARS:
        raise BadExtra(param, f"must be a text of 1 to {MAX_SESSION_CHARS} characters")
    return _valid_text(session, param)


def _valid_text(text: str, param: str) -> str:
    """Refuses bytes that are no UTF-8 (they arrive as lone surrogates): no record could hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadExtra(param, "must be UTF-8") from None
    return text


def _tags(value: str | None) -> tuple[tuple[str, str], ...]:
    if value is None or not value.strip():
        return ()
    tags = []
    for pair in _valid_text(value, HEADER_PREFIX + "tags").split(","):
        key, equals, text = pair.partition("=")
        if not equals or not key.strip() or len(pair) > MAX_TAG_CHARS:
            right = f"must be k=v,k=v with at most {MAX_TAG_CHARS} characters each"
            raise BadExtra(HEADER_PREFIX + "tags", f"{right}, got {pair[:64]!r}")
        tags.append((key.strip(), text.strip()))
    if len(tags) > MAX_TAGS:
        raise BadExtra(HEADER_PREFIX + "tags", f"at most {MAX_TAGS} tags, got {len(tags)}")
    return tuple(tags)


def _names(value: Json, param: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise BadExtra(param, "must be a list of names")
    return tuple(value)


def _flag(value: Json, param: str) -> bool:
    if not isinstance(value, bool):
        raise BadExtra(param, "must be true or false")
    return value


def _sort(value: Json, param: str) -> str:
    if isinstance(value, dict):
        value = value.get("by")
    if value not in ("price", "latency", "throughput"):
        raise BadExtra(param, "must be price, latency or throughput")
    return str(value)


def _max_price(value: Json, param: str) -> MaxPrice:
    known = {"prompt": "input", "completion": "output", "request": "request"}
    if not isinstance(value, dict):
        raise BadExtra(param, "must be an object such as {\"prompt\": 1, \"completion\": 2} in USD per million tokens")
    found: dict[str, float] = {}
    for name, price in value.items():
        if name not in known:
            raise BadExtra(f"{param}.{name}", f"unknown price; valid: {', '.join(known)}")
        found[known[name]] = _usd(price, f"{param}.{name}")
    return MaxPrice(**found)


def _usd(value: Json, param: str) -> float:
    """A price; a text as well, since OpenRouter's own prices are texts."""
    try:
        number = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if not 0 <= number < 1e9:
        raise BadExtra(param, "must be a number of USD")
    return number


def _deny(value: Json, param: str) -> bool:
    if value not in ("allow", "deny"):
        raise BadExtra(param, "must be allow or deny")
    return bool(value == "deny")


_RULES: Mapping[str, tuple[str, Callable[[Json, str], object]]] = {
    "order": ("order", _names),
    "only": ("only", _names),
    "ignore": ("ignore", _names),
    "allow_fallbacks": ("allow_fallbacks", _flag),
    "sort": ("sort", _sort),
    "max_price": ("max_price", _max_price),
    "data_collection": ("deny_data_collection", _deny),
    "zdr": ("zdr", _flag),
    "require_parameters": ("require_parameters", _flag),
}


def _provider_rules(value: Json, policy: Policy) -> ProviderRules:
    if value is None:
        return ProviderRules()
    if not isinstance(value, dict):
        raise BadExtra("provider", f"must be an object with any of: {', '.join(_RULES)}")
    found: dict[str, object] = {}
    for name, given in value.items():
        if name not in _RULES:
            raise BadExtra(f"provider.{name}", f"unknown field; valid: {', '.join(_RULES)}")
        field, read = _RULES[name]
        if given is not None:
            found[field] = read(given, f"provider.{name}")
    rules = ProviderRules(**found)  # type: ignore[arg-type]  # each reader returns its field's type
    for field in ("order", "only", "ignore"):
        for name in getattr(rules, field):
            if name not in policy.catalog.providers and name not in policy.catalog.endpoints:
                valid = ", ".join(policy.catalog.providers)
                raise BadExtra(f"provider.{field}", f"unknown provider {name[:64]!r}; configured: {valid}")
    return rules
