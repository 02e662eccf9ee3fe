"""What all sinks know of a row."""

import pytest
from msgspec.structs import replace

from gateway.core.record import record
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.rows import complain, end_ns, feedback_ns, jsons, passing_over, start_ns, weigh
from gateway.formats import codec
from tests.support.decisions import ANSWERED, FEEDBACK, REFUSED, TEXTS


def test_writes_decisions_and_feedback_as_the_journal_does() -> None:
    assert [codec.loads(text) for _, text in jsons([ANSWERED, FEEDBACK])] == [record(ANSWERED), FEEDBACK]


def test_leaves_out_what_json_cannot_hold_and_counts_it() -> None:
    rows = [{"n": 1}, {"what": object()}, {"n": 2}]
    written = jsons(rows)
    assert [row for row, _ in written] == [{"n": 1}, {"n": 2}]
    with pytest.raises(Undelivered) as caught:
        complain(rows, written)
    assert (caught.value.final, caught.value.lost) == (True, 1)


def test_complains_of_nothing_where_all_is_written() -> None:
    complain([FEEDBACK], jsons([FEEDBACK]))


def test_weighs_the_texts_and_nothing_else() -> None:
    long = replace(ANSWERED, texts={"request": {"a": ["xy", {"b": "z" * 1_000}], "n": 1.5}, "response": "w" * 500})
    assert [weigh(row) for row in (ANSWERED, REFUSED, FEEDBACK, long)] == [0, 0, 0, 1_502]


def test_weighs_what_is_nested_deeply() -> None:
    nested: object = "x"
    for _ in range(100_000):
        nested = [nested]
    assert weigh(replace(ANSWERED, texts={"request": nested})) == 1


def test_counts_instants_in_whole_microseconds() -> None:
    assert start_ns(ANSWERED) == 1_764_000_000_500_000_000
    assert start_ns(ANSWERED, 310.25) == 1_764_000_000_810_250_000
    assert end_ns(ANSWERED) == 1_764_000_001_422_500_000
    assert feedback_ns(FEEDBACK) == 1_764_000_060_250_000_000


def test_goes_on_after_what_is_refused_for_good_alone() -> None:
    refused: list[Undelivered] = []
    with passing_over(refused):
        raise Undelivered("answered 400", None, final=True)
    with pytest.raises(Undelivered, match="503"), passing_over(refused):
        raise Undelivered("answered 503", None, final=False)
    assert [str(error) for error in refused] == ["answered 400"]


def test_has_texts_in_its_fixtures() -> None:
    assert weigh(replace(ANSWERED, texts=TEXTS)) > 40
