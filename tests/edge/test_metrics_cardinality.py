"""Whatever clients send, no label has a value that the operator or this program did not make."""

import asyncio
import json
from collections.abc import Mapping
from re import compile as pattern
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.ask import Surface
from gateway.core.catalog import Operation
from gateway.core.decision import Outcome
from gateway.core.failure import FailureKind
from gateway.core.policy import Label, Match, NamedModel, Route, Variant
from gateway.edge.metrics import Metrics
from gateway.edge.metrics_families import FIELD
from gateway.formats.registry import surface
from gateway.web.auth import Door
from gateway.web.desk import Desk
from tests.support.builders import TASKS, TIERS, a_world, an_endpoint
from tests.support.openai_scripts import an_answer, an_error
from tests.support.recording_sink import RecordingSink
from tests.support.virtual_time import VirtualLoop
from tests.support.walking import Walking

ROUTES = (
    Route("tagged", Match(headers=(("x-pointsman-tags", pattern(".*")),)), named_model=NamedModel.ANY),
    Route("default", split=(Variant("one", 1.0), Variant("two", 1.0)), tier_min=0),
)
WORLD = a_world(
    an_endpoint("alpha/m", tier=0), an_endpoint("beta/n", tier=2, api="anthropic"), an_endpoint("gamma/m", tier=None),
    routes=ROUTES, labels={name: Label(name) for name in ("public", "internal")},
)  # fmt: skip
KNOWN = {
    "route": {"", *(route.name for route in ROUTES)},
    "surface": {one.value for one in Surface},
    "outcome": {*(one.value for one in Outcome), *(kind.value for kind in FailureKind)},
    "endpoint": {"alpha/m", "beta/n", "gamma/m"},
    "type": {"input", "output", "cached_input", "reasoning"},
    "task": {*TASKS, *(one.value for one in Operation)},
    "tier": {"", *TIERS},
    "label": {"public", "internal"},
    "variant": {"one", "two"},
    "version": {"1"},
}
REASONS = {"overloaded", "rate_limited", "connections", "slow_head", "tier", "context", "not_allowed", "price",
           "cost_limit", "sensitivity", *KNOWN["outcome"], FIELD}  # fmt: skip

SCRIPTS = {"alpha": [an_answer("Hi."), an_error(500)], "beta": [an_error(429)], "gamma": [an_error(400)]}

words = st.sampled_from(["auto", "m", "n", "tier:large", "public", "small", "code", "alpha", "default"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["tools", "response_format", "n", "stream", "provider", "models", "session_id", "metadata", "user", "seed",
          "service_tier", "reasoning_effort", "max_tokens", "logit_bias"]  # fmt: skip
bodies = st.dictionaries(st.sampled_from(FIELDS) | words, values, max_size=5)
HEADERS = ["route", "sensitivity", "tier", "task", "max-cost", "deadline", "session", "tags"]
headers = st.dictionaries(st.sampled_from([f"x-pointsman-{name}" for name in HEADERS]), words, max_size=3)


async def labels_after(
    body: Mapping[str, Any], given_headers: Mapping[str, str], asked: Surface
) -> set[tuple[str, str]]:
    """Every label that the metrics have after one request."""
    walking, metrics = Walking(WORLD, SCRIPTS), Metrics("1")
    desk = Desk(walking.walk, Door(lambda: None, lambda: None))
    try:
        await desk.answer(surface(asked), given_headers, json.dumps(body).encode(), RecordingSink())
    finally:
        for decision in walking.decisions:
            metrics.observe(decision)
    samples = (sample for family in metrics.collect() for sample in family.samples)
    return {pair for sample in samples for pair in sample.labels.items()}


def check(found: set[tuple[str, str]]) -> None:
    for name, value in found:
        if name == "code":
            assert len(value) == 3
            assert value.isdecimal()
        elif name == "reason":
            assert value in REASONS or value.removeprefix("capability:") in FIXED_CAPABILITIES
        elif name != "le":
            assert value in KNOWN[name], (name, value)


FIXED_CAPABILITIES = {"tools", "json_schema", "vision", "audio", "pdf", "reasoning", "translation", "dimensions",
                      "signed_reasoning", *(one.value for one in Operation)}  # fmt: skip


@settings(max_examples=200)
@given(words, words, bodies, headers, st.sampled_from([Surface.CHAT, Surface.MESSAGES, Surface.RESPONSES]))
@example("n", "Hello", {"a_clients_own": 1, "provider": {"require_parameters": True}}, {}, Surface.CHAT)
@example("no-such", "Hello", {}, {"x-pointsman-tags": "a=b"}, Surface.CHAT)
@example("auto", "Hello", {}, {"x-pointsman-task": "made-up"}, Surface.CHAT)
def test_no_request_makes_a_label_of_its_own(
    model: str, text: str, body: dict[str, Any], given_headers: dict[str, str], asked: Surface
) -> None:
    whole = {"model": model, "messages": [{"role": "user", "content": text}], "input": text, "max_tokens": 5, **body}
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        check(runner.run(labels_after(whole, given_headers, asked)))
