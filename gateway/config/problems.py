"""What is wrong with a configuration file, in words for the person who wrote it.

Owns the form of a problem (`pointsman.yaml:12: routes[0].tier.min: ...`) and the collection of many: a file is refused
with everything that is wrong with it, not with the first thing found. Knows nothing of YAML or of the rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

Path = tuple[str | int, ...]
SHOWN_CHARS = 80  # of a wrong value; a whole key pasted in the wrong place should not fill a log
LISTED = 20  # valid values named in a message; of more than these the nearest say more


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` counts from 1 and is 0 where the file has none (defaults, an unreadable file)."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class ConfigError(Exception):
    """The file is refused as a whole. `problems` are in the order of its lines and are never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Findings:
    """Collects problems and warnings of one file, and knows on which line each path stands."""

    file: str
    lines: Mapping[Path, int]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    faults: list[Path] = field(default_factory=list)  # where the problems are

    def problem(self, path: Path, message: str) -> None:
        self.faults.append(path)
        self.problems.append(self._at(path, message))

    def warn(self, path: Path, message: str) -> None:
        self.warnings.append(self._at(path, message))

    def refuse_if_any(self) -> None:
        """Raise `ConfigError` where a problem was found."""
        if self.problems:
            raise ConfigError(self.problems)

    def _at(self, path: Path, message: str) -> Problem:
        return Problem(self.file, self._line(path), render_path(path), message)

    def _line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing around it that stands in the file."""
        for end in range(len(path), -1, -1):
            line = self.lines.get(path[:end])
            if line is not None:
                return line
        return 0


def render_path(path: Path) -> str:
    """`("routes", 0, "tier")` as `routes[0].tier`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part)}" if text else shown(part)
    return text


def shown(value: object) -> str:
    """A value as a message shows it: one line, bounded."""
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def not_one_of(value: object, what: str, valid: Iterable[str]) -> str:
    """`"larg" is not a tier; valid: small, medium, large (did you mean "large"?)`."""
    known = list(dict.fromkeys(valid))
    words = f'"{shown(value)}" is not {what}'
    if known and len(known) <= LISTED:
        words += f"; valid: {', '.join(known)}"
    near = get_close_matches(str(value)[:256], known, n=1, cutoff=0.6)
    return f'{words} (did you mean "{near[0]}"?)' if near else words
