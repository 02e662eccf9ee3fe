"""The table of failure cases in the README says what is there."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
ROWS = [line for line in (TESTS / "README.md").read_text().splitlines() if re.match(r"\| [A-P]\d+ \|", line)]
CASES = {
    "A": (1, 2, 3, 4, 5, 6, 8, 9, 11), "B": (2, 3, 4), "C": (1, 2, 3, 4, 5, 6), "D": (1, 2, 4, 5),
    "E": (1, 3, 6, 7, 8), "F": (1, 2, 3, 4, 5, 6), "G": (1, 2), "H": (1, 2, 3, 4, 5, 6, 7, 8, 9),
    "I": (1, 2, 4, 5, 7, 8), "J": (1, 2, 3, 5, 6, 7, 8), "K": (1, 2, 3, 4), "L": (1, 2, 3, 4), "M": (1, 2, 4, 5),
    "N": (2, 3, 4), "O": (1, 2, 3, 4, 5, 6), "P": (2, 3),
}  # fmt: skip


def test_has_a_row_for_each_of_the_eighty_cases() -> None:
    ids = [row.split("|")[1].strip() for row in ROWS]
    assert ids == [f"{letter}{number}" for letter, numbers in CASES.items() for number in numbers]
    assert len(ids) == 80


def test_says_of_each_case_where_it_is_tested_or_why_not() -> None:
    words = ("::test_", "not applicable: ", "issue ")
    assert [row for row in ROWS if not any(word in row for word in words)] == []


def test_names_tests_that_exist() -> None:
    named = [found for row in ROWS for found in re.findall(r"`(\S+\.py)::(\w+)`", row)]
    assert len(named) > 100
    absent = [
        f"{file}::{name}" for file, name in named
        if not (TESTS / file).is_file() or f"def {name}(" not in (TESTS / file).read_text()
    ]  # fmt: skip
    assert absent == []


def test_has_every_marked_case_in_its_table() -> None:
    known = {row.split("|")[1].strip() for row in ROWS}
    texts = [file.read_text() for file in TESTS.rglob("test_*.py")]
    marked = {case for text in texts for case in re.findall(r'mark\.case\("(\w+)"\)', text)}
    assert marked - known == set()
