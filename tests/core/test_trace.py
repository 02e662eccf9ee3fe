"""Trace contexts against the rules of W3C, and against OpenTelemetry's own reader and sampler."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from opentelemetry import trace as otel
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.core.trace import Parent, Sampling, Trace, attempt_span_id, context_headers, parent_of, passed_on

TRACE, SPAN, ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "b7ad6b7169203331"
PREFIX = "0af7651916cd43dd"
GIVEN = f"00-{TRACE}-{SPAN}-01"
HALF = Sampling.of(PREFIX, 0.5)


def hexes(digits: int) -> st.SearchStrategy[str]:
    return st.integers(1, 16**digits - 1).map(lambda number: f"{number:0{digits}x}")


# -- reading -----------------------------------------------------------------------------------------------------------


def test_reads_the_example_of_the_standard() -> None:
    headers = {"traceparent": GIVEN, "tracestate": "congo=t61rcWkgMzE , rojo=00f067aa0ba902b7,"}
    assert parent_of(headers) == Parent(TRACE, SPAN, 1, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "00",
        GIVEN + " ",
        GIVEN + "-",
        GIVEN + "-more",  # not in this version
        GIVEN.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"01-{TRACE}-{SPAN}-01x",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE[:-1]}\N{ARABIC-INDIC DIGIT SIX}-{SPAN}-01",
        "x" * 100_000,
    ],
)
def test_takes_garbage_as_absent(garbage: str) -> None:
    assert parent_of({"traceparent": garbage, "tracestate": "a=b"}) is None
    assert parent_of({"tracestate": "a=b"}) is None


def test_reads_what_it_knows_of_a_later_version() -> None:
    for more in ("", "-", "-what-the-future-holds"):
        assert parent_of({"traceparent": f"cc-{TRACE}-{SPAN}-ff{more}"}) == Parent(TRACE, SPAN, 3, "")


@pytest.mark.parametrize(
    ("given_state", "kept"),
    [
        ("a=b", "a=b"),
        (" \ta=b ,,\tc=d e\t", "a=b,c=d e"),
        ("fw529a3039@dt=FfAAAAAx,0a_-*/@=x", "fw529a3039@dt=FfAAAAAx,0a_-*/@=x"),
        ("", ""),
        (",", ""),
        ("a", ""),
        ("a=", ""),
        ("a=b=c", ""),
        ("A=b", ""),
        ("a=b,ä=c", ""),
        ("a=b,a=c", ""),
        ("a=b\x00", ""),
        ("a=ü", ""),
        (f"{'a' * 257}=b", ""),
        (f"a={'b' * 257}", ""),
        (",".join(f"k{n}=v" for n in range(32)), ",".join(f"k{n}=v" for n in range(32))),
        (",".join(f"k{n}=v" for n in range(33)), ""),
        (f"a={'b' * 250},c={'d' * 255},e=f", ""),  # 513 characters
    ],
)
def test_takes_a_state_whole_or_not_at_all(given_state: str, kept: str) -> None:
    assert parent_of({"traceparent": GIVEN, "tracestate": given_state}) == Parent(TRACE, SPAN, 1, kept)


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-x)?", fullmatch=True))
def test_reads_no_parent_that_opentelemetry_does_not(text: str) -> None:
    context = TraceContextTextMapPropagator().extract({"traceparent": text})
    theirs = otel.get_current_span(context).get_span_context()
    ours = parent_of({"traceparent": text})
    if ours is not None:
        assert (ours.trace_id, ours.span_id) == (f"{theirs.trace_id:032x}", f"{theirs.span_id:016x}")
    elif text == text.strip() and text.count("-") == 3:
        assert not theirs.is_valid


# -- the head's decision -----------------------------------------------------------------------------------------------


def test_a_trace_that_begins_here_is_named_after_its_decision() -> None:
    few = "0000000000000abc"
    assert HALF.begin(few, {}) == Trace(PREFIX + few, few, None, 1, "", True)
    assert HALF.begin(ID, {"traceparent": "?"}) == Trace(PREFIX + ID, ID, None, 0, "", False)


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("03", True)])
def test_a_parents_flag_decides(flags: str, sampled: bool) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}", "tracestate": "a=b"}
    for ratio in (0.0, 1.0):
        found = Sampling.of(PREFIX, ratio).begin(ID, headers)
        assert found == Trace(TRACE, ID, SPAN, int(flags, 16), "a=b", sampled)


def test_a_parents_flag_is_replaced_where_it_does_not_count() -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-03"}
    assert Sampling.of(PREFIX, 0.0, heeds_parent=False).begin(ID, headers) == Trace(TRACE, ID, SPAN, 2, "", False)
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    assert Sampling.of(PREFIX, 1.0, heeds_parent=False).begin(ID, headers) == Trace(TRACE, ID, SPAN, 1, "", True)


@given(hexes(16), hexes(32), st.floats(0, 1))
def test_decides_as_opentelemetrys_samplers(request_id: str, trace_id: str, ratio: float) -> None:
    theirs = TraceIdRatioBased(ratio)
    begun = Sampling.of(PREFIX, ratio).begin(request_id, {})
    assert begun.recorded is theirs.should_sample(None, int(begun.trace_id, 16), "").decision.is_sampled()
    headers = {"traceparent": f"00-{trace_id}-{SPAN}-00"}
    joined = Sampling.of(PREFIX, ratio, heeds_parent=False).begin(request_id, headers)
    assert joined.recorded is theirs.should_sample(None, int(trace_id, 16), "").decision.is_sampled()
    context = TraceContextTextMapPropagator().extract(headers)
    based = ParentBased(theirs).should_sample(context, int(trace_id, 16), "")
    assert Sampling.of(PREFIX, ratio).begin(request_id, headers).recorded is based.decision.is_sampled()


# -- passing on --------------------------------------------------------------------------------------------------------


def test_a_provider_is_told_the_span_of_its_attempt() -> None:
    begun = HALF.begin(ID, {"traceparent": GIVEN, "tracestate": "a=b"})
    assert context_headers(begun, 2) == (
        ("tracestate", "a=b"),
        ("traceparent", f"00-{TRACE}-b7ad6b7169203333-01"),
    )
    assert context_headers(HALF.begin(ID, {}), 1) == (("traceparent", f"00-{PREFIX}{ID}-b7ad6b7169203332-00"),)


def test_without_traces_of_its_own_the_clients_context_passes() -> None:
    assert passed_on({"traceparent": f"cc-{TRACE}-{SPAN}-ff-x", "tracestate": " a=b"}) == (
        ("tracestate", "a=b"),
        ("traceparent", f"00-{TRACE}-{SPAN}-03"),
    )
    assert passed_on({"traceparent": GIVEN, "tracestate": "?"}) == (("traceparent", GIVEN),)
    assert passed_on({"traceparent": "garbage", "tracestate": "a=b"}) == ()


@given(hexes(16), st.integers(1, 20), st.integers(1, 20))
def test_the_spans_of_a_request_have_different_valid_ids(request_id: str, one: int, other: int) -> None:
    assume(one != other)
    begun = HALF.begin(request_id, {})
    ids = {request_id, attempt_span_id(begun, one), attempt_span_id(begun, other)}
    assert len(ids) == 3 or request_id > "f" * 14
    assert all(len(name) == 16 and int(name, 16) for name in ids)


@given(hexes(32), hexes(16), st.integers(0, 3), st.integers(1, 20))
def test_what_is_passed_on_is_read_as_it_was(trace_id: str, request_id: str, flags: int, number: int) -> None:
    parent = {"traceparent": f"00-{trace_id}-{SPAN}-{flags:02x}", "tracestate": "a=b"}
    begun = HALF.begin(request_id, parent)
    told = parent_of(dict(context_headers(begun, number)))
    assert told == Parent(trace_id, attempt_span_id(begun, number), flags, "a=b")
