"""What two looks at a gateway come to."""

from typing import Any

from gateway.cli.ink import Ink
from gateway.cli.top_view import WINDOW_S, History, Look, lines, view


def endpoint(name: str, ok: int, **fields: Any) -> dict[str, Any]:
    return {"endpoint": name, "breaker": "closed", "ok": ok, "failed": 0, "rate_limited": 0, **fields}


def overview(requests: int = 0, *endpoints: dict[str, Any], **fields: Any) -> dict[str, Any]:
    today = {
        "since": "2026-11-25T00:00:00Z", "requests": requests, "failed": requests // 10, "cost_usd": requests * 0.001,
        "saved_usd": requests * 0.003, "baseline_cost_usd": requests * 0.004,
        "by_endpoint": [{"endpoint": "a/x", "cost_usd": requests * 0.001}],
    }  # fmt: skip
    return {
        "version": "1.2.3", "ready": "ready", "now": "2026-11-25T12:34:56Z", "started_at": "2026-11-24T00:00:00Z",
        "inflight": 4, "today": today, "endpoints": list(endpoints), **fields,
    }  # fmt: skip


BEFORE = overview(
    1000, endpoint("a/x", 900), endpoint("b/x", 10, failed=1), endpoint("c/quiet", 5), endpoint("d/new", 0)
)
AFTER = overview(
    1100,
    endpoint("a/x", 985, failed=5, first_token_ms={"p95": 412.0}),
    endpoint("b/x", 10, failed=5, rate_limited=1, breaker="open", probe={"first_byte_ms": {"p95": 1900.0}}),
    endpoint("c/quiet", 5, probe=None, first_token_ms=None, breaker="half_open"),
    endpoint("d/new", 5, probe={"first_byte_ms": None}),
)
SEEN = view(Look(100.0, BEFORE), Look(110.0, AFTER))

SCREEN = """\
pointsman  http://h:9090  1.2.3  ready  12:34:56 UTC
10.0 requests/s   4 in flight   10 % errors   $36.00/h   saved $108.00/h (75 %)   since 00:00: 1,100 requests, $1.10, saved $3.30

endpoint  breaker    req/s  errors      p95  cost/h
b/x       open         0.5   100 %  ~1.90 s      $0
c/quiet   half-open    0.0       -        -      $0
a/x       closed       9.0   5.6 %   412 ms  $36.00
d/new     closed       0.5     0 %        -      $0
rates over 10 s; p95: time to first content, ~ as probed by the monitor"""  # noqa: E501 - as it is printed


def test_tells_rates_and_puts_what_is_ill_first() -> None:
    assert "\n".join(lines(SEEN, "http://h:9090", Ink(), 40)) == SCREEN


def test_keeps_to_the_size_of_the_terminal() -> None:
    shown = lines(SEEN, "http://h:9090", Ink(30), 8)
    assert shown == [
        "pointsman  http://h:9090  1.2…",
        "10.0 requests/s   4 in flight…",
        "",
        "endpoint  breaker    req/s  e…",
        "b/x       open         0.5   …",
        "c/quiet   half-open    0.0   …",
        "… and 2 other endpoints",
        "rates over 10 s; p95: time to…",
    ]
    assert [len(lines(SEEN, "u", Ink(30), height)) for height in (1, 3, 6)] == [1, 3, 6]


def test_colours_states_and_errors() -> None:
    shown = lines(SEEN, "http://h:9090", Ink(200, coloured=True), 40)
    assert shown[4].startswith("\x1b[36mb/x     \x1b[0m  \x1b[31mopen     \x1b[0m    0.5  \x1b[31m 100 %\x1b[0m")
    assert "\x1b[31m10 % errors\x1b[0m" in shown[1]


def test_one_look_tells_no_rates() -> None:
    seen = History().add(Look(5.0, overview(7, endpoint("a/x", 7))))
    assert (seen.requests_per_s, seen.error_share, seen.saved_share, seen.requests) == (0.0, None, None, 7)
    assert "no errors" in lines(seen, "u", Ink(), 40)[1]


def test_rates_are_over_the_last_ten_seconds() -> None:
    history = History()
    for second in range(30):
        seen = history.add(Look(float(second), overview(second * 2 if second < 15 else 28)))
    assert (seen.rates_over_s, seen.requests_per_s) == (WINDOW_S, 0.0)


def test_begins_anew_with_another_process_or_day() -> None:
    history = History()
    history.add(Look(1.0, overview(1000)))
    seen = history.add(Look(2.0, overview(3, started_at="2026-11-25T12:00:00Z")))
    assert (seen.requests_per_s, seen.requests) == (0.0, 3)
    seen = history.add(Look(3.0, overview(5, started_at="2026-11-25T12:00:00Z")))
    assert seen.requests_per_s == 2.0


def test_reads_little_where_little_is_told() -> None:
    assert lines(view(Look(0.0, {}), Look(1.0, {})), "u", Ink(), 40)[1].startswith("0.0 requests/s   0 in flight")
