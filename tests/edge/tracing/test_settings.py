"""Tracing, from OpenTelemetry's variables."""

import pytest

from gateway.core.trace import Sampling
from gateway.edge.sinks.otlp import Target, Unusable
from gateway.edge.tracing.settings import Tracing, tracing_of

THERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
TARGET = Target("http://collector:4318/v1/traces", {})


def test_traces_where_a_collector_is_named_and_one_trace_in_a_hundred() -> None:
    assert tracing_of({}) is None
    assert tracing_of(THERE) == Tracing(TARGET, ratio=0.01, heeds_parent=True, slow_s=10.0, captures=False)
    for off in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert tracing_of({**THERE, **off}) is None


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        ("always_on", (1.0, False)),
        ("always_off", (0.0, False)),
        ("traceidratio", (0.25, False)),
        ("parentbased_always_on", (1.0, True)),
        ("parentbased_always_off", (0.0, True)),
        (" ParentBased_TraceIdRatio ", (0.25, True)),
    ],
)
def test_samples_as_the_standard_variables_say(sampler: str, expected: tuple[float, bool]) -> None:
    tracing = tracing_of({**THERE, "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.25"})
    assert tracing is not None
    assert (tracing.ratio, tracing.heeds_parent) == expected
    assert tracing.sampling("a" * 16) == Sampling.of("a" * 16, *expected)


@pytest.mark.parametrize("word", ["true", " True ", "SPAN_ONLY", "span_and_event"])
def test_captures_content_only_where_the_standard_variable_says_so(word: str) -> None:
    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    found = [tracing_of({**THERE, variable: said}) for said in (word, "", "false", "event_only", "no_content", "1")]
    assert [one is not None and one.captures for one in found] == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "must be one of always_on, always_off"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1", "must be a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "must be a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "one", "must be a number from 0 to 1"),
        ("POINTSMAN_TRACE_SLOW_S", "-1", "must be a number from 0 to 86400"),
    ],
)
def test_refuses_what_it_cannot_use(variable: str, value: str, words: str) -> None:
    with pytest.raises(Unusable, match=f"^{variable}: {words}"):
        tracing_of({**THERE, variable: value})


def test_slow_is_what_the_operator_calls_slow() -> None:
    tracing = tracing_of({**THERE, "POINTSMAN_TRACE_SLOW_S": "2.5"})
    assert tracing is not None
    assert tracing.slow_s == 2.5
