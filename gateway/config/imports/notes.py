"""What an import could not take over: by line of the source, for the person who moves.

Owns the promise that no value of the source gets into a note: notes name keys, models and variables, never what stands
behind a key.
"""

from dataclasses import dataclass, field

from gateway.config.problems import Path, render_path, shown
from gateway.config.source import Document


@dataclass(frozen=True, slots=True)
class Note:
    """`line` counts from 1; `path` is where in the source, as messages of `check` write it."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class Imported:
    """`text` is a whole `pointsman.yaml`; `notes` are in the order of the source."""

    text: str
    notes: tuple[Note, ...]


@dataclass(slots=True)
class Notes:
    """Collects notes about one document."""

    document: Document
    found: list[Note] = field(default_factory=list)

    def add(self, path: Path, message: str) -> None:
        note = Note(self._line(path), render_path(path), message)
        if note not in self.found:
            self.found.append(note)

    def in_order(self) -> tuple[Note, ...]:
        return tuple(sorted(self.found, key=lambda note: note.line))

    def _line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it that has one."""
        return next((self.document.lines[path[:end]] for end in range(len(path), 0, -1)
                     if path[:end] in self.document.lines), 1)  # fmt: skip


def named(value: object) -> str:
    """A name of the source in a note."""
    return f'"{shown(value)}"'
