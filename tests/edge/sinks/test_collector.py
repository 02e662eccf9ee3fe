"""What a real OpenTelemetry Collector makes of the records."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.core.record import record
from gateway.edge.sinks.langfuse import spans_of
from gateway.edge.sinks.otlp import Collector, Target
from gateway.edge.sinks.otlp_logs import OtlpLogs
from tests.support.collector import collector_program, running_collector
from tests.support.decisions import ANSWERED, FEEDBACK, ID
from tests.support.otlp import trace_export

PROGRAM = collector_program()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no collector was built (scripts/collector/build.sh)")


def values(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in attributes}


def test_takes_decisions_and_feedback_as_logs(tmp_path: Path) -> None:
    assert PROGRAM is not None
    with running_collector(PROGRAM, tmp_path) as running:
        with closing(Collector(Target(running.url + "/v1/logs", {}), tmp_path / "headers")) as collector:
            OtlpLogs(collector, {"service.name": "gate"}).deliver([ANSWERED, FEEDBACK])
        [export] = running.ended("logs")
    [of_resource] = export["resourceLogs"]
    assert values(of_resource["resource"]["attributes"]) == {"service.name": "gate"}
    decision, feedback = of_resource["scopeLogs"][0]["logRecords"]
    assert json.loads(decision["body"]["stringValue"]) == record(ANSWERED)
    assert (decision["timeUnixNano"], decision["severityText"]) == ("1764000000500000000", "INFO")
    assert (decision["traceId"], decision["spanId"]) == ("0af7651916cd43dd8448eb211c80319c", ID)
    assert decision["eventName"] == "pointsman.decision"
    told = values(decision["attributes"])
    assert (told["pointsman.route"], told["pointsman.cost.usd"]) == ("support", 0.0021)
    assert (json.loads(feedback["body"]["stringValue"]), feedback["eventName"]) == (FEEDBACK, "pointsman.feedback")


def test_takes_the_spans_that_go_to_langfuse(tmp_path: Path) -> None:
    assert PROGRAM is not None
    with running_collector(PROGRAM, tmp_path) as running:
        with closing(Collector(Target(running.url + "/v1/traces", {}), tmp_path / "headers")) as collector:
            collector.send(trace_export(spans_of(ANSWERED)))
        [export] = running.ended("traces")
    spans = export["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert [(one["traceId"], one["spanId"], one.get("parentSpanId", ""), one["name"]) for one in spans] == [
        (ID * 2, ID, "", "support"),
        (ID * 2, "0123456789abcdf0", ID, "alpha/m1"),
        (ID * 2, "0123456789abcdf1", ID, "beta/m2"),
    ]
