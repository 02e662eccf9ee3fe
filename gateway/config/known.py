"""What a configuration file is compiled against: the packaged catalog and the machine it runs on, as values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from gateway.config.catalog_file import ModelRow, PackagedCatalog
from gateway.config.places import Template
from gateway.core.catalog import KeyRef, Provider


def _no_variable(name: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """`models` are by endpoint id, in the order of the catalog."""

    providers: Mapping[str, Provider]
    models: Mapping[str, ModelRow]
    as_of: str  # of the catalog's prices, ISO 8601
    today: date  # on which models that have been retired count as deprecated
    wire_formats: tuple[str, ...]  # that this version speaks
    key_present: Callable[[KeyRef], bool]
    places: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)  # of base URLs, by provider
    variable: Callable[[str], str | None] = _no_variable

    @classmethod
    def of(
        cls,
        packaged: PackagedCatalog,
        today: date,
        wire_formats: tuple[str, ...],
        key_present: Callable[[KeyRef], bool],
        variable: Callable[[str], str | None] = _no_variable,
    ) -> "Known":
        """The packaged catalog, indexed."""
        return cls(
            providers=MappingProxyType({name: row.provider for name, row in packaged.provider_rows.items()}),
            models=MappingProxyType({row.endpoint.id: row for rows in packaged.model_rows.values() for row in rows}),
            as_of=packaged.as_of.isoformat(),
            today=today,
            wire_formats=wire_formats,
            key_present=key_present,
            places=MappingProxyType({name: row.places for name, row in packaged.provider_rows.items()}),
            variable=variable,
        )

    def template(self, provider: Provider) -> Template:
        """The base URL of a catalog provider."""
        return Template(provider.base_url, self.places.get(provider.id, {}))

    def models_of(self, provider: str) -> tuple[ModelRow, ...]:
        return tuple(row for row in self.models.values() if row.endpoint.provider == provider)
