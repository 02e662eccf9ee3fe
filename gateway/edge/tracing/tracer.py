"""From finished requests to a collector: which of them get spans, and the courier that carries them.

A request costs the walk its tail rule and, where it is kept, a place in the courier's queue; spans are made in the
courier's thread. A collector that is slow, away or full delays nobody: what does not fit is dropped and counted.
"""

import time
from collections.abc import Callable, Mapping, Sequence

from google.protobuf.message import DecodeError
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from gateway import VERSION
from gateway.core.ask import Ask
from gateway.core.catalog import Catalog
from gateway.core.decision import Decision
from gateway.core.sensitivity import content_allowed
from gateway.core.tail import Tail
from gateway.core.value import Value
from gateway.edge.courier import Courier, Rules, Undelivered
from gateway.edge.sinks.otlp import Collector
from gateway.edge.sinks.otlp_values import key_values
from gateway.edge.sinks.rows import weigh
from gateway.edge.tracing.places import Places
from gateway.edge.tracing.settings import SINK, Tracing
from gateway.edge.tracing.spans import spans_of
from gateway.edge.tracing.stated import NOTHING, Stated, stated

RULES = Rules(
    queue_limit=2_048,  # requests; the SDK's BatchSpanProcessor holds as many spans
    queue_bytes=16 * 1024 * 1024,
    batch_limit=128,  # requests, of two to five spans each
    linger_s=2.0,
)


class Kept(Value):
    """A request whose spans are made; the parameters that its client stated."""

    decision: Decision
    stated: Stated = NOTHING


class Tracer:
    """Takes each finished request. One per process."""

    def __init__(
        self,
        tracing: Tracing,
        catalog: Callable[[], Catalog],
        resource: Mapping[str, str],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            tracing: from the variables.
            catalog: the one in force, for names and addresses.
            resource: who speaks.
        """
        self._tail = Tail(tracing.slow_s)
        self._captures = tracing.captures
        self._now_s = now_s
        self._collector = Collector(tracing.target)
        export = Export(self._collector, Places(catalog), resource)
        self.courier: Courier[Kept] = Courier(SINK, export.deliver, RULES, _weigh)

    def take(self, decision: Decision, ask: Ask) -> Decision:
        """The decision as it is from now on: its trace says whether there are spans of it. `ask`: what was asked."""
        trace = decision.trace
        if trace is None:
            return decision
        if not trace.recorded:
            if not self._tail.keeps(decision, self._now_s()):
                return decision
            decision = replace(decision, trace=replace(trace, recorded=True))
        shown = decision if self._captures or decision.texts is None else replace(decision, texts=None)
        labels = () if decision.considered is None else decision.considered.labels
        self.courier.add(Kept(shown, stated(ask, content_allowed(labels))))
        return decision

    def close(self, within_s: float) -> None:
        """Send what waits, for at most so long."""
        self.courier.close(within_s)
        self._collector.close()


class Export:
    """Makes and sends the spans of a batch of requests."""

    def __init__(self, collector: Collector, places: Places, resource: Mapping[str, str]) -> None:
        self._collector = collector
        self._places = places
        self._resource = Resource(attributes=key_values(resource))
        self._scope = InstrumentationScope(name="pointsman", version=VERSION)

    def deliver(self, kept: Sequence[Kept]) -> None:
        """Raises `Undelivered`."""
        spans: list[Span] = []
        for one in kept:
            trace = one.decision.trace
            assert trace is not None, "only what is recorded is carried"
            spans += spans_of(one.decision, trace, self._places, one.stated)
            time.sleep(0)  # lets the event loop's thread in: a batch takes several milliseconds
        scoped = ScopeSpans(scope=self._scope, spans=spans)
        whole = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=self._resource, scope_spans=[scoped])])
        _heed(self._collector.send(whole.SerializeToString()), len(kept))


def _weigh(kept: Kept) -> int:
    return weigh(kept.decision)


def _heed(answer: bytes, sent: int) -> None:
    """A collector may refuse some spans of a batch, and says how many; nobody knows which."""
    try:
        rejected = ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans
    except DecodeError:  # an answer in words; its status said that all is well
        return
    if rejected > 0:
        raise Undelivered("some spans were refused", None, final=True, lost=min(rejected, sent))
