"""What the tests measured, kept for people: one JSON file of facts, and a table of it for docs/kubernetes.md."""

import json
from dataclasses import dataclass
from typing import Any

from tests.cluster.support.lab import CACHE, ROOT

Json = Any  # a value made of JSON's types

FILE = CACHE / "report.json"
DOCUMENT = ROOT / "docs" / "kubernetes.md"
BEGIN, END = "<!-- cluster report: begin -->", "<!-- cluster report: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was done to the cluster, and what came of it."""

    scenario: int  # of the list in the tests' README
    what: str
    result: str


def record(scenario: int, what: str, result: str) -> None:
    """Note a measured result; a later one of the same name replaces it."""
    rows = {(row["scenario"], row["what"]): row for row in _rows()}
    rows[scenario, what] = {"scenario": scenario, "what": what, "result": result}
    FILE.write_text(json.dumps([rows[key] for key in sorted(rows)], indent=1))


def clear() -> None:
    FILE.unlink(missing_ok=True)


def table() -> str:
    lines = ["| # | what happens | measured |", "|---|---|---|"]
    lines += [f"| {row['scenario']} | {row['what']} | {row['result']} |" for row in _rows()]
    return "\n".join(lines)


def write() -> None:
    """Put the table between the marks in the document, where it has them."""
    if not DOCUMENT.exists() or BEGIN not in (text := DOCUMENT.read_text()):
        return
    head, _, rest = text.partition(BEGIN)
    DOCUMENT.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")


def _rows() -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = json.loads(FILE.read_text()) if FILE.exists() else []
    return rows


if __name__ == "__main__":
    write()
