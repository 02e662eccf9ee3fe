import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.sse import SseDecoder, SseEvent, encode


def decode(*portions: bytes, limit: int = 10_000) -> list[tuple[bytes, bytes]]:
    """Name and data of every event."""
    decoder = SseDecoder(limit)
    events = [*itertools.chain.from_iterable(map(decoder.feed, portions)), *decoder.end()]
    return [(event.name, event.data) for event in events]


def test_reads_plain_events() -> None:
    assert decode(b"data: a\n\n", b"data: b\n\ndata: c\n\n") == [(b"", b"a"), (b"", b"b"), (b"", b"c")]


def test_reads_named_events() -> None:
    plain = b"data: first\n\n"
    assert decode(plain, b"event: ping\ndata: {}\n\n", b"event:x\ndata:{}\n\n")[1:] == [(b"ping", b"{}"), (b"x", b"{}")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_takes_every_line_end(end: bytes) -> None:
    stream = end.join(
        [b": comment", b"event: a", b"data: 1", b"data: 2", b"id: 7", b"retry: 10", b"", b"data:3", b"", b""]
    )
    assert decode(stream) == [(b"a", b"1\n2"), (b"", b"3")]
    assert decode(*(bytes([byte]) for byte in stream)) == [(b"a", b"1\n2"), (b"", b"3")]


def test_skips_a_byte_order_mark_even_if_split() -> None:
    assert decode(b"\xef\xbb\xbfdata: a\n\n") == [(b"", b"a")]
    assert decode(b"\xef", b"\xbb\xbf", b"data: a\n\n") == [(b"", b"a")]


def test_ignores_events_without_data_and_forgets_their_name() -> None:
    assert decode(b"event: lost\n\ndata: a\n\n", b"\n\n", b"data\n\n") == [(b"", b"a"), (b"", b"")]


def test_strips_one_space_only_and_keeps_colons() -> None:
    assert decode(b"data:  a: b\n\n") == [(b"", b" a: b")]


def test_takes_a_last_event_without_its_blank_line() -> None:
    assert decode(b"data: a\n\ndata: [DONE]") == [(b"", b"a"), (b"", b"[DONE]")]
    assert decode(b"data: a\n\ndata: [DONE]\n") == [(b"", b"a"), (b"", b"[DONE]")]


def test_ends_a_line_at_a_carriage_return_whose_line_feed_comes_later() -> None:
    assert decode(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [(b"", b"a\nb")]
    assert decode(b"data: a\r\n\r", b"\n", b"data: b\n\n") == [(b"", b"a"), (b"", b"b")]


def test_reads_blocks_with_odd_blank_lines_in_one_portion() -> None:
    first = b"data: 0\n\n"
    assert decode(first, b"data: a\n\n\ndata: b\ndata: c\n\n")[1:] == [(b"", b"a"), (b"", b"b\nc")]
    assert decode(first, b"event: x\nid: 1\n\ndata: d\n\n")[1:] == [(b"", b"d")]


def test_gives_up_on_an_endless_line() -> None:
    decoder = SseDecoder(limit=100)
    assert decoder.feed(b"data: a\n\ndata: " + b"x" * 60) == [SseEvent(b"", b"a")]
    assert not decoder.too_long
    assert decoder.feed(b"x" * 60) == []
    assert decoder.too_long
    assert decoder.feed(b"\n\ndata: b\n\n") == []
    assert decoder.end() == []


def test_gives_up_on_an_event_of_endless_lines() -> None:
    decoder = SseDecoder(limit=100)
    assert decoder.feed(b"data: " + b"x" * 60 + b"\n") == []
    assert decoder.feed(b"data: " + b"x" * 60 + b"\n\ndata: b\n\n") == []
    assert decoder.too_long


def test_counts_each_event_by_itself() -> None:
    decoder = SseDecoder(limit=100)
    for _ in range(10):
        assert len(decoder.feed(b"data: " + b"x" * 60 + b"\n") + decoder.feed(b"\n")) == 1
    assert not decoder.too_long


def test_writes_what_it_reads() -> None:
    assert decode(encode(b"{}"), encode(b"{}", b"ping")) == [(b"", b"{}"), (b"ping", b"{}")]


LINES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@given(
    st.lists(st.tuples(st.sampled_from(["", "ping", "größe"]), st.lists(LINES, min_size=1, max_size=3)), max_size=5),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_reads_the_same_wherever_the_bytes_are_cut(
    said: list[tuple[str, list[str]]], end: str, cuts: list[int]
) -> None:
    text = ""
    for name, lines in said:
        text += f"event: {name}{end}" if name else ""
        text += "".join(f"data: {line}{end}" for line in lines) + f": note{end}" + end
    raw = text.encode()
    places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    portions = [raw[a:b] for a, b in itertools.pairwise(places)]
    wanted = [(name.encode(), "\n".join(lines).encode()) for name, lines in said]
    assert decode(*portions, limit=100_000) == wanted
