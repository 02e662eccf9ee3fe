"""A `pointsman.yaml` under construction: accounts at providers, the models that each sells, and routes.

Owns how deployments of another gateway become entries and rows: one entry for each account (base URL, key, region),
in it one row for each name. A deployment whose name and model are the catalog's needs no row at all. Knows nothing of
where they come from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from gateway.config.catalog_file import ModelRow
from gateway.config.globs import compiled_globs
from gateway.config.known import Known

Json = Any  # what the YAML text is made of

_NO_ID = re.compile(r"[^A-Za-z0-9._-]+")
_NO_MODEL_ID = re.compile(r"[^A-Za-z0-9@._:/+-]+")
_BEDROCK_PROFILE = re.compile(r"^(?:us|eu|apac|au|jp|ca|sa|us-gov|global)\.")


@dataclass(frozen=True, slots=True)
class Account:
    """What makes two deployments belong to two entries. `base` is a provider of the catalog."""

    base: str | None = None
    api: str | None = None  # wire format, where there is no base
    base_url: str | None = None
    key: tuple[str, str | bool] | None = None  # ("env", NAME), …; None: where the catalog says
    region: str | None = None
    project: str | None = None
    resource: str | None = None
    api_version: str | None = None
    answer: str | None = None  # timeouts, as durations
    first_token: str | None = None
    max_in_flight: int | None = None
    hint: str = ""  # what to call a second entry
    name: str | None = None  # what the entry is called where it is free


@dataclass(frozen=True, slots=True)
class Deployment:
    """A model at an account, under the name that clients use."""

    name: str
    upstream: str
    catalog: str | None = None  # the catalog's model that it is, where that is not seen from `upstream`
    facts: Mapping[str, Json] = field(default_factory=dict)  # what the row states over the catalog


@dataclass(slots=True)
class Entry:
    id: str
    account: Account
    rows: dict[str, Deployment] = field(default_factory=dict)
    only: dict[str, None] | None = field(default_factory=dict)  # globs of the catalog's models; None: all of them


@dataclass(slots=True)
class Draft:
    known: Known
    entries: list[Entry] = field(default_factory=list)
    routes: list[dict[str, Json]] = field(default_factory=list)
    rest: dict[str, Json] = field(default_factory=dict)

    def place(self, account: Account, deployment: Deployment) -> str:
        """Add a deployment; returns its endpoint id."""
        deployment = replace(deployment, name=model_id(deployment.name))
        for entry in self.entries:
            if entry.account == account and entry.rows.get(deployment.name, deployment) == deployment:
                break
        else:
            entry = self._new_entry(account)
        entry.rows[deployment.name] = deployment
        return f"{entry.id}/{deployment.name}"

    def offer(self, account: Account, glob: str | None) -> str:
        """Add the catalog's models at an account, all of them or those of a glob; returns the entry's id."""
        found = next((one for one in self.entries if one.account == account), None)
        entry = found or self._new_entry(account)
        if glob is None:
            entry.only = None
        elif entry.only is not None:
            entry.only[glob] = None
        return entry.id

    def offers(self, name: str) -> bool:
        """Whether a model of the catalog is offered under this name."""
        for entry in self.entries:
            globs = ["*"] if entry.only is None else list(entry.only)
            base = entry.account.base
            models = [] if base is None else [row.endpoint.model for row in self.known.models_of(base)]
            model = name.removeprefix(f"{entry.id}/")
            if model in models and any(pattern.fullmatch(model) for pattern in compiled_globs(globs)):
                return True
        return False

    def withdraw(self, entry_id: str, glob: str) -> None:
        """Take back a glob that fits nothing."""
        for entry in self.entries:
            if entry.id == entry_id and entry.only is not None:
                entry.only.pop(glob, None)

    def _new_entry(self, account: Account) -> Entry:
        base = account.name or account.base or account.hint or "server"
        taken = {entry.id for entry in self.entries}
        hinted = f"{base}-{account.hint}" if account.base and account.hint else base
        names = [base, hinted, *(f"{hinted}-{number}" for number in range(2, len(taken) + 4))]
        name = next(one for one in map(entry_id, names) if one not in taken and self._free(one, account))
        self.entries.append(Entry(name, account))
        return self.entries[-1]

    def _free(self, name: str, account: Account) -> bool:
        """A server of one's own must not have the name of a provider of the catalog."""
        return account.base == name or name not in self.known.providers

    def catalog_model(self, account: Account, deployment: Deployment) -> ModelRow | None:
        """The row of the catalog that a deployment is."""
        if account.base is None:
            return None
        wanted = deployment.catalog or deployment.upstream
        names = {wanted, _BEDROCK_PROFILE.sub("", wanted)} if account.base == "bedrock" else {wanted}
        for row in self.known.models_of(account.base):
            upstream = row.endpoint.upstream_id
            if not names.isdisjoint((row.endpoint.model, upstream, _BEDROCK_PROFILE.sub("", upstream))):
                return row
        return None

    def config(self) -> dict[str, Json]:
        """Everything, as plain data."""
        config: dict[str, Json] = {}
        entries = [entry for entry in self.entries if entry.rows or entry.only is None or entry.only]
        if entries:
            config["providers"] = {entry.id: self._entry(entry) for entry in entries}
        if self.routes:
            config["routes"] = self.routes
        return config | self.rest

    def _entry(self, entry: Entry) -> dict[str, Json]:
        account = entry.account
        row: dict[str, Json] = {}
        if account.base is not None and account.base != entry.id:
            row["like"] = account.base
        fields = ("api", "base_url", "region", "project", "resource", "api_version")
        row |= {name: getattr(account, name) for name in fields if getattr(account, name) is not None}
        if account.key is not None:
            row["key"] = dict([account.key])
        only, models = self._models(entry)
        if account.base is not None and only is not None:
            row["only"] = only
        if models:
            row["models"] = models
        timeouts = {"first_token": account.first_token, "answer": account.answer}
        if any(timeouts.values()):
            row["timeouts"] = {name: value for name, value in timeouts.items() if value is not None}
        if account.max_in_flight is not None:
            row["max_in_flight"] = account.max_in_flight
        return row

    def _models(self, entry: Entry) -> tuple[list[str] | None, list[dict[str, Json]]]:
        only = None if entry.only is None else dict(entry.only)
        models = []
        for deployment in entry.rows.values():
            row: dict[str, Json] = {"id": deployment.name}
            found = self.catalog_model(entry.account, deployment)
            same = found is not None and found.endpoint.model == deployment.name
            if found is not None and same and only is not None:
                only[found.endpoint.model] = None
            implied = (deployment.name,) if found is None else (found.endpoint.upstream_id, found.endpoint.model)
            if deployment.upstream not in implied:
                row["upstream_id"] = deployment.upstream
            if found is not None and not same:
                row["like"] = found.endpoint.model
            row |= deployment.facts
            if len(row) > 1 or not same:
                models.append(row)
        return None if only is None else list(only), models


