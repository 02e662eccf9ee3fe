"""Rows of the decision stream as lines of JSON."""

import json

import pytest
from msgspec.structs import replace

from gateway.core.record import record
from gateway.edge.lines import Lines
from tests.support.decisions import ANSWERED, REFUSED


def test_makes_a_line_of_a_decision_and_of_other_rows() -> None:
    lines = Lines()
    for row, told in ((ANSWERED, record(ANSWERED)), (REFUSED, record(REFUSED)), ({"text": "北京"}, {"text": "北京"})):
        line = lines.line(row)
        assert line is not None
        assert line.endswith(b"}\n")
        assert json.loads(line) == told


def test_takes_half_an_emoji_and_huge_numbers_as_they_are() -> None:
    lines = Lines()
    texts = {"request": {"text": "\ud800", "n": 1 << 80}}
    line = lines.line(replace(ANSWERED, texts=texts))
    assert line is not None
    assert json.loads(line)["texts"] == texts
    for row in ({"text": "\ud800"}, {"n": 1 << 80}, {"text": "北京🙂"}):
        line = lines.line(row)
        assert line is not None
        assert json.loads(line) == row


def test_says_what_cannot_be_told(caplog: pytest.LogCaptureFixture) -> None:
    assert Lines().line({"id": "d1", "what": object()}) is None
    assert "decision d1 cannot be written as JSON" in caplog.text
