"""The `providers` block and the packaged catalog, joined into the providers, endpoints and prices of this gateway.

Privacy fails closed. What the catalog knows of a vendor is about the vendor's own address: an entry with another
`base_url` (a proxy, a region, a second account elsewhere) inherits nothing of it and has only what its block states.
Facts stated for a known provider replace the catalog's one by one; while any of the catalog's is left, all of them
expire on its day, since `Privacy` has one date. `region: eu` is the operator's word that data stays there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from gateway.config.catalog_file import ModelRow as CatalogRow
from gateway.config.defaults import KEY_DIRECTORY
from gateway.config.globs import compiled_globs
from gateway.config.known import Known
from gateway.config.model import File, ModelRow, PriceRow, PrivacyFacts, ProviderRow, TimeoutsRow
from gateway.config.places import MissingPlaces
from gateway.config.problems import Findings, Path, not_one_of
from gateway.config.urls import checked_base_url
from gateway.core.catalog import (
    Catalog,
    Endpoint,
    KeyRef,
    Operation,
    Privacy,
    ProbeRules,
    Provider,
    Timeouts,
)
from gateway.core.pricing import Price, Rates

_CLOUDS = {"bedrock": "aws", "vertex": "google", "azure": "azure"}  # how a wire format's name begins
_FACTS = ("trains_on_data", "retention_days", "regions", "certifications")


@dataclass(slots=True)
class Offer:
    """What there is to choose from; filled provider by provider, then only read."""

    providers: dict[str, Provider] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    catalog_prices: dict[str, Price | None] = field(default_factory=dict)
    config_prices: dict[str, Price] = field(default_factory=dict)

    @property
    def catalog(self) -> Catalog:
        return Catalog(self.providers, self.endpoints)


def default_key(provider: str, env: str | None) -> KeyRef:
    """Where a key is looked for when the file does not say: in the mounted file, then in the catalog's variable."""
    return KeyRef(file=f"{KEY_DIRECTORY}/{provider}/key", env=env)


def offer(file: File, known: Known, findings: Findings) -> Offer:
    """Everything the file (or its silence) offers; what is wrong goes into `findings`."""
    made = Offer()
    if file.providers is not None:
        for name, row in file.providers.items():
            _Entry(name, row, file.tiers, known, findings).add_to(made)
        return made
    for base in known.providers.values():
        key = default_key(base.id, base.key.env)
        if base.api in known.wire_formats and not base.key.none and known.key_present(key):
            try:
                base_url = known.template(base).filled({}, known.variable)
            except MissingPlaces:
                continue
            made.providers[base.id] = replace(base, key=key, base_url=base_url)
            for model in known.models_of(base.id):
                made.endpoints[model.endpoint.id] = catalog_endpoint(model, file.tiers, known.today)
                made.catalog_prices[model.endpoint.id] = model.price
    return made