def entry_id(name: str) -> str:
    """The name as an id of a provider, route or arm."""
    return _NO_ID.sub("-", name).strip("-._")[:60] or "unnamed"


def model_id(name: str) -> str:
    """The name as an id of a model."""
    tidy = _NO_MODEL_ID.sub("-", name)[:190]
    return tidy if tidy[:1].isalnum() or tidy[:1] == "@" else f"m{tidy}"


def host_id(url: str) -> str:
    """What to call the server at this address."""
    host = urlsplit(url).hostname or "server"
    labels = [label for label in host.split(".") if label not in ("www", "api")]
    return entry_id(host if host.replace(".", "").isdigit() else "-".join(labels[:2]))


def is_openais(url: str) -> bool:
    """Whether OpenAI itself is at this address, in whatever region."""
    host = urlsplit(url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def duration(seconds: float) -> str | None:
    """Seconds as `30s` or `1500ms`; None for what no timer here can be."""
    if not 0 < seconds <= 7 * 86_400:
        return None
    return f"{seconds:g}s" if seconds == int(seconds) and seconds < 1e6 else f"{max(1, round(seconds * 1000))}ms"


def escaped_glob(name: str) -> str:
    """The name as a pattern that fits nothing else."""
    return "".join(f"[{one}]" if one in "*?[" else one for one in name)


def unused_id(wanted: str, taken: set[str]) -> str:
    """`wanted`, or the first of `wanted-2`, `wanted-3`, … that is not taken; taken from now on."""
    names = [wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3))]
    name = next(one for one in names if one not in taken)
    taken.add(name)
    return name
