"""Lines of a watch, however they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.kube import lines
from gateway.edge.kube.lines import LineError, Lines


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line and line.strip())), st.data())
def test_gives_each_line_whole_however_it_is_cut(wanted: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\n" for line in wanted)
    splitter, found, at = Lines(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        found += splitter.feed(stream[at : at + size])
        at += size
    splitter.end()
    assert found == wanted


def test_passes_over_empty_lines() -> None:
    assert list(Lines().feed(b"\n\r\na\n \nb\n")) == [b"a", b"b"]


def test_tells_an_end_within_a_line() -> None:
    splitter = Lines()
    assert list(splitter.feed(b'{"type": "ADDED"}\n{"ty')) == [b'{"type": "ADDED"}']
    with pytest.raises(LineError, match="within an event"):
        splitter.end()


def test_refuses_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    splitter = Lines()
    assert list(splitter.feed(b"0123456789")) == []
    with pytest.raises(LineError, match="an event has more than"):
        list(splitter.feed(b"x"))
