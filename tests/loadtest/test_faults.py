import pytest

from loadtest.faults import Break, BreakKind, Fault, FaultBook, Match, break_of, fault_from, fault_from_header


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"status": 429, "retry_after_s": 2}', Fault(status=429, retry_after_s=2)),
        ("status=429; retry_after_s=0.5", Fault(status=429, retry_after_s=0.5)),
        ("byte_by_byte;drop_after_events=3", Fault(byte_by_byte=True, drop_after_events=3)),
        ("html_502=true;message=gone away", Fault(html_502=True, message="gone away")),
    ],
)
def test_reads_both_spellings(text: str, expected: Fault) -> None:
    assert fault_from_header(text) == expected


def test_names_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="no such fault: explode; there are: body, byte_by_byte"):
        fault_from({"explode": True})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(), None),
        (Fault(status=500), None),
        (Fault(stall_after_events=2), Break(BreakKind.STALL, 2)),
        (Fault(drop_after_events=0), Break(BreakKind.DROP, 0)),
        (Fault(truncate_after_events=1), Break(BreakKind.TRUNCATE, 1)),
        (Fault(error_event_after=4), Break(BreakKind.ERROR, 4)),
        (Fault(role_only_keepalive=True), Break(BreakKind.KEEPALIVE, 0)),
    ],
)
def test_knows_where_an_answer_breaks_off(fault: Fault, expected: Break | None) -> None:
    assert break_of(fault) == expected


def test_strikes_so_many_times_and_then_the_next_one() -> None:
    book, first, second = FaultBook(), Fault(status=500), Fault(status=429)
    book.add(first, times=2)
    book.add(second)
    assert [book.take("/v1/messages", "m", False) for _ in range(4)] == [first, first, second, second]


def test_strikes_only_what_matches_and_never_the_list_of_models_unasked() -> None:
    book, fault = FaultBook(), Fault(status=500)
    book.add(fault, Match(model="m", stream=True))
    path = "/v1/chat/completions"
    assert [
        book.take(path, "m", True),
        book.take(path, "m", False),
        book.take(path, "other", True),
        book.take("/v1/models", "m", True),
    ] == [fault, None, None, None]


def test_strikes_the_list_of_models_when_asked() -> None:
    book, fault = FaultBook(), Fault(status=500)
    book.add(fault, Match(path="/v1/models"))
    assert [book.take("/v1/models", None, False), book.take("/v1/messages", None, False)] == [fault, None]
