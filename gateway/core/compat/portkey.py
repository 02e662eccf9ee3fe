"""Portkey's `x-portkey-config` header: the tree of targets as models to try in order.

Owns what of it a caller may say: which of the configured endpoints, in which order, how often and for how long. Never
where they are or with which key: such a field is refused by name, as is every other that would have no effect.

Source: Portkey's documentation, "Gateway config object", and the JSON schema of its open gateway.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import accumulate

import msgspec

from gateway.core.chat import Json
from gateway.core.compat.foreign import NOTHING, Foreign, bounded_tags, positive, whole_number
from gateway.core.compat.names import metadata_header, provider_named
from gateway.core.compat.query import Context, holds
from gateway.core.extras import BODY_FIELDS, BadExtra, OnlyAfter
from gateway.core.policy import Policy
from gateway.core.routes import draw_of
from gateway.core.value import Value

CONFIG = "x-portkey-config"
METADATA = "x-portkey-metadata"
MAX_TARGETS = 32  # that a request may be sent to; a plan tries 20 at most
MAX_DEPTH = 8
MAX_STATUSES = 100
READ = (
    "strategy", "targets", "name", "weight", "provider", "virtual_key", "override_params", "retry", "request_timeout",
)  # fmt: skip
OPERATORS = frozenset({"api_key", "custom_host", "forward_headers"})
SAVED = (
    "a saved config ('pc-…') is known to Portkey alone; send the config itself as JSON, "
    "or make it a part of this gateway's configuration: pointsman import portkey CONFIG.json"
)
_CAMEL: Mapping[str, str] = {
    "virtualKey": "virtual_key", "overrideParams": "override_params", "requestTimeout": "request_timeout",
    "apiKey": "api_key", "customHost": "custom_host", "forwardHeaders": "forward_headers",
    "onStatusCodes": "on_status_codes",
}  # fmt: skip


class Target(Value):
    """One leaf of the tree."""

    model: str  # as our names are: `provider/model`, or a model
    params: Mapping[str, Json]
    retries: int | None
    timeout_s: float | None
    again: frozenset[int] | None  # the statuses after which it is tried again; None: any


class Above(Value):
    """What targets inherit from the objects around them."""

    params: Mapping[str, Json] = {}
    retries: int | None = None
    timeout_s: float | None = None
    again: frozenset[int] | None = None


class Asked(Value):
    """The request that a config is about."""

    body: Mapping[str, Json]
    policy: Policy
    unit: str  # a load balancer's draw depends on it alone
    path: str  # of the surface


def read_portkey(headers: Mapping[str, str], asked: Asked) -> tuple[Foreign, Mapping[str, Json]]:
    """The wishes, and the body with the model and the parameters that the config says.

    Raises:
        BadExtra: the config cannot be read, or asks for what a caller may not.
    """
    metadata = _json_header(headers, METADATA)
    config = _json_header(headers, CONFIG)
    tags = bounded_tags(tuple((key, _word(value)) for key, value in metadata.items()), METADATA)
    if CONFIG not in headers:
        return (Foreign(tags=tags) if tags else NOTHING), asked.body
    context = {"metadata": metadata, "params": asked.body, "url": {"pathname": asked.path}}
    tree = _Tree(asked, context)
    targets = tree.targets(config, CONFIG, Above(), 0)
    first, *others = targets
    if any(target.params != first.params for target in others):
        raise BadExtra(f"{CONFIG}.override_params", "must be the same for every target, but for the model")
    known = [target.retries for target in targets if target.retries is not None]
    limits = [target.timeout_s for target in targets]
    foreign = Foreign(
        fallbacks=tuple(target.model for target in others),
        retries=max(known, default=None),
        deadline_s=reduce(_sum, limits),
        tags=tags,
        only_after=_only_after(_any_of([target.again for target in targets]), _any_of(tree.elsewhere)),
    )
    return foreign, {**asked.body, **first.params, "model": first.model}


def _only_after(again: frozenset[int] | None, elsewhere: frozenset[int] | None) -> OnlyAfter | None:
    return None if again is None and elsewhere is None else OnlyAfter(again, elsewhere)


def _any_of(each: Sequence[frozenset[int] | None]) -> frozenset[int] | None:
    """One rule for the whole request: where one is not bounded, all together are not."""
    stated = [one for one in each if one is not None]
    return frozenset().union(*stated) if stated and len(stated) == len(each) else None


def metadata_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The metadata as headers that routes can match: `{"user_plan": "paid"}` as `x-user-plan: paid`.

    Raises:
        BadExtra: they are none.
    """
    fields = ((metadata_header(key), _word(value)) for key, value in _json_header(headers, METADATA).items())
    return {name: value for name, value in fields if name is not None}


