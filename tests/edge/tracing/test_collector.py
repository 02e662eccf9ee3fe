"""What a real OpenTelemetry Collector makes of the spans."""

from contextlib import closing
from pathlib import Path

import pytest

from gateway.core.catalog import Catalog
from gateway.edge.sinks.otlp import Collector, Target
from gateway.edge.tracing.conventions import REQUEST_SEED as SEED
from gateway.edge.tracing.places import Places
from gateway.edge.tracing.tracer import Export, Kept
from tests.support.collector import collector_program, running_collector
from tests.support.decisions import ANSWERED

PROGRAM = collector_program()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no collector was built (scripts/collector/build.sh)")


def test_takes_a_request_and_its_attempts(tmp_path: Path) -> None:
    assert PROGRAM is not None
    trace = ANSWERED.trace
    assert trace is not None
    with running_collector(PROGRAM, tmp_path) as running:
        with closing(Collector(Target(f"{running.url}/v1/traces", {}), tmp_path / "headers")) as collector:
            Export(collector, Places(Catalog), {"service.name": "gate"}).deliver([Kept(ANSWERED, {SEED: 7})])
        [export] = running.ended("traces")
    [of_resource] = export["resourceSpans"]
    assert of_resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "gate"}}]
    [scope] = of_resource["scopeSpans"]
    assert scope["scope"]["name"] == "pointsman"
    request, *attempts = scope["spans"]
    assert (request["traceId"], request["spanId"], request["kind"]) == (trace.trace_id, ANSWERED.id, 2)
    assert request["name"] == "POST /v1/chat/completions"
    assert [(one["parentSpanId"], one["kind"]) for one in attempts] == [(ANSWERED.id, 3)] * len(ANSWERED.attempts)
    assert all({"key": SEED, "value": {"intValue": "7"}} in one["attributes"] for one in attempts)
