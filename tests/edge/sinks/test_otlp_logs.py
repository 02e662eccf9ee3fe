"""Decision records as OTLP log records, parsed by OpenTelemetry's own message types."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from gateway import VERSION
from gateway.core.decision import Outcome
from gateway.core.record import record
from gateway.core.trace import Trace
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.otlp import Collector, Target
from gateway.edge.sinks.otlp_logs import OtlpLogs
from tests.support.decisions import ANSWERED, FEEDBACK, ID, REFUSED, TEXTS
from tests.support.otlp import fields, plain
from tests.support.receiver import Receiver, Reply, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def sink(receiver: Receiver, tmp_path: Path) -> OtlpLogs:
    target = Target(receiver.url + "/v1/logs", {"x-tenant": "7"})
    return OtlpLogs(Collector(target, tmp_path / "headers"), {"service.name": "gate", "service.version": VERSION})


def records(receiver: Receiver) -> list[LogRecord]:
    [sent] = receiver.sent
    [of_resource] = ExportLogsServiceRequest.FromString(sent.body).resource_logs
    assert fields(of_resource.resource.attributes) == {"service.name": "gate", "service.version": VERSION}
    [of_scope] = of_resource.scope_logs
    assert (of_scope.scope.name, of_scope.scope.version) == ("pointsman", VERSION)
    return list(of_scope.log_records)


def told(log: LogRecord) -> dict[str, Any]:
    return {
        "time": log.time_unix_nano,
        "observed": log.observed_time_unix_nano,
        "severity": (log.severity_number, log.severity_text),
        "event": log.event_name,
        "trace": (log.trace_id.hex(), log.span_id.hex(), log.flags),
        "body": json.loads(plain(log.body)),
        "attributes": fields(log.attributes),
    }


def test_tells_a_decision_whole(receiver: Receiver, sink: OtlpLogs) -> None:
    sink.deliver([ANSWERED])
    [log] = records(receiver)
    assert told(log) == {
        "time": 1_764_000_000_500_000_000,
        "observed": 1_764_000_001_422_500_000,
        "severity": (9, "INFO"),
        "event": "pointsman.decision",
        "trace": ("0af7651916cd43dd8448eb211c80319c", ID, 1),
        "body": record(ANSWERED),
        "attributes": {
            "pointsman.decision.id": ID,
            "pointsman.surface": "chat",
            "pointsman.outcome": "ok",
            "pointsman.key.id": "kb-1",
            "http.response.status_code": 200,
            "gen_ai.request.model": "auto",
            "gen_ai.provider.name": "beta",
            "pointsman.endpoint": "beta/m2",
            "pointsman.attempts": 2,
            "pointsman.latency_ms": 922.5,
            "pointsman.ttft_ms": 332.25,
            "pointsman.cost.usd": 0.0021,
            "pointsman.baseline_cost.usd": 0.0042,
            "pointsman.saved.usd": 0.0021,
            "pointsman.tag.team": "kb",
            "pointsman.tag.user": "ann",
            "gen_ai.usage.input_tokens": 120,
            "gen_ai.usage.output_tokens": 300,
            "pointsman.route": "support",
            "pointsman.variant": "candidate",
            "pointsman.task": "code",
            "pointsman.tier": "medium",
            "pointsman.sensitivity": ["internal"],
            "session.id": "5e55",
        },
    }
    [sent] = receiver.sent
    assert (sent.path, sent.headers["content-type"]) == ("/v1/logs", "application/x-protobuf")
    assert (sent.headers["content-encoding"], sent.headers["x-tenant"]) == ("gzip", "7")


def test_tells_what_was_refused_before_the_plan(receiver: Receiver, sink: OtlpLogs) -> None:
    sink.deliver([REFUSED])
    [log] = records(receiver)
    assert told(log) == {
        "time": 1_764_000_000_500_000_000,
        "observed": 1_764_000_000_501_000_000,
        "severity": (13, "WARN"),
        "event": "pointsman.decision",
        "trace": ("", "", 0),
        "body": record(REFUSED),
        "attributes": {
            "pointsman.decision.id": "00000000000000ff",
            "pointsman.surface": "chat",
            "pointsman.outcome": "rejected",
            "http.response.status_code": 400,
            "error.type": "rejected",
            "gen_ai.request.model": "auto",
            "pointsman.attempts": 0,
            "pointsman.latency_ms": 1.0,
        },
    }


def test_tells_feedback(receiver: Receiver, sink: OtlpLogs) -> None:
    sink.deliver([FEEDBACK])
    [log] = records(receiver)
    assert told(log) == {
        "time": 1_764_000_060_250_000_000,
        "observed": 1_764_000_060_250_000_000,
        "severity": (9, "INFO"),
        "event": "pointsman.feedback",
        "trace": ("", "", 0),
        "body": FEEDBACK,
        "attributes": {"pointsman.decision.id": ID, "pointsman.feedback.score": 0.5},
    }


@pytest.mark.parametrize(
    ("outcome", "severity"),
    [
        (Outcome.OK, (9, "INFO")),
        (Outcome.CANCELLED, (9, "INFO")),
        (Outcome.REJECTED, (13, "WARN")),
        (Outcome.PARTIAL, (17, "ERROR")),
        (Outcome.FAILED, (17, "ERROR")),
    ],
)
def test_ranks_outcomes(receiver: Receiver, sink: OtlpLogs, outcome: Outcome, severity: tuple[int, str]) -> None:
    sink.deliver([replace(ANSWERED, outcome=outcome)])
    assert told(records(receiver)[0])["severity"] == severity


def test_names_a_trace_only_where_somebody_may_find_it(receiver: Receiver, sink: OtlpLogs) -> None:
    own = Trace("ab" * 16, ID, None, 0, "", False)
    sink.deliver([replace(ANSWERED, trace=own), replace(ANSWERED, trace=replace(own, recorded=True))])
    assert [log.trace_id.hex() for log in records(receiver)] == ["", "ab" * 16]


def test_has_texts_only_where_the_record_has_them(receiver: Receiver, sink: OtlpLogs) -> None:
    sink.deliver([ANSWERED, replace(ANSWERED, texts=TEXTS)])
    without, having = (told(log)["body"] for log in records(receiver))
    assert "canary" not in json.dumps(without)
    assert having["texts"] == TEXTS


def test_counts_what_the_collector_refused_and_what_could_not_be_written(receiver: Receiver, sink: OtlpLogs) -> None:
    refusal = ExportLogsServiceResponse(
        partial_success=ExportLogsPartialSuccess(rejected_log_records=2, error_message="canary")
    )
    receiver.replies = [Reply(200, {}, refusal.SerializeToString()), Reply(200, {}, b"ok, thanks")]
    lost = []
    for rows in ([{"n": object()}, *[ANSWERED] * 4], [{"n": object()}, ANSWERED]):
        with pytest.raises(Undelivered) as caught:
            sink.deliver(rows)
        lost.append((caught.value.final, caught.value.lost, "canary" in str(caught.value)))
    assert lost == [(True, 3, False), (True, 1, False)]
