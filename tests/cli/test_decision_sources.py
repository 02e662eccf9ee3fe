"""Where decisions are read from."""

import asyncio
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import decision_sources
from gateway.cli.decision_sources import AdminPort, NoRecords, Pipe, RecordFile, lines_backwards, row_of
from gateway.cli.local_http import Unreachable
from tests.support.admin_port import Answer, admin_port
from tests.support.running_gateway import gateway_with


def record(name: str) -> bytes:
    return json.dumps({"id": name, "outcome": "ok"}).encode() + b"\n"


def ids(rows: Iterator[Any] | list[Any]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize("line", [b"", b"INFO started", b"{", b"[1]", b'{"msg": "a log line"}', b"12"])
def test_takes_nothing_else_for_a_record(line: bytes) -> None:
    assert row_of(line) is None


def test_takes_feedback_for_a_record() -> None:
    assert row_of(b'{"type": "feedback"}') == {"type": "feedback"}


@given(text=st.binary(max_size=200), block=st.integers(1, 64))
def test_reads_lines_backwards_whatever_the_blocks(text: bytes, block: int) -> None:
    text = text.replace(b"\r", b" ")
    before, decision_sources.BLOCK_BYTES = decision_sources.BLOCK_BYTES, block
    try:
        assert list(lines_backwards(io.BytesIO(text), len(text)))[::-1] == text.splitlines(keepends=True)
    finally:
        decision_sources.BLOCK_BYTES = before


class Script:
    """Instead of a pause: the next of these happens."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = iter(steps)

    def __call__(self) -> None:
        next(self._steps)()


def test_follows_a_file_through_growth_truncation_and_rotation(tmp_path: Path) -> None:
    path, half = tmp_path / "decisions.jsonl", record("d")
    path.write_bytes(record("a") + b"a log line\n" + record("b"))
    append = path.open("ab", buffering=0)

    def rotate() -> None:
        path.rename(tmp_path / "old.jsonl")

    pauses = Script(
        lambda: append.write(record("c") + half[:5]),
        lambda: append.write(half[5:]),
        lambda: append.truncate(0),
        lambda: append.write(record("e")),
        rotate,  # for a moment there is none
        lambda: path.write_bytes(record("f") + record("g")),
    )
    with append, closing(RecordFile(path, pauses)) as source:
        assert ids(source.newest()) == ["b", "a"]
        assert ids(islice(source.coming(), 5)) == ["c", "d", "e", "f", "g"]


def test_what_was_half_written_at_first_comes_whole(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(record("a") + record("b")[:7])
    append = path.open("ab", buffering=0)
    with append, closing(RecordFile(path, Script(lambda: append.write(record("b")[7:])))) as source:
        assert ids(source.newest()) == ["a"]
        assert ids(islice(source.coming(), 1)) == ["b"]


def test_finds_a_decision_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(record("a") + b'{"type": "feedback", "decision": "a"}\n' + record("b"))
    with closing(RecordFile(path)) as source:
        assert source.find("a") == {"id": "a", "outcome": "ok"}
        assert source.find("c") is None


def test_says_why_a_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NoRecords, match=r"nothing\.jsonl cannot be read: No such file"):
        RecordFile(tmp_path / "nothing.jsonl")


def test_reads_records_between_the_log_lines_of_a_pipe() -> None:
    text = b"INFO up\n" + record("a") + b"WARN x\n" + record("b")
    assert list(Pipe(io.BytesIO(text)).newest()) == []
    assert ids(Pipe(io.BytesIO(text)).coming()) == ["a", "b"]
    assert Pipe(io.BytesIO(text)).find("b") == {"id": "b", "outcome": "ok"}


def told(*names: str) -> bytes:
    return b"event: overview\ndata: {}\n\n" + b"".join(b"event: decision\ndata: %b\n" % record(name) for name in names)


class Gateway:
    """An admin port with scripted streams; `kept` are the decisions it lists, newest first."""

    def __init__(self, *streams: Answer) -> None:
        self.kept: list[str] = []
        self._streams = iter(streams)

    def __call__(self, path: str) -> Answer:
        if path.startswith("/api/decisions?"):
            return {"decisions": [json.loads(record(name)) for name in self.kept]}
        return next(self._streams) if path == "/api/stream" else 404


def test_goes_on_after_a_gateway_was_away_and_tells_nothing_twice() -> None:
    gateway = Gateway(told("b", "c"), 503, told("d", "f"))
    gateway.kept = ["b", "a"]
    lost: list[str] = []
    with admin_port(gateway) as url:
        source = AdminPort(url, lost.append, lambda: gateway.kept.insert(0, "e"))
        assert ids(source.newest()) == ["b", "a"]
        assert ids(islice(source.coming(), 4)) == ["c", "e", "d", "f"]
    assert lost == [f"{url}/api/stream has ended", f"{url}/api/stream cannot be listened to (status 503)"]


def test_says_that_this_is_no_admin_port() -> None:
    with admin_port(lambda _: 404) as url, pytest.raises(NoRecords, match=r"lists no decisions \(status 404\); is"):
        AdminPort(url, print, os.getpid).newest()  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match="does not answer"):
        AdminPort(url, print, os.getpid).newest()  # type: ignore[arg-type]


async def test_reads_a_real_gateway() -> None:
    async with gateway_with("sim-cheap") as running:
        async with running.chat() as reply:
            name = reply.headers["x-pointsman-decision"]
        await running.row()
        source = AdminPort(f"{running.admin_url}/", print, lambda: None)
        assert ids(await asyncio.to_thread(lambda: list(source.newest()))) == [name]
        assert await asyncio.to_thread(source.find, name) == running.rows.kept[0]
        assert await asyncio.to_thread(source.find, "none") is None
        coming = source.coming()
        waiting = asyncio.create_task(asyncio.to_thread(next, coming))
        async with running.chat() as reply:
            name = reply.headers["x-pointsman-decision"]
        assert (await waiting)["id"] == name
        await asyncio.to_thread(coming.close)  # type: ignore[attr-defined]
