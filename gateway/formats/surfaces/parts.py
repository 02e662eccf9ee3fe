"""What chat and messages read alike: content that is a text, or a list of parts of the surface's own."""

from collections.abc import Callable, Mapping

from gateway.core.chat import Json, Part, Text
from gateway.formats import readers

ReadPart = Callable[[Mapping[str, Json], str, set[str]], Part | None]


def read_parts(value: Json, where: str, unplaced: set[str], wanted: str, read: ReadPart) -> tuple[Part, ...]:
    """The parts of a content that is there; `wanted` says in the surface's words what it may be."""
    if isinstance(value, str):
        return (Text(value),)
    if not isinstance(value, list):
        raise readers.wrong(where, wanted, value)
    parts: list[Part] = []
    for index, item in enumerate(value):
        at = f"{where}[{index}]"
        part = read(readers.mapping(item, at), at, unplaced)
        if part is not None:
            parts.append(part)
    return tuple(parts)
