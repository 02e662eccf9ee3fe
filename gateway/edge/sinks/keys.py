"""Keys of sinks: from a file that is read again with every batch, else from a variable.

So a key can be replaced while the gateway runs. They are never shown; what goes wrong is told without them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.config.defaults import KEY_DIRECTORY
from gateway.config.keys import read_key
from gateway.core.catalog import KeyRef


@dataclass(frozen=True, slots=True)
class SinkKey:
    """Where one key of one sink stands."""

    sink: str
    name: str  # of the file in the sink's directory
    variable: str
    environ: Mapping[str, str] = field(repr=False)
    directory: str = KEY_DIRECTORY

    @property
    def file(self) -> str:
        return str(Path(self.directory, self.sink, self.name))

    def read(self) -> str | None:
        """The key as it is now; None: there is none."""
        return read_key(KeyRef(file=self.file, env=self.variable), self.environ)
