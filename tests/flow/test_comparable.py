"""Which requests' answers are compared, and so may be certified."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gateway.core.ask import Surface
from gateway.core.policy import Evaluate, Label, Route
from gateway.flow.comparable import step_of
from gateway.flow.keep import KEPT_BYTES
from tests.support.builders import a_body, an_ask

SMALL, MEDIUM, LARGE = 0, 1, 2
ROUTE = Route("default", evaluate=Evaluate(0.02, LARGE))
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SPOKEN = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}


def step(route: Route = ROUTE, tier: int = LARGE, floor: int = SMALL, labels: tuple[Label, ...] = ()) -> int | None:
    return step_of(route, an_ask(), labels, tier, floor)


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        (Surface.CHAT, a_body()),
        (Surface.CHAT, a_body(stream=True, n=1, tools=[{"type": "function", "function": {"name": "f"}}])),
        (Surface.MESSAGES, a_body(max_tokens=100)),
        (Surface.RESPONSES, {"model": "auto", "input": "Hello"}),
    ],
)
def test_conversations_are_compared(surface: Surface, body: dict[str, Any]) -> None:
    assert step_of(ROUTE, an_ask(body, surface), (), LARGE, SMALL) == MEDIUM


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        (Surface.CHAT, a_body(n=2)),
        (Surface.CHAT, {"model": "auto", "messages": [{"role": "user", "content": [IMAGE]}]}),
        (Surface.CHAT, {"model": "auto", "messages": [{"role": "user", "content": [SPOKEN]}]}),
        (Surface.RESPONSES, {"model": "auto", "input": "Go on", "previous_response_id": "resp_1"}),
        (Surface.COMPLETIONS, {"model": "auto", "prompt": "Hello"}),
        (Surface.COUNT_TOKENS, a_body()),
        (Surface.EMBEDDINGS, {"model": "auto", "input": "Hello"}),
    ],
    ids=["two answers", "an image", "audio", "half a conversation", "no conversation", "no answer", "vectors"],
)
def test_what_nobody_could_read_beside_another_answer_is_not(surface: Surface, body: dict[str, Any]) -> None:
    assert step_of(ROUTE, an_ask(body, surface), (), LARGE, SMALL) is None


def test_nor_is_what_is_too_long_to_be_kept() -> None:
    asks = [changed(an_ask(), bytes=KEPT_BYTES + more) for more in (0, 1)]
    assert [step_of(ROUTE, ask, (), LARGE, SMALL) for ask in asks] == [MEDIUM, None]


@pytest.mark.parametrize(
    ("tier", "floor", "found"),
    [
        (LARGE, SMALL, MEDIUM),
        (LARGE, MEDIUM, MEDIUM),
        (LARGE, LARGE, None),
        (MEDIUM, SMALL, SMALL),
        (SMALL, SMALL, None),
    ],
)
def test_there_must_be_a_tier_below_what_the_task_asks_for_and_above_every_floor(
    tier: int, floor: int, found: int | None
) -> None:
    assert step(tier=tier, floor=floor) == found


def test_what_needs_more_than_the_highest_tier_that_is_compared_is_not() -> None:
    route = replace(ROUTE, evaluate=Evaluate(0.02, MEDIUM))
    assert [step(route, tier=tier) for tier in (SMALL, MEDIUM, LARGE)] == [None, SMALL, None]


def test_what_the_route_caps_anyway_is_not() -> None:
    route = replace(ROUTE, tier_max=MEDIUM)
    assert [step(route, tier=tier) for tier in (SMALL, MEDIUM, LARGE)] == [None, SMALL, None]


def test_one_label_whose_content_nobody_may_keep_is_enough() -> None:
    plain, secret = Label("internal"), Label("secret", content_allowed=False)
    assert step(labels=(plain,)) == MEDIUM
    assert step(labels=(plain, secret)) is None


def test_a_route_must_ask_for_it() -> None:
    assert step(Route("default")) is None
