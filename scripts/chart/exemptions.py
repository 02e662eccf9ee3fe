"""What is known to be said against the chart and is left as it is, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from scripts.chart.opinions import Opinion


@dataclass(slots=True)
class Exemptions:
    """Remembers which of its entries were needed."""

    _entries: list[dict[str, Any]]
    _used: set[tuple[int, str]] = field(default_factory=set)

    @classmethod
    def read(cls, file: Path) -> "Exemptions":
        entries = yaml.safe_load(file.read_text())
        unexplained = [entry for entry in entries if not entry.get("why")]
        if unexplained:
            raise ValueError(f"{file.name}: every entry says why, {unexplained[0]} does not")
        return cls(entries)

    def covers(self, opinion: Opinion, way: str) -> bool:
        """Whether an entry speaks of it, in that way of installing."""
        covered = False
        for number, entry in enumerate(self._entries):
            if entry.get("only", way) != way or opinion.check not in entry["checks"]:
                continue
            if any(fnmatch(opinion.target, each) for each in entry["objects"]):
                self._used.add((number, opinion.check))
                covered = True
        return covered

    def unused(self) -> Iterator[str]:
        """Entries that nothing needed."""
        for number, entry in enumerate(self._entries):
            for check in entry["checks"]:
                if (number, check) not in self._used:
                    yield f"exemptions.yaml: {check} for {', '.join(entry['objects'])} is no longer needed"
