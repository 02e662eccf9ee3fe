"""Decision records in Langfuse's words, parsed by OpenTelemetry's own message types."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.core.decision import AttemptRow, Outcome
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.langfuse import TEXT_CHARS, Langfuse
from gateway.edge.sinks.post import Post
from tests.support.decisions import ANSWERED, FEEDBACK, ID, REFUSED, TEXTS
from tests.support.otlp import fields
from tests.support.receiver import Receiver, Reply, receiving

KEYS = {"PUBLIC": "pk-lf-1", "SECRET": "sk-lf-2"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def langfuse(receiver: Receiver, environ: Mapping[str, str] = KEYS) -> Langfuse:
    public = SinkKey("langfuse", "public-key", "PUBLIC", environ, "/nowhere")
    secret = SinkKey("langfuse", "secret-key", "SECRET", environ, "/nowhere")
    return Langfuse(Post(receiver.url), public, secret, {"service.name": "gate"})


def spans(receiver: Receiver) -> list[Span]:
    [sent] = receiver.sent
    [of_resource] = ExportTraceServiceRequest.FromString(sent.body).resource_spans
    assert fields(of_resource.resource.attributes) == {"service.name": "gate"}
    [of_scope] = of_resource.scope_spans
    return list(of_scope.spans)


def told(span: Span) -> dict[str, Any]:
    failed = span.status.code == Status.STATUS_CODE_ERROR
    return {
        "ids": (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()),
        "name": (Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"), span.name),
        "times": (span.start_time_unix_nano, span.end_time_unix_nano),
        "error": span.status.message if failed else None,
        "attributes": fields(span.attributes),
    }


OF_TRACE = {
    "langfuse.trace.name": "support",
    "user.id": "ann",
    "session.id": "5e55",
    "langfuse.trace.tags": ["team:kb", "user:ann"],
}
ROOT = {
    "ids": (ID * 2, ID, ""),
    "name": ("SERVER", "support"),
    "times": (1_764_000_000_500_000_000, 1_764_000_001_422_500_000),
    "error": None,
    "attributes": OF_TRACE
    | {
        "langfuse.observation.type": "span",
        "langfuse.observation.level": "DEFAULT",
        "langfuse.observation.metadata.decision": ID,
        "langfuse.observation.metadata.trace_id": "0af7651916cd43dd8448eb211c80319c",
        "langfuse.observation.metadata.surface": "chat",
        "langfuse.observation.metadata.asked": "auto",
        "langfuse.observation.metadata.endpoint": "beta/m2",
        "langfuse.observation.metadata.outcome": "ok",
        "langfuse.observation.metadata.status": 200,
        "langfuse.observation.metadata.cost_usd": 0.0021,
        "langfuse.observation.metadata.baseline_cost_usd": 0.0042,
        "langfuse.observation.metadata.saved_usd": 0.0021,
        "langfuse.observation.metadata.variant": "candidate",
        "langfuse.observation.metadata.task": "code",
        "langfuse.observation.metadata.tier": "medium",
        "langfuse.observation.metadata.sensitivity": ["internal"],
    },
}
FIRST = {
    "ids": (ID * 2, "0123456789abcdf0", ID),
    "name": ("CLIENT", "alpha/m1"),
    "times": (1_764_000_000_501_000_000, 1_764_000_000_521_500_000),
    "error": "500: no",
    "attributes": OF_TRACE
    | {
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "ERROR",
        "langfuse.observation.status_message": "500: no",
        "langfuse.observation.model.name": "m1",
        "langfuse.observation.cost_details": '{"total":0.0}',
        "langfuse.observation.metadata.provider": "alpha",
        "langfuse.observation.metadata.endpoint": "alpha/m1",
        "langfuse.observation.metadata.attempt": 1,
        "langfuse.observation.metadata.outcome": "server_error",
        "langfuse.observation.metadata.status": 500,
    },
}
USED = {
    "input": 95, "input_cached_tokens": 20, "input_cache_creation": 5, "output": 293, "output_reasoning_tokens": 7,
}  # fmt: skip
SECOND = {
    "ids": (ID * 2, "0123456789abcdf1", ID),
    "name": ("CLIENT", "beta/m2"),
    "times": (1_764_000_000_522_000_000, 1_764_000_001_422_000_000),
    "error": None,
    "attributes": OF_TRACE
    | {
        "langfuse.observation.type": "generation",
        "langfuse.observation.level": "DEFAULT",
        "langfuse.observation.model.name": "m2",
        "langfuse.observation.usage_details": json.dumps(USED, separators=(",", ":")),
        "langfuse.observation.cost_details": '{"total":0.0021}',
        "langfuse.observation.completion_start_time": "2025-11-24T16:00:00.832Z",
        "langfuse.observation.metadata.provider": "beta",
        "langfuse.observation.metadata.endpoint": "beta/m2",
        "langfuse.observation.metadata.attempt": 2,
        "langfuse.observation.metadata.outcome": "ok",
        "langfuse.observation.metadata.status": 200,
    },
}


def test_tells_a_request_as_a_trace_with_a_generation_for_each_attempt(receiver: Receiver) -> None:
    langfuse(receiver).deliver([ANSWERED])
    assert [told(span) for span in spans(receiver)] == [ROOT, FIRST, SECOND]
    [sent] = receiver.sent
    assert sent.path == "/api/public/otel/v1/traces"
    assert sent.headers["authorization"] == "Basic " + base64.b64encode(b"pk-lf-1:sk-lf-2").decode()
    assert sent.headers["x-langfuse-ingestion-version"] == "4"
    assert sent.headers["content-type"] == "application/x-protobuf"


def test_tells_what_was_refused_before_the_plan(receiver: Receiver) -> None:
    langfuse(receiver).deliver([REFUSED])
    [root] = map(told, spans(receiver))
    assert root["name"] == ("SERVER", "chat")
    assert root["error"] is None
    assert root["attributes"] == {
        "langfuse.trace.name": "chat",
        "langfuse.trace.tags": [],
        "langfuse.observation.type": "span",
        "langfuse.observation.level": "WARNING",
        "langfuse.observation.status_message": "messages is missing",
        "langfuse.observation.metadata.decision": "00000000000000ff",
        "langfuse.observation.metadata.surface": "chat",
        "langfuse.observation.metadata.asked": "auto",
        "langfuse.observation.metadata.outcome": "rejected",
        "langfuse.observation.metadata.status": 400,
    }


def test_names_the_clients_key_where_no_user_is_told(receiver: Receiver) -> None:
    langfuse(receiver).deliver([replace(ANSWERED, tags=())])
    assert {told(span)["attributes"]["user.id"] for span in spans(receiver)} == {"kb-1"}


def test_ranks_what_went_wrong(receiver: Receiver) -> None:
    gone = AttemptRow("beta/m2", 0.0, None, 5.0, "cancelled", None, None, None)
    failed = replace(ANSWERED, outcome=Outcome.FAILED, error="all failed", endpoint=None, attempts=(gone,))
    langfuse(receiver).deliver([failed])
    root, attempt = map(told, spans(receiver))
    assert (root["error"], root["attributes"]["langfuse.observation.level"]) == ("all failed", "ERROR")
    assert (attempt["error"], attempt["attributes"]["langfuse.observation.level"]) == (None, "WARNING")


def test_has_texts_only_where_the_record_has_them(receiver: Receiver) -> None:
    langfuse(receiver).deliver([ANSWERED])
    assert b"canary" not in receiver.sent[0].body


def test_puts_texts_at_the_root_and_at_the_generation_that_answered(receiver: Receiver) -> None:
    langfuse(receiver).deliver([replace(ANSWERED, texts=TEXTS)])
    found = [
        (one.get("langfuse.observation.input"), one.get("langfuse.observation.output"))
        for one in (told(span)["attributes"] for span in spans(receiver))
    ]
    texts = (json.dumps(TEXTS["request"], separators=(",", ":")), TEXTS["response"])
    assert found == [texts, (None, None), texts]


def test_has_no_texts_at_an_attempt_that_did_not_answer(receiver: Receiver) -> None:
    langfuse(receiver).deliver([replace(ANSWERED, endpoint=None, texts={"request": {"a": 1}, "response": None})])
    found = [told(span)["attributes"] for span in spans(receiver)]
    assert [one.get("langfuse.observation.input") for one in found] == ['{"a":1}', None, None]
    assert not any("langfuse.observation.output" in one for one in found)


def test_cuts_texts_that_no_page_could_show(receiver: Receiver) -> None:
    long = "x" * (TEXT_CHARS + 5)
    langfuse(receiver).deliver([replace(ANSWERED, texts={"request": long, "response": long})])
    root = told(spans(receiver)[0])["attributes"]
    lengths = [len(root[f"langfuse.observation.{name}"]) for name in ("input", "output")]
    assert lengths == [TEXT_CHARS, TEXT_CHARS]


SCORE = {
    "id": f"{ID}-2025-11-24T16:01:00.250Z",
    "traceId": ID * 2,
    "name": "feedback",
    "value": 0.5,
    "dataType": "NUMERIC",
    "comment": "well",
}


def test_tells_feedback_as_a_score_of_the_trace(receiver: Receiver) -> None:
    langfuse(receiver).deliver([FEEDBACK])
    [sent] = receiver.sent
    assert (sent.path, json.loads(sent.body)) == ("/api/public/scores", SCORE)
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"].startswith("Basic ")


def test_sends_spans_before_scores(receiver: Receiver) -> None:
    langfuse(receiver).deliver([FEEDBACK, ANSWERED, FEEDBACK])
    assert [sent.path.rpartition("/")[2] for sent in receiver.sent] == ["traces", "scores", "scores"]


def test_goes_on_after_a_score_that_is_refused(receiver: Receiver) -> None:
    receiver.replies = [Reply(), Reply(400), Reply()]
    with pytest.raises(Undelivered) as caught:
        langfuse(receiver).deliver([FEEDBACK, ANSWERED, FEEDBACK])
    assert (str(caught.value), caught.value.final, caught.value.lost) == ("answered 400", True, 1)
    assert len(receiver.sent) == 3


def test_waits_for_keys_that_are_gone(receiver: Receiver) -> None:
    with pytest.raises(Undelivered) as caught:
        langfuse(receiver, {"PUBLIC": "pk"}).deliver([ANSWERED])
    assert (str(caught.value), caught.value.final) == ("its keys are gone", False)
    assert receiver.sent == []
