"""Signs of what became of an answer, as a log of decisions tells them."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.replay_log import RecordTable
from gateway.core.signals import AGAIN_AT_MOST
from tests.support.logs import a_row, written

pytest.importorskip("duckdb", reason="DuckDB is not installed")

SAME = {"session_hash": "s", "prompt_hash": "p", "prompt_chars": 100, "latency_ms": 10_000.0}


def asked(number: int, second: int, **changes: Any) -> dict[str, Any]:
    """A request at that second of the hour, answered within ten."""
    time = f"2026-11-25T12:{second // 60:02}:{second % 60:02}.000Z"
    return a_row(number, **{**SAME, "time": time, "input": number, **changes})


def again(tmp_path: Path, *rows: dict[str, Any]) -> set[int]:
    """Places of the rows whose request was asked again; they are told apart by their tokens."""
    marked = [{**row, "usage": {**row["usage"], "input": place}} for place, row in enumerate(rows)]
    found = set()
    with closing(RecordTable([str(written(tmp_path / "log.jsonl", marked))], lambda _: None)) as table:
        for _, columns in table.batches():
            found |= {int(place) for place in columns["input"][columns["asked_again"]]}
    return found


def test_the_same_prompt_of_the_same_session_soon_after_the_answer_is_no_praise(tmp_path: Path) -> None:
    assert again(tmp_path, asked(1, 0), asked(2, 60)) == {0}


@pytest.mark.parametrize(
    ("why", "then"),
    [
        ("too late", {"second": 311}),
        ("beside it, before it ended", {"second": 9}),
        ("another session", {"session_hash": "t"}),
        ("another prompt", {"prompt_hash": "q"}),
        ("a longer conversation: tools answered", {"prompt_chars": 140}),
        ("another key", {"key_id": "kb"}),
        ("no conversation", {"task": None, "surface": "embeddings"}),
    ],
)
def test_what_only_looks_like_asking_again(tmp_path: Path, why: str, then: dict[str, Any]) -> None:
    later = {"second": 60, **then}
    assert again(tmp_path, asked(1, 0), asked(2, later.pop("second"), **later)) == set(), why


def test_asking_again_after_a_failure_says_nothing_of_an_answer(tmp_path: Path) -> None:
    assert again(tmp_path, asked(1, 0, outcome="failed", endpoint=None), asked(2, 60)) == set()


def test_a_program_that_asks_the_same_all_the_time_says_nothing(tmp_path: Path) -> None:
    few = [asked(number, number * 20) for number in range(AGAIN_AT_MOST + 1)]
    assert again(tmp_path, *few) == {0, 1, 2}
    assert again(tmp_path, *few, asked(9, 90)) == set()


def test_form_and_broken_streams_are_read(tmp_path: Path) -> None:
    rows = [a_row(1, format_ok=True), a_row(2, format_ok=False), a_row(3), a_row(4, outcome="partial")]
    with closing(RecordTable([str(written(tmp_path / "log.jsonl", rows))], lambda _: None)) as table:
        pairs = [pair for _, one in table.batches() for pair in zip(one["form"], one["broken_off"], strict=True)]
    told = sorted((str(form), bool(bad)) for form, bad in pairs)
    assert told == [("0.0", False), ("1.0", False), ("nan", False), ("nan", True)]
