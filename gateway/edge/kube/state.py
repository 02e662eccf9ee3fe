"""One ConfigMap as a directory of files: which of its keys changed since the last look.

The same as `gateway.edge.files.DirectoryWatch` says of a mounted one, only at once. What the bytes mean is the
business of whoever takes them; a ConfigMap that is gone changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from gateway.edge.files import Change
from gateway.edge.kube.ports import Json

log = logging.getLogger("pointsman")


class StateMap:
    """A sink for the reflector of one ConfigMap, by name. The watch brings all keys whenever one changes."""

    def __init__(self, name: str, wanted: Callable[[str], bool], take: Callable[[Iterable[Change]], None]) -> None:
        self._name = name
        self._wanted = wanted
        self._take = take
        self._values: dict[str, str] = {}
        self._gone = False

    def listed(self, items: Sequence[Json]) -> None:
        for item in items:
            self.changed(item)
        if not items:
            self._missing()

    def changed(self, item: Json) -> None:
        self._gone = False
        data = item.get("data")
        if not isinstance(data, dict):  # before the monitor's first word
            return
        changes = []
        for key, value in sorted(data.items()):
            if isinstance(value, str) and self._wanted(key) and self._values.get(key) != value:
                self._values[key] = value
                changes.append(Change(key, value.encode("utf-8", "replace")))
        if changes:
            self._take(changes)

    def deleted(self, item: Json) -> None:
        self._missing()

    def _missing(self) -> None:
        """Said once."""
        if not self._gone:
            self._gone = True
            log.warning("there is no ConfigMap %s; the last state stays", self._name)