def catalog_endpoint(row: CatalogRow, tiers: Sequence[str], today: date) -> Endpoint:
    """The catalog's endpoint; a tier that is not among `tiers` is unknown: such a model serves only when named."""
    tier = tiers.index(row.tier) if row.tier in tiers else None
    return replace(row.endpoint, tier=tier, deprecated=row.deprecated_on(today))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the `providers` block."""

    name: str
    row: ProviderRow
    tiers: list[str]
    known: Known
    findings: Findings

    def add_to(self, made: Offer) -> None:
        base = self._base()
        api = self.row.api or (base.api if base else None)
        base_url = self._base_url(base)
        if api is None or base_url is None:
            return
        if api not in self.known.wire_formats:
            words = not_one_of(api, "a wire format of this version", self.known.wire_formats)
            self.findings.problem(self._at("api") if self.row.api else self._at(), words)
        made.providers[self.name] = Provider(
            id=self.name,
            api=api,
            base_url=base_url,
            key=self._key(base),
            region=self.row.region or (base.region if base else None),
            privacy=_privacy(self.row, base, base_url, self._places(base)),
            timeouts=_timeouts(self.row.timeouts),
            probe=ProbeRules(
                every_s=self.row.probe.every,
                by=self.row.probe.by,
                timeout_s=self.row.probe.timeout,
                budget_usd_per_day=self.row.probe.budget_usd_per_day,
            ),
            max_in_flight=self.row.max_in_flight,
            headers=base.headers if base and base.api == api else (),
            also_speaks=self._also_speaks(base, api),
            cancellable=self.row.cancellable,
            trace_context=self.row.trace_context,
        )
        self._add_models(made, made.providers[self.name], base)

    def _also_speaks(self, base: Provider | None, api: str) -> tuple[str, ...]:
        """What the entry says, else what the catalog does, unless the entry is asked in another wire format."""
        if self.row.also_speaks is None:
            return base.also_speaks if base and base.api == api else ()
        for index, name in enumerate(self.row.also_speaks):
            if name not in self.known.wire_formats:
                words = not_one_of(name, "a wire format of this version", self.known.wire_formats)
                self.findings.problem(self._at("also_speaks", index), words)
        return tuple(self.row.also_speaks)

    def _at(self, *below: str | int) -> Path:
        return ("providers", self.name, *below)

    def _base(self) -> Provider | None:
        """The catalog provider this entry builds on."""
        providers = self.known.providers
        if self.row.like is not None and self.row.like not in providers:
            self.findings.problem(self._at("like"), not_one_of(self.row.like, "a provider of the catalog", providers))
            return None
        base = providers.get(self.row.like or self.name)
        if base is None:
            self._say_what_is_missing()
        return base

    def _say_what_is_missing(self) -> None:
        missing = [key for key in ("api", "base_url") if getattr(self.row, key) is None]
        if len(missing) == 2:
            words = not_one_of(self.name, "a provider of the catalog", self.known.providers)
            self.findings.problem(self._at(), f"{words}; a server of your own needs api: and base_url:")
        elif missing:
            self.findings.problem(self._at(missing[0]), "is missing")

    def _places(self, base: Provider | None) -> tuple[str, ...]:
        return () if base is None else self.known.template(base).places

    def _base_url(self, base: Provider | None) -> str | None:
        for place in ("project", "resource"):
            if getattr(self.row, place) is not None and place not in self._places(base):
                self.findings.problem(self._at(place), "is no part of this provider's address")
        try:
            if self.row.base_url is not None:
                return checked_base_url(self.row.base_url)
            if base is None:
                return None
            row = self.row
            given = {"region": row.region, "project": row.project, "resource": row.resource}
            filled = checked_base_url(self.known.template(base).filled(given, self.known.variable))
            return filled.removesuffix("/v1") if row.api_version is not None else filled
        except MissingPlaces as missing:
            for place, variables in missing.places.items():
                words = f"is missing: it is a part of the address (or set {' or '.join(variables)}, or give base_url:)"
                self.findings.problem(self._at(place), words)
            return None
        except ValueError as error:
            self.findings.problem(self._at("base_url"), str(error))
            return None

    def _key(self, base: Provider | None) -> KeyRef:
        given = self.row.key
        if given is None:
            key = base.key if base and base.key.none else default_key(self.name, base.key.env if base else None)
        else:
            key = KeyRef(file=given.file, env=given.env, none=bool(given.none), identity=given.identity)
        if not key.none and not self.known.key_present(key):
            places = [f"the file {key.file}"] if key.file else []
            places += [f"the variable {key.env}"] if key.env else []
            hint = _key_hint(base)
            self.findings.warn(
                self._at(), f"no key in {' or '.join(places)}: its models are excluded until there is one{hint}"
            )
        return key

    def _add_models(self, made: Offer, provider: Provider, base: Provider | None) -> None:
        found: dict[str, Endpoint] = {}
        if base is not None:
            for endpoint, price in self._catalog_models(base, provider):
                found[endpoint.model] = endpoint
                made.catalog_prices[endpoint.id] = price
        seen: set[str] = set()
        for index, row in enumerate(self.row.models or ()):
            if row.id in seen:
                self.findings.problem(self._at("models", index, "id"), f'"{row.id}" is given twice')
            seen.add(row.id)
            liked, price = self._liked(row, index, provider, base)
            found[row.id] = self._model(row, index, provider, liked or found.get(row.id))
            name = found[row.id].id
            made.catalog_prices.setdefault(name, price)  # unknown here, and yet a live source may know it
            if row.price is not None:
                made.config_prices[name] = _price(row.price)
        if not found and not self.row.only and provider.api in self.known.wire_formats:
            self.findings.problem(self._at(), "has no models; list them under models:")
        if provider.api == "azure-openai" and self.row.only is None and self.row.models is None:
            words = "Azure serves what is deployed there; say only: or models:, or attempts go to models that are not"
            self.findings.warn(self._at(), words)
        quirks = self._version_quirks(provider)
        for endpoint in found.values():
            made.endpoints[endpoint.id] = replace(endpoint, quirks=endpoint.quirks | quirks) if quirks else endpoint

    def _version_quirks(self, provider: Provider) -> frozenset[str]:
        if self.row.api_version is None:
            return frozenset()
        if provider.api != "azure-openai":
            self.findings.problem(self._at("api_version"), "is for the wire format azure-openai alone")
        return frozenset({f"api-version={self.row.api_version}"})

    def _catalog_models(self, base: Provider, provider: Provider) -> Iterator[tuple[Endpoint, Price | None]]:
        theirs = self.known.models_of(base.id)
        if self.row.only is not None:
            patterns = compiled_globs(self.row.only)
            models = [row.endpoint.model for row in theirs]
            for index, (text, pattern) in enumerate(zip(self.row.only, patterns, strict=True)):
                if not any(map(pattern.fullmatch, models)):
                    self.findings.problem(self._at("only", index), not_one_of(text, f"a model of {base.id}", models))
            theirs = tuple(row for row in theirs if any(p.fullmatch(row.endpoint.model) for p in patterns))
        for row in theirs:
            yield self._own(row, base, provider), row.price

    def _own(self, row: CatalogRow, base: Provider, provider: Provider) -> Endpoint:
        """The catalog's model at this entry."""
        endpoint = catalog_endpoint(row, self.tiers, self.known.today)
        return replace(
            endpoint,
            id=f"{self.name}/{endpoint.model}",
            provider=self.name,
            api=endpoint.api if provider.api == base.api else provider.api,
            also_speaks=provider.also_speaks if endpoint.api == base.api else (),
            quirks=endpoint.quirks if provider.api == base.api else frozenset(),
        )

    def _liked(
        self, row: ModelRow, index: int, provider: Provider, base: Provider | None
    ) -> tuple[Endpoint | None, Price | None]:
        """What `like` has, under the row's own name, and its price where this provider sells it."""
        if row.like is None:
            return None, None
        plain = self._plain(row, provider)
        for theirs in () if base is None else self.known.models_of(base.id):
            if row.like in (theirs.endpoint.model, theirs.endpoint.upstream_id) and base is not None:
                own = self._own(theirs, base, provider)
                return replace(own, id=plain.id, model=row.id, base_model=row.id, deprecated=False), theirs.price
        alike = self._like_model(plain, row.like, self._at("models", index, "like"))
        return replace(alike, base_model=row.id), None

    def _model(self, row: ModelRow, index: int, provider: Provider, catalog_row: Endpoint | None) -> Endpoint:
        """The row's endpoint: what it states, over the catalog's row of that id, or what `same_as` has."""
        at = self._at("models", index)
        start = catalog_row or self._plain(row, provider)
        if row.same_as is not None:
            start = self._like_model(start, row.same_as, (*at, "same_as"))
        tier = start.tier
        if row.tier is not None:
            if row.tier in self.tiers:
                tier = self.tiers.index(row.tier)
            else:
                self.findings.problem((*at, "tier"), not_one_of(row.tier, "a tier", self.tiers))
        if row.api is not None and row.api not in self.known.wire_formats:
            self.findings.problem(
                (*at, "api"), not_one_of(row.api, "a wire format of this version", self.known.wire_formats)
            )
        endpoint = replace(
            start,
            api=row.api or start.api,
            also_speaks=start.also_speaks if row.api in (None, start.api) else (),
            upstream_id=row.upstream_id or start.upstream_id,
            operation=Operation(row.operation) if row.operation else start.operation,
            tier=tier,
            context=row.context or start.context,
            max_output=row.max_output or start.max_output,
            dimensions=row.dimensions or start.dimensions,
            caps=frozenset(row.caps) if row.caps is not None else start.caps,
        )
        if endpoint.context is not None and row.max_output is not None and row.max_output > endpoint.context:
            self.findings.problem((*at, "max_output"), f"is larger than the context of {endpoint.context} tokens")
        return endpoint

    def _plain(self, row: ModelRow, provider: Provider) -> Endpoint:
        return Endpoint(
            id=f"{self.name}/{row.id}",
            provider=self.name,
            model=row.id,
            upstream_id=row.id,
            base_model=row.id,
            api=provider.api,
            also_speaks=provider.also_speaks,
        )

    def _like_model(self, start: Endpoint, same_as: str, at: Path) -> Endpoint:
        rows = self.known.models
        by_model: dict[str, CatalogRow] = {}
        for row in rows.values():
            by_model.setdefault(row.endpoint.model, row)
            by_model.setdefault(row.endpoint.base_model, row)
        found = rows.get(same_as) or by_model.get(same_as)
        if found is None:
            self.findings.problem(at, not_one_of(same_as, "a model of the catalog", by_model))
            return start
        same = catalog_endpoint(found, self.tiers, self.known.today)
        return replace(
            start,
            base_model=same.base_model,
            operation=same.operation,
            tier=same.tier,
            context=same.context,
            max_output=same.max_output,
            dimensions=same.dimensions,
            caps=same.caps,
        )


