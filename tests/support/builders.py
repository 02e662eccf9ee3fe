"""Values of the router with everything filled in that a test does not care about."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from gateway.core.ask import Ask, Surface
from gateway.core.breaker import BreakerRules
from gateway.core.catalog import Catalog, Endpoint, KeyRef, Provider
from gateway.core.chat import Message, Role, Text
from gateway.core.classify import Classifier, UserRule
from gateway.core.extras import NO_EXTRAS, Extras
from gateway.core.named import Names
from gateway.core.plan import Step
from gateway.core.policy import Label, Policy, Route
from gateway.core.pricing import Price, Rates
from gateway.core.scan import Scanner
from gateway.core.task_rules import DEFAULT_RULES
from gateway.flow.run import Request
from gateway.flow.stage import Client, Moment
from gateway.flow.world import World, kinds_of
from gateway.formats.registry import surface as surface_named

TIERS = ("small", "medium", "large")
TASKS = ("code", "math", "reasoning", "creative", "summarization", "classification", "extraction", "translation",
         "factual", "email", "chat")  # fmt: skip
TASK_TIERS = dict.fromkeys(TASKS, 0)  # whatever the prompt says, every tier will do
EPOCH_S = 1_764_000_000.0  # 2025-11-24T16:00:00Z
START_S = 1_000.0  # where the virtual clock begins


def a_provider(name: str = "alpha", **changes: Any) -> Provider:
    """A provider without a key, at a host of its own name."""
    plain = Provider(id=name, api="openai", base_url=f"http://{name}.test/v1", key=KeyRef(none=True))
    return replace(plain, **changes)


def an_endpoint(name: str = "alpha/m", **changes: Any) -> Endpoint:
    """An endpoint of the middle tier whose limits are out of the way."""
    provider, _, model = name.partition("/")
    plain = Endpoint(
        id=name, provider=provider, model=model, upstream_id=model, base_model=model, api="openai",
        tier=1, context=200_000, max_output=16_000,
    )  # fmt: skip
    return replace(plain, **changes)


def a_catalog(*endpoints: Endpoint | str, providers: Iterable[Provider] = ()) -> Catalog:
    """A catalog of these endpoints; providers that are not given are plain ones."""
    rows = [an_endpoint(one) if isinstance(one, str) else one for one in endpoints]
    given = {provider.id: provider for provider in providers}
    for row in rows:
        given.setdefault(row.provider, a_provider(row.provider, api=row.api))
    return Catalog(given, {row.id: row for row in rows})


def a_policy(catalog: Catalog, **changes: Any) -> Policy:
    """One route that fits everything and asks for nothing."""
    plain = Policy(
        tiers=TIERS, routes=(Route("default"),), labels={"public": Label("public")}, tasks=TASKS,
        task_tiers=TASK_TIERS, rules=(), catalog=catalog,
    )  # fmt: skip
    return replace(plain, **changes)


def a_price(input_usd: float = 1.0, output_usd: float | None = None, **rates: Any) -> Price:
    """USD per million tokens; output costs four times the input unless it is given."""
    return Price(Rates(input_usd, 4 * input_usd if output_usd is None else output_usd, **rates))


def a_world(
    *endpoints: Endpoint | str, prices: Mapping[str, Price | None] | None = None, providers: Iterable[Provider] = (),
    scanner: Scanner | None = None, breaker: BreakerRules | None = None, **policy: Any,
) -> World:  # fmt: skip
    """A world in which the first endpoint is the cheapest, the next one costs twice as much, and so on."""
    catalog = a_catalog(*endpoints, providers=providers)
    rules = a_policy(catalog, **policy)
    rising = {name: a_price(float(2**place)) for place, name in enumerate(catalog.endpoints)}
    return World(
        policy=rules,
        names=Names.of(catalog),
        classifier=_classifier(rules.tasks, rules.rules),
        scanner=scanner,
        prices=rising if prices is None else prices,
        breaker_rules=breaker or BreakerRules(),
        kinds=kinds_of(rules),
    )


@cache
def _classifier(tasks: tuple[str, ...], rules: tuple[UserRule, ...]) -> Classifier:
    """One of each kind: making it is most of making a world."""
    return Classifier.compile(DEFAULT_RULES, tasks, rules)


def a_body(text: str = "Hello there", model: str = "auto", **fields: Any) -> dict[str, Any]:
    """A chat completion's JSON."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


def an_ask(body: Mapping[str, Any] | None = None, surface: Surface = Surface.CHAT, **fields: Any) -> Ask:
    """A parsed request: of `body`, or of a plain chat completion with `fields`."""
    given = a_body(**fields) if body is None else {**body, **fields}
    return surface_named(surface).parse(given, len(json.dumps(given)), {})


def a_request(
    ask: Ask | None = None, *, extras: Extras = NO_EXTRAS, headers: Mapping[str, str] | None = None,
    key_id: str | None = None, request_id: str = "0123456789abcdef", moment: Moment | None = None,
) -> Request:  # fmt: skip
    asked = ask or an_ask()
    return Request(
        request_id, asked, extras, Client(key_id, headers or {}), surface_named(asked.surface),
        moment or Moment(EPOCH_S, START_S),
    )  # fmt: skip


def a_step(name: str = "alpha/m", usd: float | None = 0.001, **changes: Any) -> Step:
    return Step(an_endpoint(name, **changes), usd)


def a_user_message(text: str) -> Message:
    return Message(Role.USER, (Text(text),))
