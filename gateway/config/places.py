"""Base URLs that are not one for all: the catalog writes `{region}`, `{project}` or `{resource}` where they differ.

Owns which places there are, where their values come from and what is said where one is missing. `{vertex_host}` is no
place of its own: Google writes a region into its host in four ways.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_PLACE = re.compile(r"\{([a-z_]+)\}")
_DERIVED = {"vertex_host": "region"}


class MissingPlaces(Exception):
    """Places of a base URL without a value: their names, each with the variables that would give it."""

    def __init__(self, places: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(", ".join(places))
        self.places = places


@dataclass(frozen=True, slots=True)
class Template:
    """A catalog provider's base URL; `variables` are the environment variables that its vendor's own tools read."""

    base_url: str
    variables: Mapping[str, tuple[str, ...]]

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_DERIVED.get(name, name) for name in _PLACE.findall(self.base_url)))

    def filled(self, given: Mapping[str, str | None], variable: Callable[[str], str | None]) -> str:
        """The base URL with all its places filled, by what is given, else by variables. Raises `MissingPlaces`."""
        values = {name: given.get(name) or self._of_environment(name, variable) for name in self.places}
        missing = {name: self.variables.get(name, ()) for name, value in values.items() if value is None}
        if missing:
            raise MissingPlaces(missing)
        known = {name: value for name, value in values.items() if value is not None}
        if "region" in known:
            known["vertex_host"] = vertex_host(known["region"])
        return _PLACE.sub(lambda place: known[place[1]], self.base_url)

    def _of_environment(self, name: str, variable: Callable[[str], str | None]) -> str | None:
        return next((value for env in self.variables.get(name, ()) if (value := variable(env))), None)


def vertex_host(region: str) -> str:
    """Source: Google's "Vertex AI locations", and Anthropic's SDK for Vertex."""
    match region:
        case "global":
            return "aiplatform.googleapis.com"
        case "us" | "eu":
            return f"aiplatform.{region}.rep.googleapis.com"
        case _:
            return f"{region}-aiplatform.googleapis.com"
