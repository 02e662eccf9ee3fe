"""Values of another gateway's configuration: read with their type, secrets by the name of a variable alone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.config.imports.notes import Notes
from gateway.config.known import Known
from gateway.config.problems import Path
from gateway.config.urls import checked_base_url

ENVIRON = "os.environ/"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_NO_VARIABLE = re.compile(r"[^A-Za-z0-9_]+")
_NO_KEYS = frozenset({"", "none", "null", "empty", "dummy", "fake", "fake-key", "not-needed", "no-key-required"})
NOWHERE = "http://address.invalid/v1"  # RFC 2606: a name that never resolves


def text(value: Any) -> str | None:
    """A text, or a number that was meant as one."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """A number, also where it stands in quotes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if abs(found) < 1e15 else None


def whole(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and found == int(found) else None


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    return [found for one in sequence(value) if (found := text(one)) is not None]


def variable_of(value: Any) -> str | None:
    """The variable that `os.environ/NAME` names."""
    name = value[len(ENVIRON) :].strip() if isinstance(value, str) and value.startswith(ENVIRON) else ""
    return name if _VARIABLE.fullmatch(name) else None


def variables_in(node: Any) -> Iterable[str]:
    """Every variable that a document refers to."""
    if isinstance(node, dict | list):
        for child in node.values() if isinstance(node, dict) else node:
            yield from variables_in(child)
    elif (name := variable_of(node)) is not None:
        yield name


@dataclass(slots=True)
class Values:
    """Resolves what a configuration leaves to its surroundings, and says so in notes."""

    known: Known
    notes: Notes
    taken: set[str] = field(default_factory=set)  # variables that the document itself refers to
    _secrets: dict[str, str] = field(default_factory=dict)  # a secret of the document -> the variable it moves to

    def plain(self, value: Any, path: Path) -> str | None:
        """A text that is no secret; what a variable holds is read now, since our file has no place for variables."""
        name = variable_of(value)
        if name is None:
            return text(value)
        found = self.known.variable(name)
        if found is None:
            self.notes.add(path, f"the variable {name} is not set here, and none can stand in its place: fill it in")
        else:
            self.notes.add(path, f"the value of the variable {name} was taken over as it is here and now")
        return text(found)

    def secret(self, value: Any, wanted: str, path: Path) -> str | None:
        """The variable that holds a secret; None where there is none to hold."""
        name = variable_of(value)
        if name is not None:
            return name
        given = text(value)
        if given is None or given.lower() in _NO_KEYS:
            return None
        if given not in self._secrets:
            self._secrets[given] = self._unused(_NO_VARIABLE.sub("_", wanted).upper())
        name = self._secrets[given]
        self.notes.add(path, f"a secret stands in the file itself: it was not copied; put it into the variable {name}")
        return name

    def address(self, value: Any, path: Path) -> str | None:
        """A base URL; where it cannot be one here, a placeholder, and a note."""
        found = self.plain(value, path)
        if found is None:
            return NOWHERE if value is not None else None
        try:
            return checked_base_url(found.rstrip("/"))
        except ValueError as error:
            self.notes.add(path, f"cannot be taken over as a base URL: it {error}; fill it in")
            return NOWHERE

    def _unused(self, wanted: str) -> str:
        used = self.taken | set(self._secrets.values())
        names = [wanted, *(f"{wanted}_{index}" for index in range(2, len(used) + 3))]
        return next(name for name in names if name not in used)
