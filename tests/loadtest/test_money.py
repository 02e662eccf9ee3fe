from decimal import Decimal
from pathlib import Path

import orjson

from loadtest.flight import Flight
from loadtest.money import Accounts, bill_rows, recorded_by_provider, seen_by_provider, total_of
from loadtest.scenarios import Job


def flight(endpoint: str, cost_usd: float | None) -> Flight:
    return Flight(Job(0, "chat", ""), 0.0, "ok", 200, {"x-pointsman-endpoint": endpoint}, cost_usd=cost_usd)


def test_sums_what_answers_said_by_provider() -> None:
    flights = [flight("b/m", 0.25), flight("a/m", 0.5), flight("a/n", 0.125), flight("a/n", None)]
    assert seen_by_provider(flights) == {"a": 0.625, "b": 0.25}


def test_sums_a_metric_over_its_labels() -> None:
    text = (
        "# TYPE pointsman_saved_usd_total counter\n"
        'pointsman_saved_usd_total{route="a b"} 0.5 1764000000\n'
        'pointsman_saved_usd_total{route="x"} 0.25\n'
        "pointsman_saved_usd_total_created 9\n"
        "other 4\n"
    )
    assert (total_of("pointsman_saved_usd_total", text), total_of("other", text)) == (0.75, 4.0)


def test_reads_only_the_records_of_this_run(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    old = orjson.dumps({"attempts": [{"endpoint": "a/m", "cost_usd": 9.0}]}) + b"\n"
    attempts = [{"endpoint": "a/m", "cost_usd": None}, {"endpoint": "b/m", "cost_usd": 0.5}]
    path.write_bytes(old + orjson.dumps({"attempts": attempts}) + b"\n" + b'{"feedback": 1}\n')
    assert recorded_by_provider(path, len(old)) == {"a": 0.0, "b": 0.5}


def test_sets_bills_of_this_run_beside_our_figures() -> None:
    before = Accounts({"a": Decimal(1), "b": Decimal(2)})
    after = Accounts({"a": Decimal("1.5"), "b": Decimal(2)})
    assert bill_rows(before, after, {"a": 0.75}) == [
        {"provider": "a", "billed_usd": 0.5, "ours_usd": 0.75, "difference_usd": 0.25}
    ]
    assert bill_rows(Accounts(), after, {"a": 0.75}) == []
