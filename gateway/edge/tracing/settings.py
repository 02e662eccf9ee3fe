"""Whether and how requests are traced: from OpenTelemetry's variables, and one of ours for what they do not know.

Tracing is on where a collector is named (OTEL_EXPORTER_OTLP_ENDPOINT or _TRACES_ENDPOINT).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.trace import Sampling
from gateway.edge.sinks.otlp import Target, Unusable, target_of
from gateway.edge.tracing.conventions import CAPTURE_VARIABLE

SINK = "traces"  # its name in metrics and logs
SLOW_VARIABLE = "POINTSMAN_TRACE_SLOW_S"
DEFAULT_SLOW_S = 10.0
DEFAULT_RATIO = 0.01  # OpenTelemetry's own, everything, would cost more than answering does

# OTEL_TRACES_SAMPLER: whether the parent's flag decides, and the ratio where it is not an argument.
SAMPLERS: Mapping[str, tuple[bool, float | None]] = {
    "always_on": (False, 1.0),
    "always_off": (False, 0.0),
    "traceidratio": (False, None),
    "parentbased_always_on": (True, 1.0),
    "parentbased_always_off": (True, 0.0),
    "parentbased_traceidratio": (True, None),
}
CAPTURING = frozenset({"true", "span_only", "span_and_event"})  # the words of OpenTelemetry's own GenAI libraries
DEFAULT_SAMPLER = "parentbased_traceidratio"


@dataclass(frozen=True, slots=True)
class Tracing:
    target: Target
    ratio: float  # of traces that begin here
    heeds_parent: bool
    slow_s: float
    captures: bool  # prompts and answers go along, where records have them

    def sampling(self, prefix: str) -> Sampling:
        """`prefix`: 16 hex digits, drawn once by the process."""
        return Sampling.of(prefix, self.ratio, self.heeds_parent)


def tracing_of(environ: Mapping[str, str]) -> Tracing | None:
    """How requests are traced; None: not at all. Raises: Unusable."""
    target = target_of(environ, "traces")
    if target is None:
        return None
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or DEFAULT_SAMPLER
    if sampler not in SAMPLERS:
        raise Unusable(f"OTEL_TRACES_SAMPLER: must be one of {', '.join(SAMPLERS)}")
    heeds_parent, fixed = SAMPLERS[sampler]
    ratio = _number(environ, "OTEL_TRACES_SAMPLER_ARG", DEFAULT_RATIO, 1.0) if fixed is None else fixed
    slow_s = _number(environ, SLOW_VARIABLE, DEFAULT_SLOW_S, 86_400.0)
    captures = environ.get(CAPTURE_VARIABLE, "").strip().lower() in CAPTURING
    return Tracing(target, ratio, heeds_parent, slow_s, captures)


def _number(environ: Mapping[str, str], name: str, default: float, most: float) -> float:
    given = environ.get(name, "").strip()
    try:
        found = float(given) if given else default
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise Unusable(f"{name}: must be a number from 0 to {most:g}")
    return found
