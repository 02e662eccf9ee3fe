"""Decision records on their way to a file, a pipe and a full disk."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.edge import journal as journal_module
from gateway.edge.journal import Journal


def until(condition: Callable[[], object]) -> None:
    """Give the journal's thread its turn until something has come to pass."""
    give_up = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < give_up, "it never came to pass"
        time.sleep(0.001)


def line_of(row: Any) -> bytes:
    return json.dumps(row).encode() + b"\n"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that nobody waits for; the journal closes its own end."""
    read, write = os.pipe2(os.O_NONBLOCK)
    yield read, write
    os.close(read)


def test_writes_rows_in_their_order_as_json_lines(tmp_path: Path) -> None:
    journal = Journal.to(str(tmp_path / "rows.jsonl"))
    for number in range(600):
        journal.add(line_of({"n": number, "text": "北京"}))
    journal.close()
    assert lines(tmp_path / "rows.jsonl") == [{"n": number, "text": "北京"} for number in range(600)]
    assert (journal.written, journal.dropped) == (600, 0)


def test_appends_to_what_is_there_and_lets_no_stranger_read_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    for number in range(2):
        journal = Journal.to(str(path))
        journal.add(line_of({"n": number}))
        journal.close()
    assert lines(path) == [{"n": 0}, {"n": 1}]
    assert path.stat().st_mode & 0o007 == 0


def test_leaves_standard_output_open() -> None:
    journal = Journal.to("stdout")
    journal.close()
    os.fstat(1)


def test_says_why_a_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        Journal.to(str(tmp_path / "absent" / "rows.jsonl"))


def test_drops_the_oldest_rows_of_a_sink_that_does_not_read(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "QUEUE_LIMIT", 10)
    read, write = pipe
    os.set_blocking(write, True)
    journal = Journal(write, owned=True)
    journal.add(line_of({"text": "x" * 100_000}))  # more than the pipe holds: the thread waits in the middle of it
    until(lambda: not journal._queue)
    for number in range(25):
        journal.add(line_of({"n": number}))
    assert journal.dropped == 15
    os.set_blocking(read, True)
    came = b""
    while came.count(b"\n") < 11:
        came += os.read(read, 65_536)
    journal.close()
    assert [json.loads(line)["n"] for line in came.splitlines()[1:]] == list(range(15, 25))


def test_counts_what_a_full_disk_refuses(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal.to("/dev/full")
    for number in range(3):
        journal.add(line_of({"n": number}))
        until(lambda number=number: journal.dropped == number + 1)
    journal.close()
    assert (journal.written, journal.dropped) == (0, 3)
    assert caplog.text.count("No space left on device") == 1  # said once, not for each row


def test_begins_a_new_line_after_one_that_broke_off(pipe: tuple[int, int]) -> None:
    read, write = pipe
    journal = Journal(write, owned=True)
    journal.add(line_of({"text": "x" * 100_000}))  # more than the pipe takes at once
    until(lambda: journal.dropped == 1)
    half = os.read(read, 200_000)
    journal.add(line_of({"n": 1}))
    journal.close()
    rows = (half + os.read(read, 200_000)).splitlines()
    assert [json.loads(row) for row in rows[1:]] == [{"n": 1}]
    assert journal.written == 1


def test_counts_a_line_that_could_not_be_made(tmp_path: Path) -> None:
    journal = Journal.to(str(tmp_path / "rows.jsonl"))
    for line in (line_of({"n": 1}), None, line_of({"n": 2})):
        journal.add(line)
    journal.close()
    assert lines(tmp_path / "rows.jsonl") == [{"n": 1}, {"n": 2}]
    assert (journal.written, journal.dropped) == (2, 1)
