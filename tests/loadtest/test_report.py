from loadtest.flight import Flight
from loadtest.report import as_text, percentiles_ms, summary
from loadtest.scenarios import Job

HEADERS = {"x-pointsman-endpoint": "v/m", "x-pointsman-attempts": "2"}
SERVED = Flight(Job(0, "math", ""), 0.0, "ok", 200, HEADERS, first_token_s=0.1, total_s=0.2, cost_usd=0.5)
BROKEN = Flight(Job(0, "chat", ""), 0.0, "in_stream_error", 200, {}, total_s=9.0, detail="gone")
REFUSED = Flight(Job(0, "chat", ""), 0.0, "http_503", 503, {}, total_s=0.1, detail="all attempts failed")
EACH = {"p50": 200.0, "p90": 200.0, "p95": 200.0, "p99": 200.0}
FIRST = dict.fromkeys(EACH, 100.0)


def test_takes_the_nearest_rank() -> None:
    values: list[float | None] = [None, *(n / 1000 for n in range(1, 101))]
    assert percentiles_ms(values) == {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0}
    assert percentiles_ms([]) == {}


def test_counts_times_and_costs() -> None:
    group = {"requests": 1, "total_ms": EACH, "first_token_ms": FIRST, "cost_usd": 0.5}
    assert summary([SERVED, BROKEN, REFUSED], elapsed_s=2.0, expected_errors=frozenset({"in_stream_error"})) == {
        "requests": 3,
        "ok": 1,
        "errors": {"in_stream_error": 1, "http_503": 1},
        "unexpected_errors": 1,
        "examples": ["in_stream_error: gone", "http_503: all attempts failed"],
        "failovers": 1,
        "elapsed_s": 2.0,
        "per_s": 1.5,
        "total_ms": EACH,
        "first_token_ms": FIRST,
        "by_endpoint": {"v/m": group},
        "by_task": {"math": group},
        "cost_usd": 0.5,
    }


def test_is_readable_with_and_without_everything() -> None:
    report = summary([SERVED], elapsed_s=1.0, expected_errors=frozenset())
    bill = {"provider": "v", "billed_usd": 0.5, "ours_usd": 0.5, "difference_usd": 0.0}
    text = as_text(report | {"saved_usd": 0.25, "bills": [bill], "kill": {"lost_before_their_commit_point": 0}})
    for part in (
        "cost          $0.500000   saved $0.250000",
        "v/m ",
        "math ",
        "0.50000000",
        "lost before their commit",
    ):
        assert part in text
    assert "saved" not in as_text(summary([], elapsed_s=0.0, expected_errors=frozenset()))
