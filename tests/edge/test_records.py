"""Rows on their way to all places at once."""

from collections.abc import Sequence
from pathlib import Path

from gateway.edge.courier import Courier, Means, Rules, Undelivered
from gateway.edge.journal import Journal
from gateway.edge.lines import Row
from gateway.edge.records import Records


def refusing(_batch: Sequence[Row]) -> None:
    raise Undelivered("answered 400", None, final=True)


def test_gives_each_row_to_the_journal_and_to_every_sink(tmp_path: Path) -> None:
    came: list[Row] = []
    journal = Journal.to(str(tmp_path / "rows.jsonl"))
    couriers: list[Courier[Row]] = [Courier("good", came.extend, Rules()), Courier("bad", refusing, Rules())]
    records = Records(journal, couriers)
    records.add({"n": 1}, b'{"n":1}\n')
    records.add({"n": 2}, b'{"n":2}\n')
    records.close(20.0)
    assert came == [{"n": 1}, {"n": 2}]
    assert (tmp_path / "rows.jsonl").read_text() == '{"n":1}\n{"n":2}\n'
    told = {name: (sink.delivered, sink.dropped, sink.retries, sink.waiting) for name, sink in records.sinks().items()}
    assert told == {"journal": (2, 0, 0, 0), "good": (2, 0, 0, 0), "bad": (0, 2, 0, 0)}
    assert records.dropped == 2


def test_keeps_nothing_where_nothing_is_asked_for() -> None:
    records = Records(None)
    records.add({"n": 1}, b"")
    records.close(0.0)
    assert (records.sinks(), records.dropped) == ({}, 0)


def test_closes_all_within_one_time() -> None:
    clock = [100.0]
    runs = []
    means = Means(now_s=lambda: clock[0], start=lambda _name, run: runs.append(run))
    couriers: list[Courier[Row]] = [Courier(name, refusing, Rules(), means=means) for name in ("one", "two")]
    records = Records(None, couriers)
    records.add({"n": 1}, b"")
    for courier in couriers:
        courier.hurry(3.0)
    clock[0] += 3.0  # what the first takes, the others have not
    records.close(3.0)
    assert records.dropped == 2