def _key_hint(base: Provider | None) -> str:
    if base is None:
        return "; a server that asks for none has key: {none: true}"
    cloud = next((name for word, name in _CLOUDS.items() if base.api.startswith(word)), None)
    return "" if cloud is None else f"; for what this workload is at the cloud: key: {{identity: {cloud}}}"


def _privacy(row: ProviderRow, base: Provider | None, base_url: str, places: Sequence[str]) -> Privacy:
    vendors = base is not None and (row.base_url is None or base.base_url.rstrip("/") == base_url.rstrip("/"))
    inherited = base.privacy if base is not None and vendors else Privacy()
    facts = row.privacy or PrivacyFacts()
    regions = facts.regions or ([row.region] if row.region and "region" not in places else None)
    stated = Privacy(
        trains_on_data=facts.trains_on_data,
        retention_days=facts.retention_days,
        regions=frozenset(regions) if regions is not None else None,
        certifications=frozenset(facts.certifications) if facts.certifications is not None else None,
        source="config",
    )
    if stated == Privacy(source="config"):
        return inherited
    kept = {name: getattr(inherited, name) for name in _FACTS if getattr(stated, name) is None}
    if all(value is None for value in kept.values()):
        return stated
    return replace(stated, **kept, source=inherited.source, reviewed=inherited.reviewed, expires=inherited.expires)


def _timeouts(row: TimeoutsRow) -> Timeouts:
    default = Timeouts()
    return Timeouts(
        connect_s=row.connect,
        first_token_s=row.first_token or default.first_token_s,
        first_token_reasoning_s=max(row.first_token or 0.0, default.first_token_reasoning_s),
        answer_s=row.answer,
        idle_s=row.idle,
    )


def _price(row: PriceRow) -> Price:
    return Price(Rates(**row.model_dump()), source="config")
