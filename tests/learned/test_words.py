from io import BytesIO

import numpy as np
import pytest

from gateway.learned import words as module
from gateway.learned.words import WordTable

POINTS = np.array([[3, 0], [0, 4]], np.float32)


def a_table() -> WordTable:
    return WordTable(["prove", "greet"], POINTS)


def test_a_text_lies_between_its_words() -> None:
    assert a_table().point(["prove", "greet", "nobody"]).tolist() == pytest.approx([0.6, 0.8])


def test_nothing_known_lies_nowhere() -> None:
    assert a_table().point(["x", "yonder"]).tolist() == [0.0, 0.0]


def test_an_unknown_form_stands_where_its_stem_does() -> None:
    table = a_table()
    assert table.point(["greeting"]).tolist() == [0.0, 1.0]
    assert table.point(["greeting"]).tolist() == [0.0, 1.0], "from memory, too"
    assert table.point(["gree"]).tolist() == [0.0, 0.0], "a stem is a word of the table"


def test_unknown_words_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 1)
    table = a_table()
    assert [table.point([word]).tolist() for word in ("proves", "greets", "greets")] == [[1, 0], [0, 1], [0, 1]]


def test_is_read_from_a_file() -> None:
    out = BytesIO()
    np.savez(out, words=np.array("prove\ngreet"), q=np.array([[1, 0], [0, 2]], np.int8), scale=np.array([3, 2.0]))
    table = WordTable.read(out.getvalue())
    assert table.dimensions == 2
    assert table.point(["prove", "greet"]).tolist() == pytest.approx([0.6, 0.8])
