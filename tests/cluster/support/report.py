"""What the tests measured, kept for people: one JSON file of facts, and a table of it for docs/kubernetes.md.

`python -m tests.cluster.support.report` puts the table of the last run into the document.
"""

import json
from typing import Any

from tests.cluster.support.lab import CACHE, ROOT

Json = Any  # a value made of JSON's types

FILE = CACHE / "report.json"
DOCUMENT = ROOT / "docs" / "kubernetes.md"
BEGIN, END = "<!-- cluster report: begin -->", "<!-- cluster report: end -->"


def record(scenario: int, what: str, result: str) -> None:
    """Note one line of the table; a later one of the same name replaces it.

    Args:
        scenario: its number in the tests' README; 0 for what belongs to none.
        what: was done to the cluster.
        result: what came of it.
    """
    rows = {(row["scenario"], row["what"]): row for row in _rows()}
    rows[scenario, what] = {"scenario": scenario, "what": what, "result": result}
    FILE.write_text(json.dumps([rows[key] for key in sorted(rows)], indent=1))


def clear() -> None:
    FILE.unlink(missing_ok=True)


def table() -> str:
    lines = ["| # | what happens | measured |", "|---|---|---|"]
    lines += [f"| {row['scenario'] or ''} | {row['what']} | {row['result']} |" for row in _rows()]
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
