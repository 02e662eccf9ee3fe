"""A LiteLLM proxy's `config.yaml` as a `pointsman.yaml`.

A model group becomes a name: each deployment is a row of that name at the account it is in, so that clients go on
asking for what they asked for. What the proxy does with groups (fallbacks, weights, retries) becomes routes. Pure: the
file, the catalog and the machine's variables come in as values.

Source: LiteLLM's documentation, "Config.yaml", "All settings", "Reliability", "Load balancing".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.config.imports.draft import Account, Deployment, Draft, model_id
from gateway.config.imports.litellm_accounts import Params, account_of
from gateway.config.imports.litellm_facts import facts_of, left_out
from gateway.config.imports.litellm_groups import Group, Member, routes_of
from gateway.config.imports.litellm_names import CATALOG, bedrock_model, split
from gateway.config.imports.litellm_settings import Settings, settings_of
from gateway.config.imports.notes import Imported, Notes, named
from gateway.config.imports.source_values import Values, mapping, number, sequence, text, variables_in, whole
from gateway.config.imports.write import written
from gateway.config.known import Known
from gateway.config.problems import Path
from gateway.config.source import read_document

HEAD = "Made by `pointsman import litellm`. Where the source has no equivalent here:"
HEAD_WHOLE = "Made by `pointsman import litellm`."


def import_litellm(source: bytes, file: str, known: Known) -> Imported:
    """The configuration in `source`.

    Raises:
        ConfigError: it is no YAML mapping.
    """
    document = read_document(source, file)
    notes = Notes(document)
    values = Values(known, notes, set(variables_in(document.data)))
    reader = _Reader(document.data, values, Draft(known), settings_of(document.data, notes))
    reader.read()
    found = notes.in_order()
    return Imported(written(reader.draft.config(), HEAD if found else HEAD_WHOLE, found), found)


@dataclass(slots=True)
class _Reader:
    data: dict[str, Any]
    values: Values
    draft: Draft
    settings: Settings
    groups: dict[str, Group] = field(default_factory=dict)

    def read(self) -> None:
        rows = sequence(self.data.get("model_list"))
        if not rows:
            self.values.notes.add(("model_list",), "has no deployments: there is nothing to route to")
        for index, row in enumerate(rows):
            self._deployment(mapping(row), ("model_list", index))
        self._aliases()
        self.draft.routes = routes_of(self.groups, self.settings, self.draft, self.values.notes)
        self.draft.rest = dict(self.settings.rest)

    def _deployment(self, row: dict[str, Any], at: Path) -> None:
        name, given = text(row.get("model_name")), self._params(row, at)
        model = text(given.get("model"))
        if name is None or model is None:
            self.values.notes.add(at, "has no model_name or no litellm_params.model: the deployment was left out")
            return
        provider, upstream = split(model, text(given.get("custom_llm_provider")), self.draft.known)
        if provider is None:
            words = f"which provider {named(model)} is at cannot be told: the deployment was left out"
            self.values.notes.add((*at, "litellm_params", "model"), words)
            return
        if CATALOG.get(provider) == "bedrock":
            region, upstream = bedrock_model(upstream)
            given = given if region is None else {"aws_region_name": region, **given}
        params = Params(provider, given, (*at, "litellm_params"))
        account = account_of(params, self.values)
        if account is None:
            return
        account = self._with_defaults(account, provider)
        left_out(row, given, at, self.values.notes)
        if "*" in name or "*" in upstream:
            self._wildcard(name, provider, upstream, account, at)
            return
        self._place(name, upstream, account, Source(row, params, at))

    def _params(self, row: dict[str, Any], at: Path) -> dict[str, Any]:
        """`litellm_params`, over the values of the credential that they name."""
        given = mapping(row.get("litellm_params"))
        wanted = text(given.get("litellm_credential_name"))
        if wanted is None:
            return given
        for one in map(mapping, sequence(self.data.get("credential_list"))):
            if text(one.get("credential_name")) == wanted:
                return mapping(one.get("credential_values")) | given
        words = f"the credential {named(wanted)} is not in credential_list"
        self.values.notes.add((*at, "litellm_params", "litellm_credential_name"), words)
        return given

    def _with_defaults(self, account: Account, provider: str) -> Account:
        """Under the limits of all, and the name that patterns such as `together_ai/*` give to its models."""
        most = account.max_in_flight or self.settings.max_in_flight
        answer, first = account.answer or self.settings.answer, account.first_token or self.settings.first_token
        named_so = provider if account.base is not None and provider in self._patterns() else account.name
        return replace(account, answer=answer, first_token=first, max_in_flight=most, name=named_so)

    def _patterns(self) -> set[str]:
        rows = map(mapping, sequence(self.data.get("model_list")))
        names = [text(row.get("model_name")) or "" for row in rows]
        return {name.removesuffix("/*") for name in names if name.endswith("/*")}

    def _place(self, name: str, upstream: str, account: Account, source: "Source") -> None:
        info, notes = mapping(source.row.get("model_info")), self.values.notes
        if model_id(name) != name:
            notes.add((*source.at, "model_name"), f"such a name cannot be written here: it became {model_id(name)}")
        base_model = text(info.get("base_model")) or text(source.params.given.get("base_model"))
        catalog = base_model.rpartition("/")[2] if base_model else None
        deployment = Deployment(name, upstream, catalog)
        found = self.draft.catalog_model(account, deployment)
        if found is None and account.base == "azure":  # a deployment of any name, in a group that may tell the model
            deployment = replace(deployment, catalog=name)
            found = self.draft.catalog_model(account, deployment)
        facts = facts_of(source.row, source.params, found, notes)
        if found is None:
            words = f"{named(upstream)} is not in the catalog: say its tier, context and price, where they matter"
            notes.add((*source.at, "litellm_params", "model"), words)
        deployment = replace(deployment, facts=facts)
        endpoint = self.draft.place(account, deployment)
        group = self.groups.setdefault(name, Group(model_id(name), name))
        given = source.params.given
        group.members.append(Member(endpoint, account, deployment, _weight(given), whole(given.get("order"))))

    def _wildcard(self, name: str, provider: str, upstream: str, account: Account, at: Path) -> None:
        """`openai/*` and its like: the catalog's models under the same names."""
        notes = self.values.notes
        if account.base is None or name.count("*") > 1 or not name.endswith("*"):
            notes.add((*at, "model_name"), "only the catalog's models can be offered by a pattern: list these by name")
            return
        prefix = name.partition("/")[0] if "/" in name else None
        glob = upstream if upstream not in ("*", "") else None
        entry = self.draft.offer(account, glob)
        models = [row.endpoint.model for row in self.draft.known.models_of(account.base)]
        if glob is not None and not any(model.startswith(glob.rstrip("*")) for model in models):
            self.draft.withdraw(entry, glob)
            notes.add((*at, "litellm_params", "model"), f"the catalog has no {named(glob)}: list the models by name")
        elif prefix is not None and prefix != entry:
            notes.add((*at, "model_name"), f"these models are named {entry}/… here, not {prefix}/…")

    def _aliases(self) -> None:
        """`model_group_alias`: a second name for a group is a second row at each of its accounts."""
        at: Path = ("router_settings", "model_group_alias")
        aliases = mapping(mapping(self.data.get("router_settings")).get("model_group_alias"))
        for alias, target in aliases.items():
            name = text(target) or text(mapping(target).get("model"))
            group = self.groups.get(name or "")
            if group is None:
                self.values.notes.add((*at, alias), "is an alias of a group that there is not")
                continue
            if alias not in self.groups:
                self.groups[alias] = self._copied(alias, group)

    def _copied(self, alias: str, group: Group) -> Group:
        copy = Group(model_id(alias), group.source)
        for member in group.members:
            deployment = replace(member.deployment, name=alias)
            endpoint = self.draft.place(member.account, deployment)
            copy.members.append(replace(member, endpoint=endpoint, deployment=deployment))
        return copy


@dataclass(frozen=True, slots=True)
class Source:
    """One row of `model_list`, and where it stands."""

    row: dict[str, Any]
    params: Params
    at: Path


def _weight(given: dict[str, Any]) -> float | None:
    """Of LiteLLM's shuffle: `weight`, else `rpm`, else `tpm`."""
    found: Iterable[float | None] = (number(given.get(name)) for name in ("weight", "rpm", "tpm"))
    return next((one for one in found if one is not None and one > 0), None)
