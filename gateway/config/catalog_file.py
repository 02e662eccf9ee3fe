"""The catalog and the data policies that ship with the package, as values.

Owns the reading of `catalog.json` (or of the file that `POINTSMAN_CATALOG` names) and of `policies.json`. Whoever reads
the configuration joins these rows with the operator's; a tier is a name here, since the list of tiers is the operator's
too. How the files come about is the business of `scripts/build_catalog.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.core.catalog import Endpoint, KeyRef, Operation, Privacy, Provider
from gateway.core.price_json import PriceFileError, price_from_json
from gateway.core.pricing import Price

VERSION = 1

Json = Any  # a parsed JSON value


class CatalogFileError(ValueError):
    """A catalog file that cannot be used as a whole; `path` is the bad place, `problem` what is wrong there."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Basis:
    """The published figure that put a model in its tier."""

    list: str
    value: float
    measured: date
    source: str  # URL


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider as the catalog knows it: `provider.key` is the variable its vendor's tools use."""

    provider: Provider  # its base URL may have places, see `config.places`
    name: str  # for people
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of the base URL, and variables that fill them


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model at a provider. `endpoint.tier` is unset: `tier` is its name, to be found in the configured tiers."""

    endpoint: Endpoint
    price: Price | None  # None: unknown
    tier: str | None = None
    basis: Basis | None = None
    retires: date | None = None  # the day on which the provider ends it, where announced

    def deprecated_on(self, day: date) -> bool:
        """Whether the model is deprecated, or its announced end has come."""
        return self.endpoint.deprecated or (self.retires is not None and day >= self.retires)


@dataclass(frozen=True, slots=True)
class PackagedCatalog:
    """Rows by provider id; models in the order of the file. Do not mutate."""

    as_of: date
    provider_rows: Mapping[str, ProviderRow]
    model_rows: Mapping[str, tuple[ModelRow, ...]]


def load_catalog(path: Path | None = None) -> PackagedCatalog:
    """The packaged catalog, or the one in the file at `path`. Data policies always come from the package.

    Raises:
        CatalogFileError: the file is missing, is not JSON, or holds something a catalog cannot hold.
    """
    policies = _policies(_document(_packaged("policies.json"), "policies.json"))
    if path is None:
        return _catalog(_document(_packaged("catalog.json"), "catalog.json"), policies)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CatalogFileError(str(path), f"cannot be read: {error.strerror}") from None
    return _catalog(_document(data, str(path)), policies)


def _packaged(name: str) -> bytes:
    return files("gateway").joinpath("data", name).read_bytes()


def _document(data: bytes, name: str) -> Mapping[str, Json]:
    try:
        document = json.loads(data)
    except ValueError as error:  # bad JSON, and bytes that are not UTF-8
        raise CatalogFileError(name, f"is not JSON: {error}") from None
    document = _object(document, name)
    if document.get("version") != VERSION:
        raise CatalogFileError("version", f"is {document.get('version')!r}, this reader knows {VERSION}")
    return document


def _policies(document: Mapping[str, Json]) -> Mapping[str, Privacy]:
    rows = _object(document.get("providers"), "providers")
    return {provider_id: _privacy(row, f"providers.{provider_id}") for provider_id, row in rows.items()}


def _privacy(value: Json, path: str) -> Privacy:
    row = _object(value, path)
    trains, days = row.get("trains_on_data"), row.get("retention_days")
    if trains is not None and not isinstance(trains, bool):
        raise CatalogFileError(f"{path}.trains_on_data", f"must be true, false or null, is {trains!r}")
    return Privacy(
        trains_on_data=trains,
        retention_days=None if days is None else _count(days, f"{path}.retention_days"),
        regions=_words_or_none(row.get("regions"), f"{path}.regions"),
        certifications=_words_or_none(row.get("certifications"), f"{path}.certifications"),
        source=_text(row.get("source"), f"{path}.source"),
        reviewed=_day(row.get("reviewed"), f"{path}.reviewed"),
        expires=_day(row.get("expires"), f"{path}.expires"),
    )


def _catalog(document: Mapping[str, Json], policies: Mapping[str, Privacy]) -> PackagedCatalog:
    lists = [
        _list_of_figures(entry, f"benchmarks[{index}]")
        for index, entry in enumerate(_list(document.get("benchmarks", []), "benchmarks"))
    ]
    provider_rows: dict[str, ProviderRow] = {}
    model_rows: dict[str, tuple[ModelRow, ...]] = {}
    for provider_id, value in _object(document.get("providers"), "providers").items():
        path = f"providers.{provider_id}"
        row = _object(value, path)
        provider = _provider(provider_id, row, path, policies.get(provider_id, Privacy()))
        reader = _ModelReader(provider, _words(row.get("quirks", []), f"{path}.quirks"), lists)
        places = _places(row.get("places", {}), f"{path}.places")
        provider_rows[provider_id] = ProviderRow(provider, _text(row.get("name", provider_id), f"{path}.name"), places)
        model_rows[provider_id] = tuple(
            reader.read(model, f"{path}.models[{index}]")
            for index, model in enumerate(_list(row.get("models"), f"{path}.models"))
        )
    as_of = _day(document.get("as_of"), "as_of")
    return PackagedCatalog(as_of, MappingProxyType(provider_rows), MappingProxyType(model_rows))


def _provider(provider_id: str, row: Mapping[str, Json], path: str, privacy: Privacy) -> Provider:
    return Provider(
        id=provider_id,
        api=_text(row.get("api"), f"{path}.api"),
        base_url=_text(row.get("base_url"), f"{path}.base_url"),
        key=KeyRef(env=_text(row.get("key_env"), f"{path}.key_env")),
        also_speaks=tuple(sorted(_words(row.get("also_speaks", []), f"{path}.also_speaks"))),
        privacy=privacy,
        headers=tuple(
            (name, _text(value, f"{path}.headers.{name}"))
            for name, value in _object(row.get("headers", {}), f"{path}.headers").items()
        ),
    )


def _places(value: Json, path: str) -> Mapping[str, tuple[str, ...]]:
    return {
        name: tuple(_text(one, f"{path}.{name}[{index}]") for index, one in enumerate(_list(names, f"{path}.{name}")))
        for name, names in _object(value, path).items()
    }


def _list_of_figures(value: Json, path: str) -> tuple[str, date, str]:
    entry = _object(value, path)
    return (
        _text(entry.get("list"), f"{path}.list"),
        _day(entry.get("measured"), f"{path}.measured"),
        _text(entry.get("source"), f"{path}.source"),
    )


@dataclass(frozen=True, slots=True)
class _ModelReader:
    """Reads the models of one provider."""

    provider: Provider
    quirks: frozenset[str]
    lists: list[tuple[str, date, str]]

    def read(self, value: Json, path: str) -> ModelRow:
        row = _object(value, path)
        quality = _object(row.get("quality", {}), f"{path}.quality")
        retires = row.get("retires")
        return ModelRow(
            endpoint=self._endpoint(row, path),
            price=_price(row.get("price"), f"{path}.price"),
            tier=None if "tier" not in quality else _text(quality["tier"], f"{path}.quality.tier"),
            basis=None if not quality else self._basis(quality, f"{path}.quality"),
            retires=None if retires is None else _day(retires, f"{path}.retires"),
        )

    def _endpoint(self, row: Mapping[str, Json], path: str) -> Endpoint:
        name = _text(row.get("id"), f"{path}.id")
        api = _text(row.get("api", self.provider.api), f"{path}.api")
        also = self.provider.also_speaks if api == self.provider.api else ()
        return Endpoint(
            id=f"{self.provider.id}/{name}",
            provider=self.provider.id,
            model=name,
            upstream_id=_text(row.get("upstream_id", name), f"{path}.upstream_id"),
            base_model=_text(row.get("base_model", name), f"{path}.base_model"),
            api=api,
            also_speaks=also,
            operation=_operation(row.get("operation", "chat"), f"{path}.operation"),
            context=_count_or_none(row.get("context"), f"{path}.context"),
            max_output=_count_or_none(row.get("max_output"), f"{path}.max_output"),
            caps=_words(row.get("caps", []), f"{path}.caps"),
            dimensions=_count_or_none(row.get("dimensions"), f"{path}.dimensions"),
            deprecated=row.get("deprecated") is True,
            quirks=self.quirks | _words(row.get("quirks", []), f"{path}.quirks"),
        )

    def _basis(self, quality: Mapping[str, Json], path: str) -> Basis:
        index = quality.get("list")
        if not isinstance(index, int) or not 0 <= index < len(self.lists):
            raise CatalogFileError(f"{path}.list", f"must be the index of one of {len(self.lists)} lists, is {index!r}")
        name, measured, source = self.lists[index]
        return Basis(name, float(_count(quality.get("value"), f"{path}.value")), measured, source)


def _price(value: Json, path: str) -> Price | None:
    if value is None:
        return None
    try:
        return price_from_json(value, path)
    except PriceFileError as error:
        raise CatalogFileError(error.path, error.problem) from None


def _operation(value: Json, path: str) -> Operation:
    try:
        return Operation(value)
    except ValueError:
        raise CatalogFileError(path, f"must be one of {', '.join(Operation)}, is {value!r}") from None


def _day(value: Json, path: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CatalogFileError(path, f"must be a day YYYY-MM-DD, is {value!r}") from None


def _count_or_none(value: Json, path: str) -> int | None:
    return None if value is None else _count(value, path)


def _count(value: Json, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CatalogFileError(path, f"must be a whole number of zero or more, is {value!r}")
    return value


def _words_or_none(value: Json, path: str) -> frozenset[str] | None:
    return None if value is None else _words(value, path)


def _words(value: Json, path: str) -> frozenset[str]:
    words = _list(value, path)
    if not all(isinstance(word, str) for word in words):
        raise CatalogFileError(path, f"must be a list of words, is {value!r}")
    return frozenset(words)


def _object(value: Json, path: str) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise CatalogFileError(path, f"must be an object, is {type(value).__name__}")
    return value


def _list(value: Json, path: str) -> list[Json]:
    if not isinstance(value, list):
        raise CatalogFileError(path, f"must be a list, is {type(value).__name__}")
    return value


def _text(value: Json, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise CatalogFileError(path, f"must be a text, is {value!r}")
    return value
