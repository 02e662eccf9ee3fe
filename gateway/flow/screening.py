"""Which endpoints may and can serve a kind of request: `core.screen`, asked once per kind and remembered.

A request's kind is what the answer depends on: its names, route, labels, tier, needs and what a wire format cannot
express of it. How long it is, what it costs and who is ill today is judged for each request, in `consider`.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from gateway.core import screen
from gateway.core.ask import NOTHING, Ask
from gateway.core.extras import NO_EXTRAS, Extras
from gateway.core.named import Named, Naming
from gateway.core.refusal import Refusal, RefusalKind, Refused
from gateway.core.sensitivity import merged
from gateway.core.value import Value
from gateway.flow.stage import Stage
from gateway.flow.world import World
from gateway.formats.registry import is_native, spoken

MEMO_LIMIT = 1_024  # different kinds of request remembered; one is about 1 KB
DAY_S = 86_400

# What a request may refer to that lies at the provider which made or was given it, by the client's name for it.
KEPT = frozenset(
    {"previous_response_id", "conversation", "prompt", "input[].type=item_reference", "file_id", "container"}
)

Inexpressible = tuple[tuple[screen.Kind, frozenset[str]], ...]



class Group(Value):
    """Endpoints meant by one name, tried before those of the next name."""

    among: tuple[str, ...] | None  # None: all
    named: bool


class Screening:
    """Screens in one `World`, and remembers."""

    def __init__(
        self, world: World, keyless: Callable[[], frozenset[str]], resolved: Callable[[str, str], Named]
    ) -> None:
        """`keyless` tells the providers without a key, `resolved` what a name means and which field it is in."""
        self._world = world
        self._keyless = keyless
        self._resolved = resolved
        self._memo: dict[object, tuple[screen.Screened, ...]] = {}

    def __len__(self) -> int:
        return len(self._memo)


    def of(self, stage: Stage) -> tuple[screen.Screened, ...]:
        """Every group of the request, screened; remembered by what the answer depends on."""
        ask, extras = stage.ask, stage.extras
        day = int(stage.moment.epoch_s // DAY_S)
        offered = NOTHING if ask.chat is None else ask.chat.offered
        inexpressible = () if ask.survey.plain else self._inexpressible(ask, extras, offered)
        key = (
            ask.surface, ask.model, stage.route.name, stage.tier, stage.labels, ask.survey.needs, ask.survey.signed_by,
            None if extras is NO_EXTRAS else (extras.models, extras.provider), inexpressible, self._keyless(), day,
            None if ask.embed is None else ask.embed.dimensions,
        )  # fmt: skip
        found = self._memo.get(key)
        if found is None:
            found = self._screened(stage, inexpressible)
            if offered and not extras.provider.require_parameters:
                found = self._or_without_offers(stage, found)
            self._keep(key, found)
        if ask.chat is not None and ask.chat.unplaced:
            _check_keeper(ask.chat.unplaced & KEPT, found)
        return found

    def demanded(self, demand: screen.Demand) -> screen.Screened:
        """Who may and can do what no client asked for; remembered too."""
        found = self._memo.get(demand)
        if found is None:
            found = self._keep(demand, (screen.screen(demand, self._world.policy.catalog),))
        return found[0]

    def _keep(self, key: object, found: tuple[screen.Screened, ...]) -> tuple[screen.Screened, ...]:
        if len(self._memo) >= MEMO_LIMIT:
            self._memo.clear()
        self._memo[key] = found
        return found

    def _screened(self, stage: Stage, inexpressible: Inexpressible) -> tuple[screen.Screened, ...]:
        catalog = self._world.policy.catalog
        demands = [self._demand(stage, group, inexpressible) for group in self._groups(stage)]
        return tuple(screen.screen(demand, catalog) for demand in demands)

    def _or_without_offers(self, stage: Stage, found: tuple[screen.Screened, ...]) -> tuple[screen.Screened, ...]:
        """What is merely offered to the model keeps endpoints out only as long as another is left."""
        if any(group.eligible for group in found):
            return found
        return self._screened(stage, self._inexpressible(stage.ask, stage.extras, NOTHING))

    def _inexpressible(self, ask: Ask, extras: Extras, offered: frozenset[str]) -> Inexpressible:
        """Fields of the request that endpoints of a kind cannot express, where there are any."""
        found = []
        operation = None if ask.chat is not None else ask.surface.operation
        for kind, endpoint in self._world.kinds:
            if operation is not None and endpoint.operation is not operation:
                continue  # is out anyway, and cannot be asked about what it does not do
            beyond = spoken(ask.surface, endpoint).inexpressible(ask, endpoint)
            lacking = beyond.fields | beyond.hints if extras.provider.require_parameters else beyond.fields
            if offered and not is_native(ask.surface, endpoint):
                lacking |= offered
            if lacking:
                found.append((kind, lacking))
        return tuple(found)

    def _groups(self, stage: Stage) -> list[Group]:
        named, rules = stage.named, stage.extras.provider
        free = named.naming in (Naming.AUTO, Naming.TIER)
        groups = [Group(None, named=False) if free else Group(named.endpoints, named=True)]
        for name in stage.extras.models or stage.route.fallbacks:
            other = self._resolved(name, "models")
            if stage.ask.chat is None and not self._same_weights(named, other):
                if not stage.extras.models:
                    continue
                words = f"{other.name!r}: {name_a_model(stage.ask)}"
                raise Refused(Refusal(RefusalKind.INVALID_REQUEST, words, param="models"))
            if other.naming in (Naming.AUTO, Naming.TIER):
                groups.append(Group(None, named=False))
            else:
                groups.append(Group(other.endpoints, named=True))
        if named.naming is Naming.ENDPOINT and rules.allow_fallbacks:
            model = self._world.policy.catalog.endpoints[named.endpoints[0]].model
            groups.append(Group(self._world.names.by_model[model], named=True))
        return groups

    def _same_weights(self, named: Named, other: Named) -> bool:
        """Only conversations can go on with another model: vectors, scores and voices of two cannot be compared."""
        catalog = self._world.policy.catalog.endpoints
        weights = {catalog[name].base_model for name in named.endpoints}
        return bool(other.endpoints) and all(catalog[name].base_model in weights for name in other.endpoints)

    def _demand(self, stage: Stage, group: Group, inexpressible: Inexpressible) -> screen.Demand:
        ask = stage.ask
        return screen.Demand(
            operation=ask.surface.operation,
            among=group.among,
            named=group.named,
            require=merged(stage.labels),
            needs=ask.survey.needs,
            signed_by=ask.survey.signed_by,
            tier=stage.tier,
            rules=stage.extras.provider,
            inexpressible=inexpressible,
            keyless=self._keyless(),
            today=datetime.fromtimestamp(stage.moment.epoch_s, UTC).date(),
            dimensions=None if ask.embed is None else ask.embed.dimensions,
            native_dimensions=self._native_dimensions(ask, stage.named),
        )

    def _native_dimensions(self, ask: Ask, named: Named) -> int | None:
        """Length of the vectors that a request means which does not say it: that of the first endpoint of the name."""
        if ask.embed is None or ask.embed.dimensions is not None:
            return None
        known = (self._world.policy.catalog.endpoints[name].dimensions for name in named.endpoints)
        return next((length for length in known if length is not None), None)


def _check_keeper(kept: frozenset[str], found: tuple[screen.Screened, ...]) -> None:
    """That it is clear who has what a request refers to: an id does not say who gave it, and nothing is stored here."""
    if not kept:
        return
    able = {endpoint.provider: endpoint.id for group in found for endpoint in group.eligible}
    if len(able) > 1:
        field, (provider, example) = min(kept), min(able.items())
        raise Refused(
            Refusal(
                RefusalKind.INVALID_REQUEST,
                f"{field} is known to one provider alone, and {', '.join(sorted(able))} could all be meant; name the "
                f'endpoint (such as "model": "{example}") or the provider ("provider": {{"only": ["{provider}"]}})',
                param=field,
            )
        )


def name_a_model(ask: Ask) -> str:
    """What to do about a name that leaves the choice of the model to the router, where it has none."""
    what = "embeddings" if ask.embed is not None else f"answers of {ask.surface.value}"
    return (
        f"{what} of different models cannot be compared, so name the model (GET /v1/models lists them), "
        "or let the operator pin one with `model:` on the route"
    )