def _sum(one: float | None, other: float | None) -> float | None:
    """Each target has its own time; where one has no limit, all together have none."""
    return None if one is None or other is None else one + other


def _word(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _json_header(headers: Mapping[str, str], name: str) -> dict[str, Json]:
    text = headers.get(name)
    if text is None:
        return {}
    if name == CONFIG and not text.lstrip().startswith("{"):
        raise BadExtra(name, SAVED)
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadExtra(name, "must be a JSON object")
    return found


class _Tree:
    """Reads a config of one request."""

    def __init__(self, asked: Asked, context: Context) -> None:
        self._asked = asked
        self._context = context
        self.elsewhere: list[frozenset[int] | None] = []  # of each strategy that has something else to try

    def targets(self, node: Json, where: str, above: Above, depth: int) -> list[Target]:
        """The targets to try, best first; never none."""
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            raise BadExtra(where, f"must be an object, nested {MAX_DEPTH} deep at most")
        fields: dict[str, Json] = {_CAMEL.get(key, key): value for key, value in node.items()}
        _check(fields, where)
        here = _inherited(fields, where, above)
        if "targets" not in fields:
            return [self._leaf(fields, where, here)]
        children = fields["targets"]
        if not isinstance(children, list) or not 0 < len(children) <= MAX_TARGETS:
            raise BadExtra(f"{where}.targets", f"must be a list of 1 to {MAX_TARGETS} targets")
        found: list[Target] = []
        strategy = fields.get("strategy")
        order = self._order(strategy, children, where)
        if len(order) > 1:
            self.elsewhere.append(_statuses(strategy, f"{where}.strategy"))
        for index in order:
            found += self.targets(children[index], f"{where}.targets[{index}]", here, depth + 1)
        if len(found) > MAX_TARGETS:
            raise BadExtra(where, f"at most {MAX_TARGETS} targets in all")
        return found

    def _order(self, strategy: Json, children: list[Json], where: str) -> list[int]:
        """Indices of the children that are tried, best first."""
        at = f"{where}.strategy"
        mode = strategy.get("mode") if isinstance(strategy, dict) else strategy
        match mode:
            case "single":
                return [0]
            case "fallback":
                return list(range(len(children)))
            case "loadbalance":
                return self._drawn(children, where)
            case "conditional":
                return [self._chosen(strategy, children, at)]
            case _:
                raise BadExtra(f"{at}.mode", "must be single, fallback, loadbalance or conditional")

    def _drawn(self, children: list[Json], where: str) -> list[int]:
        """The one that is drawn, and those behind it in case it fails; what has no weight is not tried."""
        weights = [_weight(child, f"{where}.targets[{index}].weight") for index, child in enumerate(children)]
        drawn = [index for index, weight in enumerate(weights) if weight > 0]
        if not drawn:
            raise BadExtra(f"{where}.targets", "must have a weight above 0, one at least")
        ends = list(accumulate(weights[index] for index in drawn))
        draw = draw_of(f"portkey\0{where}\0{self._asked.unit}") * ends[-1]
        place = min(bisect_right(ends, draw), len(drawn) - 1)
        return drawn[place:] + drawn[:place]

    def _chosen(self, strategy: Mapping[str, Json], children: list[Json], at: str) -> int:
        conditions = strategy.get("conditions")
        if not isinstance(conditions, list):
            raise BadExtra(f"{at}.conditions", "must be a list")
        for index, one in enumerate(conditions):
            place = f"{at}.conditions[{index}]"
            if not isinstance(one, dict):
                raise BadExtra(place, 'must be an object such as {"query": {…}, "then": "a target"}')
            if holds(one.get("query"), self._context, f"{place}.query"):
                return _named(one.get("then"), children, f"{place}.then")
        if strategy.get("default") is None:
            raise BadExtra(f"{at}.default", "is missing, and no condition holds")
        return _named(strategy["default"], children, f"{at}.default")

    def _leaf(self, fields: Mapping[str, Json], where: str, here: Above) -> Target:
        model = here.params.get("model", self._asked.body.get("model"))
        if not isinstance(model, str) or not model:
            raise BadExtra(f"{where}.override_params.model", "is missing, and the body names no model")
        said = [key for key in ("provider", "virtual_key") if fields.get(key) is not None]
        model = model.removeprefix("@")  # Portkey's `@provider/model`
        if said:
            provider = self._provider(fields[said[0]], f"{where}.{said[0]}")
            own = f"{provider}/"
            model = model if model.startswith(own) and self._has(model) else own + model
        params = {name: value for name, value in here.params.items() if name != "model"}
        return Target(model, params, here.retries, here.timeout_s, here.again)

    def _has(self, endpoint: str) -> bool:
        provider, _, model = endpoint.partition("/")
        endpoints = self._asked.policy.catalog.endpoints
        return endpoint in endpoints or any(
            one.provider == provider and one.upstream_id == model for one in endpoints.values()
        )

    def _provider(self, name: Json, where: str) -> str:
        providers = self._asked.policy.catalog.providers
        found = provider_named(name, providers) if isinstance(name, str) else None
        if found is None:
            raise BadExtra(where, f"is no provider here; configured: {', '.join(providers)}")
        return found


def _check(fields: Mapping[str, Json], where: str) -> None:
    for name in fields:
        if name in OPERATORS or name.startswith(("azure_", "aws_", "vertex_")):
            words = "a request cannot say where a provider is or with which key it is called: that is configured"
            raise BadExtra(f"{where}.{name}", f"{words}; name a configured provider instead")
        if name not in READ:
            raise BadExtra(f"{where}.{name[:64]}", f"has no equivalent here, leave it out; read are: {', '.join(READ)}")


def _inherited(fields: Mapping[str, Json], where: str, above: Above) -> Above:
    params, timeout, retry = fields.get("override_params"), fields.get("request_timeout"), fields.get("retry")
    if params is not None and not isinstance(params, dict):
        raise BadExtra(f"{where}.override_params", "must be an object")
    if not BODY_FIELDS.isdisjoint(params or ()):
        raise BadExtra(f"{where}.override_params", f"cannot hold {', '.join(sorted(BODY_FIELDS))}")
    if retry is not None and (not isinstance(retry, dict) or "attempts" not in retry):
        raise BadExtra(f"{where}.retry", 'must be an object such as {"attempts": 2}')
    return Above(
        params={**above.params, **(params or {})},
        retries=above.retries if retry is None else whole_number(retry["attempts"], f"{where}.retry.attempts"),
        timeout_s=above.timeout_s
        if timeout is None
        else positive(timeout, f"{where}.request_timeout", "a number of milliseconds such as 10000") / 1000,
        again=above.again if retry is None else _statuses(retry, f"{where}.retry"),
    )


def _statuses(rule: Json, where: str) -> frozenset[int] | None:
    """The statuses that a strategy or a retry is bound to, if it is."""
    fields = {_CAMEL.get(key, key): value for key, value in rule.items()} if isinstance(rule, dict) else {}
    given = fields.get("on_status_codes")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > MAX_STATUSES or not all(map(_is_status, given)):
        raise BadExtra(f"{where}.on_status_codes", f"must be a list of at most {MAX_STATUSES} statuses such as 429")
    return frozenset(given)


def _is_status(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599


def _weight(child: Json, where: str) -> float:
    weight = child.get("weight", 1) if isinstance(child, dict) else 1
    if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight < 1e9:
        raise BadExtra(where, "must be a number from 0")
    return float(weight)


def _named(name: Json, children: list[Json], where: str) -> int:
    for index, child in enumerate(children):
        if isinstance(child, dict) and isinstance(name, str) and child.get("name") == name:
            return index
    raise BadExtra(where, "is not the name of a target")
