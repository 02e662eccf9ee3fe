"""Which tier a model is in, by published figures alone.

Rule: a model is in the tier of its newest figure; each list says from which value on a model is large, and from which
it is medium. On the Arena list the chat models offered when the catalog was first compiled (November 2026, about 160)
fell into equal thirds at 1423 and 1345. The cuts are 1425 and 1330: rounded, the lower one moved to the next gap, so
that models within each other's margin of error are not parted. They are frozen: a new row moves no other. On the other
lists the cuts lie where models that stand in both lists change sides. No figure, no tier: price, size and name say
nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.naming import base_model, measured_as

FIGURES = Path(__file__).with_name("figures.json")


@dataclass(frozen=True)
class Figures:
    """Benchmark lists, oldest first."""

    lists: tuple[Mapping[str, Any], ...]

    @classmethod
    def read(cls) -> "Figures":
        lists = json.loads(FIGURES.read_text())["lists"]
        return cls(tuple(sorted(lists, key=lambda entry: entry["measured"])))

    def quality(self, name: str) -> dict[str, Any]:
        """`{"tier", "list", "value"}` of the model with this name, or an empty object; `list` indexes `sources()`."""
        for base in measured_as(base_model(name)):
            key = base.removesuffix("-preview")
            for index, entry in reversed(list(enumerate(self.lists))):
                value = entry["figures"].get(key)
                if value is not None:
                    tier = "large" if value >= entry["large"] else "medium" if value >= entry["medium"] else "small"
                    return {"tier": tier, "list": index, "value": value}
        return {}

    def sources(self) -> list[dict[str, Any]]:
        """What the lists are, for whoever asks why a model is in its tier."""
        return [{key: value for key, value in entry.items() if key != "figures"} for entry in self.lists]
