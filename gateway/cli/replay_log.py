"""A log of decision records as a table of numbers, read by DuckDB: JSON lines, gzip, Parquet, here or in a bucket.

The records go once through DuckDB into a temporary database file, in which what repeats (the kind of a request) stands
once; memory stays below a limit, however long the log. DuckDB is no part of a plain installation.
"""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from gateway.cli.decision_sources import NoRecords
from gateway.cli.replay_sql import AGAIN, COLUMNS, FEEDBACK, KINDS, ROWS, log_of
from gateway.core.replay import Kind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "768MB"
BATCH = 65_536  # records whose numbers are in memory at once
LOOK_S = 0.5  # between looks at the progress
REMOTE = ("s3://", "s3a://", "gs://", "gcs://", "r2://", "https://", "http://")

Columns = Mapping[str, "np.typing.NDArray[Any]"]
Say = Callable[[str], None]


class RecordTable:
    """The records of a log, ordered by kind. Close it."""

    def __init__(self, paths: Sequence[str], say: Say) -> None:
        """Read the log. `say` is told how far it is. Raises `NoRecords`."""
        self._directory = Path(tempfile.mkdtemp(prefix="pointsman-replay-"))
        self._say = say
        try:
            self._db = _connect(self._directory)
            self._read(paths)
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise
        self.kinds: dict[int, Kind] = {
            int(number): msgspec.json.decode(text, type=Kind)
            for number, text in self._db.execute("select number, kind from kinds order by number").fetchall()
        }
        self.count = self._number("select count(*) from requests")
        self.feedback = self._number("select count(*) from log where decision is not null")
        self.unreadable = self._number("select count(*) from log where unreadable")
        self.others = self._number("select count(*) from log where decision is null and kind is null") - self.unreadable

    def span_s(self) -> float:
        """From the first request to the last."""
        (span,) = self._db.execute("select coalesce(max(at_s) - min(at_s), 0) from requests").fetchone() or (0.0,)
        return float(span)

    def ttft_p95_ms(self) -> dict[str, float]:
        """What the log says of each endpoint's time to its first token."""
        rows = self._db.execute(
            "select k.kind->>'answered', approx_quantile(r.ttft_ms, 0.95) from requests r "
            "join kinds k using (number) where r.ttft_ms is not null group by 1"
        ).fetchall()
        return {name: float(ms) for name, ms in rows if name is not None}

    def batches(self) -> Iterator[tuple[int, Columns]]:
        """The records' numbers, some of one kind at a time."""
        for start in range(0, self.count, BATCH):
            self._say(f"planning {start:,} of {self.count:,}")
            found = self._db.execute(
                f"select {', '.join(COLUMNS)} from requests where rowid >= ? and rowid < ?",  # noqa: S608 -- constants
                [start, start + BATCH],
            ).fetchnumpy()
            columns = {name: np.ma.getdata(values) for name, values in found.items()}
            numbers = columns["number"]
            order = np.argsort(numbers, kind="stable")
            cuts = np.flatnonzero(np.diff(numbers[order])) + 1
            for rows in np.split(order, cuts):
                yield int(numbers[rows[0]]), {name: values[rows] for name, values in columns.items()}

    def close(self) -> None:
        self._db.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _read(self, paths: Sequence[str]) -> None:
        import duckdb

        try:
            if any(path.startswith(REMOTE) for path in paths):
                _open_buckets(self._db, paths)
            self._followed(log_of(paths), [_opened(path) for path in paths])
            for step in (KINDS, FEEDBACK, AGAIN, ROWS):
                self._followed(step, [])
        except duckdb.Error as error:
            raise NoRecords(f"the log cannot be read: {str(error).splitlines()[0]}") from None

    def _followed(self, query: str, values: list[str]) -> None:
        """Run a query, and say how far it is."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(LOOK_S):
                with suppress(Exception):  # of no consequence, and the query has its own errors
                    share = self._db.query_progress()
                    if share >= 0:
                        self._say(f"reading {share:.0f} %")

        watching = threading.Thread(target=watch, daemon=True)
        watching.start()
        try:
            self._db.execute(query, values)
        finally:
            ended.set()
            watching.join()

    def _number(self, query: str) -> int:
        row = self._db.execute(query).fetchone()
        return int(row[0]) if row else 0


def _connect(directory: Path) -> "DuckDBPyConnection":
    try:
        import duckdb
    except ImportError:
        raise NoRecords("reading logs takes DuckDB, which is not installed: pip install 'pointsman[replay]'") from None
    db = duckdb.connect(str(directory / "log.duckdb"))
    db.execute(f"set memory_limit = '{MEMORY}'")
    db.execute("set timezone = 'UTC'")
    db.execute("set preserve_insertion_order = false")
    db.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
    return db


def _open_buckets(db: "DuckDBPyConnection", paths: Sequence[str]) -> None:
    """DuckDB's extension for object storage, with the credentials that this machine has."""
    db.execute("install httpfs; load httpfs")
    if any(not path.startswith("http") for path in paths):
        db.execute("install aws; load aws")
        db.execute("create or replace secret here (type s3, provider credential_chain)")


def _opened(path: str) -> str:
    if path == "-":
        return "/dev/stdin"
    if path.startswith(REMOTE) or any(one in path for one in "*?["):
        return path
    if Path(path).is_dir():
        raise NoRecords(f"{path} cannot be read: it is a directory; name its files, such as '{Path(path) / '*.jsonl'}'")
    if not Path(path).exists():
        raise NoRecords(f"{path} cannot be read: there is no such file")
    return path
