"""What has no neutral form, through the walk: named models, within privacy and cost limits, and no half answers."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.core.ask import Surface
from gateway.core.catalog import Operation, Privacy
from gateway.core.extras import NO_EXTRAS
from gateway.core.failure import FailureKind
from gateway.core.plan import Health
from gateway.core.policy import Label, Requirement, Route
from gateway.core.pricing import Price, Rates
from gateway.flow.consider import Planner
from gateway.flow.stage import Client, Moment
from tests.support.builders import EPOCH_S, START_S, a_provider, a_world, an_ask, an_endpoint
from tests.support.openai_scripts import an_error
from tests.support.scripted_upstream import HANG, Script, Status
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

IMAGE = {"model": "i", "prompt": "a lamp", "n": 4}
SPEECH = {"model": "s", "input": "Good day", "voice": "alloy"}
RANK = {"model": "r", "query": "lamps", "documents": ["chair", "lamp"]}
AUDIO = Status(200, (("content-type", "audio/mpeg"), ("set-cookie", "a=b")))


def rows(name: str, operation: Operation, *providers: str, **changes: Any) -> list[Any]:
    return [an_endpoint(f"{one}/{name}", operation=operation, **changes) for one in providers]


def by_unit(usd: float) -> Price:
    return Price(Rates(0.0, 0.0, per_request=usd))


def whole(value: Any) -> Script:
    return [Status(), json.dumps(value).encode()]


def four_images() -> Script:
    return whole({"data": [{"url": "x"}] * 4})


async def test_fails_over_within_the_model_and_records_what_was_done() -> None:
    both = rows("i", Operation.IMAGE, "alpha", "beta")
    world = a_world(*both, prices={"alpha/i": by_unit(0.02), "beta/i": by_unit(0.03)})
    walking = Walking(world, {"alpha": [an_error(503)], "beta": [four_images()]})
    sink = await walking.send(IMAGE, surface=Surface.IMAGES)
    row = walking.row
    assert (sink.status, sink.headers["x-pointsman-cost"]) == (200, "0.120000000000")
    assert walking.outcomes == [("alpha/i", "overloaded"), ("beta/i", "ok")]
    assert (row["surface"], row["task"], row["tier_required"], row["plan"]) == (
        "images", "image", None, ["alpha/i", "beta/i"],
    )  # fmt: skip
    assert [one["estimated_cost"] for one in row["candidates"]] == [pytest.approx(0.08), pytest.approx(0.12)]
    assert row["usage"]["units"] == 4
    assert (row["cost_usd"], row["baseline_cost_usd"]) == (pytest.approx(0.12), pytest.approx(0.08))


@pytest.mark.parametrize("model", ["auto", "tier:small"])
async def test_wants_a_model_by_name(model: str) -> None:
    walking = Walking(a_world(*rows("i", Operation.IMAGE, "alpha")), {})
    sink = await walking.send({**IMAGE, "model": model}, surface=Surface.IMAGES)
    assert (sink.status, sink.error["param"]) == (400, "model")
    assert sink.error["message"].startswith("answers of images of different models cannot be compared")


async def test_never_goes_to_another_model() -> None:
    world = a_world(*rows("i", Operation.IMAGE, "alpha"), *rows("j", Operation.IMAGE, "beta"))
    walking = Walking(world, {"alpha": [an_error(503)]})
    sink = await walking.send(IMAGE, surface=Surface.IMAGES)
    assert (sink.status, walking.upstream.tried) == (503, ["alpha/i"])
    refused = await walking.send({**IMAGE, "models": ["j"]}, surface=Surface.IMAGES)
    assert (refused.status, refused.error["param"]) == (400, "models")


async def test_auto_is_what_the_route_pins() -> None:
    world = a_world(*rows("i", Operation.IMAGE, "alpha"), routes=(Route("default", models=("i",), tier_min=2),))
    walking = Walking(world, {"alpha": [four_images()]})
    assert (await walking.send({**IMAGE, "model": "auto"}, surface=Surface.IMAGES)).status == 200


async def test_a_chat_model_makes_no_images_and_an_api_without_them_says_so() -> None:
    walking = Walking(a_world("alpha/m", *rows("i", Operation.IMAGE, "beta", api="anthropic")), {})
    chat = await walking.send({**IMAGE, "model": "m"}, surface=Surface.IMAGES)
    assert (chat.status, chat.error["metadata"]["excluded"]) == (422, {"capability:image": 1})
    other = await walking.send(IMAGE, surface=Surface.IMAGES)
    assert (other.status, other.error["metadata"]["excluded"]) == (422, {"capability:image": 1})


async def test_sensitivity_stands_above_the_name() -> None:
    secret = Label("secret", Requirement(retention_days=0))
    keeping, strict = a_provider("alpha"), a_provider("beta", privacy=Privacy(retention_days=0))
    world = a_world(
        *rows("i", Operation.IMAGE, "alpha", "beta"), providers=(keeping, strict), labels={"secret": secret}
    )
    walking = Walking(world, {"beta": [four_images()]})
    await walking.send(IMAGE, surface=Surface.IMAGES, headers={"x-pointsman-sensitivity": "secret"})
    assert walking.upstream.tried == ["beta/i"]


@pytest.mark.parametrize(
    ("body", "surface", "price", "limit", "status"),
    [
        (IMAGE, Surface.IMAGES, by_unit(0.02), "0.0801", 200),
        (IMAGE, Surface.IMAGES, by_unit(0.02), "0.0799", 402),
        (IMAGE, Surface.IMAGES, Price(Rates(5.0, 40.0)), "9", 402),  # nobody knows how many tokens an image has
        (SPEECH, Surface.SPEECH, by_unit(0.001), "0.0081", 200),
        (SPEECH, Surface.SPEECH, by_unit(0.001), "0.0079", 402),
        (RANK, Surface.RERANK, by_unit(0.002), "0.0021", 200),
        (RANK, Surface.RERANK, Price(Rates(1.0, 0.0)), "0.0001", 402),
        (RANK, Surface.RERANK, Price(Rates(1.0, 0.0)), "0.01", 200),
    ],
)
async def test_keeps_a_cost_limit_or_refuses(
    body: Any, surface: Surface, price: Price, limit: str, status: int
) -> None:
    world = a_world(*rows(body["model"], surface.operation, "alpha"), prices={f"alpha/{body['model']}": price})
    walking = Walking(world, {"alpha": [[AUDIO, b"ID3"] if body is SPEECH else four_images()]})
    sink = await walking.send(body, surface=surface, headers={"x-pointsman-max-cost": limit})
    assert sink.status == status


async def test_keeps_a_cost_limit_over_several_attempts() -> None:
    prices = dict.fromkeys(("alpha/i", "beta/i"), by_unit(0.02))
    world = a_world(*rows("i", Operation.IMAGE, "alpha", "beta"), prices=prices)
    for limit, tried in (("0.1", 1), ("0.17", 2)):
        walking = Walking(world, {"alpha": [[HANG]], "beta": [[HANG]]})
        await walking.send(IMAGE, surface=Surface.IMAGES, headers={"x-pointsman-max-cost": limit})
        assert len(walking.upstream.calls) == tried


def test_where_nobody_knows_the_units_no_promise_is_made_and_no_estimate() -> None:
    ask = an_ask(IMAGE, Surface.IMAGES)
    assert ask.passed is not None
    unknown = replace(ask, passed=replace(ask.passed, units=None))
    world = a_world(*rows("i", Operation.IMAGE, "alpha"), prices={"alpha/i": by_unit(0.02)})
    planner = Planner(world, lambda _: Health(), frozenset)
    found = planner.consider(unknown, NO_EXTRAS, Client(None, {}), Moment(EPOCH_S, START_S))
    assert [step.estimate_usd for step in found.steps] == [None]


async def test_speech_passes_its_bytes_and_type_and_nothing_else_of_the_head() -> None:
    prices = dict.fromkeys(("alpha/s", "beta/s"), by_unit(1e-5))
    world = a_world(*rows("s", Operation.SPEECH, "alpha", "beta"), prices=prices)
    page: Script = [Status(200, (("content-type", "text/html"),)), b"<html>busy</html>"]
    walking = Walking(world, {"alpha": [page], "beta": [[AUDIO, b"ID3", 25.0, b"\0\1"]]})
    sink = await walking.send({**SPEECH, "provider": {"order": ["alpha"]}}, surface=Surface.SPEECH)
    assert (sink.body, sink.ended, sink.headers["content-type"]) == (b"ID3\0\1", True, "audio/mpeg")
    assert "set-cookie" not in sink.headers
    assert walking.outcomes == [("alpha/s", "malformed"), ("beta/s", "ok")]
    assert walking.row["cost_usd"] == pytest.approx(2 * 8e-5)  # the page may have been billed as well


async def test_speech_that_breaks_off_is_cut_and_not_ended() -> None:
    world = a_world(*rows("s", Operation.SPEECH, "alpha", "beta"))
    walking = Walking(world, {"alpha": [[AUDIO, b"ID3", FailureKind.DISCONNECTED]], "beta": [[AUDIO, b"ID3"]]})
    sink = await walking.send(SPEECH, surface=Surface.SPEECH)
    assert (sink.body, sink.aborted, sink.ended) == (b"ID3", True, False)
    assert (walking.row["outcome"], len(walking.upstream.calls)) == ("partial", 1)


async def test_a_stream_of_events_that_breaks_off_says_so() -> None:
    world = a_world(*rows("i", Operation.IMAGE, "alpha"))
    events = b'data: {"type":"image_generation.partial_image","b64_json":"AA"}\n\n'
    walking = Walking(world, {"alpha": [[events, FailureKind.DISCONNECTED]]})
    sink = await walking.send({**IMAGE, "stream": True}, surface=Surface.IMAGES)
    assert sink.body.startswith(events + b"event: error\ndata: {")
    assert sink.ended


@pytest.mark.parametrize(("price", "usd"), [(by_unit(0.02), 0.08), (Price(Rates(5.0, 40.0)), None)])
async def test_an_answer_that_never_came_may_cost_what_was_asked(price: Price, usd: float | None) -> None:
    walking = Walking(a_world(*rows("i", Operation.IMAGE, "alpha"), prices={"alpha/i": price}), {"alpha": [[HANG]]})
    await walking.send(IMAGE, surface=Surface.IMAGES)
    assert walking.row["cost_usd"] == usd
    assert walking.row["usage"]["estimated"]


async def test_a_record_with_texts_keeps_what_was_to_be_said_and_not_the_sound() -> None:
    world = a_world(*rows("s", Operation.SPEECH, "alpha"), routes=(Route("default", record_full=True),))
    walking = Walking(world, {"alpha": [[AUDIO, b"ID3"]]})
    await walking.send(SPEECH, surface=Surface.SPEECH)
    texts = walking.decisions[-1].texts
    assert texts == {"request": SPEECH, "response": None}
