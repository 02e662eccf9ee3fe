"""Which requests get spans, and what becomes of them between the queue and a collector."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Catalog
from gateway.core.decision import AttemptRow, Decision, Outcome
from gateway.core.policy import Label
from gateway.core.trace import Trace
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.otlp import Collector, Target
from gateway.edge.tracing.places import Places
from gateway.edge.tracing.settings import Tracing
from gateway.edge.tracing.tracer import Export, Kept, Tracer
from gateway.formats.registry import surface
from tests.support.decisions import CONSIDERED
from tests.support.receiver import HANG_UP, NEVER, Reply, receiving
from tests.support.spans import exported, plain_values

BEGUN = Trace("0af7651916cd43dd0123456789abcdef", "0123456789abcdef", None, 0, "", False)
SEEN = replace(BEGUN, flags=1, recorded=True)
DECISION = Decision(
    id="0123456789abcdef", time_s=1.0, surface="chat", model="auto", stream=False, key_id=None, tags=(),
    considered=None, tiers=(), prompt_hash=None, prompt_chars=0,
    attempts=(AttemptRow("alpha/m", 0.0, None, 10.0, "ok", 200, None, 0.0),), endpoint="alpha/m", provider="alpha",
    status=200, outcome=Outcome.OK, error=None, usage=None, cost_usd=None, baseline_cost_usd=None, saved_usd=None,
    latency_ms=10.0, ttft_ms=None, response_hash=None, trace=BEGUN,
)  # fmt: skip
BODY = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
ASK = surface(Surface.CHAT).parse(BODY, 0, {})
TEXTS = {"request": BODY, "response": None}
LONG_S = 20.0  # real seconds for a courier to deliver; only failing tests take so long


def tracer(url: str, captures: bool = False) -> Tracer:
    tracing = Tracing(Target(url, {}, timeout_s=0.2), 0.01, heeds_parent=True, slow_s=2.0, captures=captures)
    return Tracer(tracing, Catalog, {"service.name": "gw"}, now_s=lambda: 1_000.0)


@pytest.fixture
def taken() -> Callable[..., tuple[Decision, list[Any]]]:
    """What comes of a decision: itself, and its spans."""

    def take(decision: Decision, captures: bool = False, ask: Ask = ASK) -> tuple[Decision, list[Any]]:
        with receiving() as receiver:
            made = tracer(receiver.url, captures)
            result = made.take(decision, ask)
            made.close(LONG_S)
        return result, exported(one.body for one in receiver.sent)

    return take


Taken = Callable[..., tuple[Decision, list[Any]]]


def test_makes_spans_of_what_the_head_chose(taken: Taken) -> None:
    decision = replace(DECISION, trace=SEEN)
    result, spans = taken(decision)
    assert result is decision
    assert [span.name for span in spans] == ["POST /v1/chat/completions", "chat m"]


def test_makes_none_of_what_is_not_worth_it_nor_of_what_is_not_traced(taken: Taken) -> None:
    for decision in (DECISION, replace(DECISION, trace=None, outcome=Outcome.FAILED)):
        assert taken(decision) == (decision, [])


def test_makes_spans_of_failures_whatever_the_head_said(taken: Taken) -> None:
    failed = replace(DECISION, outcome=Outcome.FAILED, status=503)
    result, spans = taken(failed)
    assert result == replace(failed, trace=replace(BEGUN, recorded=True))
    assert [span.flags & 1 for span in spans] == [0, 0]  # as its provider was told


@pytest.mark.parametrize("captures", [False, True])
def test_texts_go_along_only_where_that_is_wanted(taken: Taken, captures: bool) -> None:
    told = replace(DECISION, trace=SEEN, texts=TEXTS)
    result, (_, attempt) = taken(told, captures)
    assert result is told  # the other sinks have a will of their own
    assert ("gen_ai.input.messages" in plain_values(attempt.attributes)) is captures


def test_texts_stay_out_where_the_record_has_none(taken: Taken) -> None:
    _, (_, attempt) = taken(replace(DECISION, trace=SEEN), True)
    assert "gen_ai.input.messages" not in plain_values(attempt.attributes)


@pytest.mark.parametrize(
    ("labels", "told"), [((), ["END"]), ((Label("pii"), Label("secret", content_allowed=False)), None)]
)
def test_tells_what_the_client_stated_but_no_text_that_a_label_forbids(
    taken: Taken, labels: tuple[Label, ...], told: list[str] | None
) -> None:
    body = {**BODY, "temperature": 0.5, "stop": "END"}
    decision = replace(DECISION, trace=SEEN, considered=replace(CONSIDERED, labels=labels, tier_required=None))
    _, (_, attempt) = taken(decision, ask=surface(Surface.CHAT).parse(body, 0, {}))
    values = plain_values(attempt.attributes)
    assert values["gen_ai.request.temperature"] == 0.5
    assert values.get("gen_ai.request.stop_sequences") == told


def test_says_who_speaks(tmp_path: Path) -> None:
    with receiving() as receiver, closing(Collector(Target(receiver.url, {}), tmp_path / "none")) as collector:
        Export(collector, Places(Catalog), {"service.name": "gw"}).deliver([Kept(replace(DECISION, trace=SEEN))])
    (resource,) = ExportTraceServiceRequest.FromString(receiver.sent[0].body).resource_spans
    assert plain_values(resource.resource.attributes) == {"service.name": "gw"}
    assert [scope.scope.name for scope in resource.scope_spans] == ["pointsman"]


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (ExportTraceServiceResponse(), None),
        (ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1)), 1),
        (ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=9)), 2),
        (ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(error_message="a hint")), None),
        (None, None),
    ],
)
def test_heeds_what_a_collector_says_of_a_part(answer: Any, lost: int | None, tmp_path: Path) -> None:
    with receiving() as receiver, closing(Collector(Target(receiver.url, {}), tmp_path / "none")) as collector:
        receiver.always = Reply(200, {}, b"\xffthanks" if answer is None else answer.SerializeToString())
        export = Export(collector, Places(Catalog), {})
        batch = [Kept(replace(DECISION, trace=SEEN))] * 2
        if lost is None:
            export.deliver(batch)
            return
        with pytest.raises(Undelivered, match="some spans were refused") as caught:
            export.deliver(batch)
    assert (caught.value.final, caught.value.lost) == (True, lost)


@pytest.mark.parametrize("reply", [NEVER, HANG_UP])
def test_what_a_dead_collector_did_not_take_counts_as_dropped(reply: Reply) -> None:
    with receiving() as receiver:
        receiver.always = reply
        made = tracer(receiver.url)
        for _ in range(3):
            made.take(replace(DECISION, trace=SEEN), ASK)
        made.courier.close(0.0)
    assert (made.courier.delivered, made.courier.dropped, made.courier.waiting) == (0, 3, 0)
