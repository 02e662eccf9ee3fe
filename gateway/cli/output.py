"""How a command prints: tables for people, one JSON document for programs."""

import json
from collections.abc import Sequence
from typing import Any

Cell = str | int | float | bool | None


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Columns as wide as needed; numbers to the right."""
    shown = [[_shown(cell) for cell in row] for row in rows]
    widths = [max(len(head), *(len(row[column]) for row in shown), 0) for column, head in enumerate(heads)]
    numeric = [
        any(isinstance(row[column], int | float) and not isinstance(row[column], bool) for row in rows)
        for column in range(len(heads))
    ]
    for line in [list(heads), *shown]:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        print("  ".join(cells).rstrip())


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
