"""What providers are told of the trace, and what the record keeps of it."""

import pytest

from gateway.core.trace import Sampling, Trace
from tests.support.builders import a_provider, a_world
from tests.support.openai_scripts import an_answer, an_error
from tests.support.walking import Walking

pytestmark = pytest.mark.virtual_time

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=b", "baggage": "user=1"}
PREFIX = "0af7651916cd43dd"


def walking() -> Walking:
    """Two providers that fail, and one that answers; only the last two want to know."""
    telling = [a_provider(name, trace_context=True) for name in ("beta", "gamma")]
    world = a_world("alpha/m", "beta/m", "gamma/m", providers=telling)
    return Walking(world, {"alpha": [an_error(503)], "beta": [an_error(503)], "gamma": [an_answer("Hi")]})


def told(walk: Walking) -> list[dict[str, str]]:
    known = ("traceparent", "tracestate", "baggage")
    return [{name: call.headers[name] for name in known if name in call.headers} for call in walk.upstream.calls]


async def test_each_attempt_is_a_span_of_its_own_to_providers_that_are_told() -> None:
    walk = walking()
    request = walk.request({"model": "auto", "messages": [{"role": "user", "content": "hi"}]}, headers=SENT)
    begun = Sampling.of(PREFIX, 0.0).begin(request.id, SENT)
    await walk.answer_traced(request, begun)
    assert told(walk) == [
        {},
        {"tracestate": "a=b", "traceparent": f"00-{TRACE}-0000000000000003-01"},
        {"tracestate": "a=b", "traceparent": f"00-{TRACE}-0000000000000004-01"},
    ]
    assert walk.decisions[-1].trace == Trace(TRACE, request.id, SPAN, 1, "a=b", True)


async def test_where_nothing_is_traced_the_clients_own_context_passes() -> None:
    walk = walking()
    await walk.ask(headers=SENT)
    passed = {"tracestate": "a=b", "traceparent": SENT["traceparent"]}
    assert told(walk) == [{}, passed, passed]
    assert walk.decisions[-1].trace is None
    await walk.ask(headers={**SENT, "traceparent": "00-garbage"})
    assert told(walk)[3:] == [{}, {}, {}]
