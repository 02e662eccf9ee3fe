"""Portkey's targets: a provider with a key, and perhaps a model, as an account and an endpoint of ours."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config.imports.draft import (
    Account,
    Deployment,
    Draft,
    duration,
    entry_id,
    escaped_glob,
    host_id,
    is_openais,
)
from gateway.config.imports.notes import Notes, named
from gateway.config.imports.source_values import Values, mapping, number, text, whole
from gateway.config.known import Known
from gateway.config.problems import Path
from gateway.core.compat.names import PORTKEY_NAMES, provider_named

_INHERITED = ("override_params", "retry", "request_timeout")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}")
_KEY_LIKE = re.compile(r"(?:sk-|pk-|pplx-|gsk_|xai-.{20}|hf_|AIza)")
_CAMEL = re.compile(r"(?<=[a-z])([A-Z])")
_TAKEN = frozenset({
    "strategy", "targets", "name", "weight", "provider", "api_key", "virtual_key", "override_params", "retry",
    "request_timeout", "custom_host", "cb_config", "azure_resource_name", "azure_deployment_id", "azure_api_version",
    "azure_model_name", "aws_region", "aws_access_key_id", "aws_secret_access_key", "aws_session_token",
    "aws_auth_type", "vertex_project_id", "vertex_region", "vertex_service_account_json",
})  # fmt: skip
_NO_GUARDS = "there are no guardrails here: the request goes out as it is, and so does the answer"
_HINTS: Mapping[str, str] = {
    "cache": "there is no cache of answers; prompt caches of the providers are kept warm",
    **dict.fromkeys(("input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks",
                     "default_input_guardrails", "default_output_guardrails"), _NO_GUARDS),
    "forward_headers": "headers pass by a fixed list: see docs/configuration.md",
    "strict_open_ai_compliance": "answers always have the form of the API that was asked",
    "default_params": "parameters are the client's to say: none is added to a request",
    "drop_params": "what an endpoint cannot express is dropped or excludes it, by itself",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Leaf:
    """`endpoint` is None where the target takes the model that the client names."""

    name: str
    prefer: str  # a glob of endpoints
    endpoint: str | None
    retries: int | None


def snake(node: Mapping[str, Any]) -> dict[str, Any]:
    """The node with its keys as the documentation writes them: Portkey takes `virtualKey` for `virtual_key`."""
    return {_CAMEL.sub(lambda found: f"_{found[1].lower()}", key): value for key, value in node.items()}


def mode_of(node: Mapping[str, Any]) -> str | None:
    strategy = node.get("strategy")
    return text(mapping(strategy).get("mode")) if isinstance(strategy, dict) else text(strategy)


def inherited(node: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """What targets below have from here, if they do not say otherwise."""
    own = {name: value for name, value in snake(node).items() if name in _INHERITED and value is not None}
    params = {**mapping(above.get("override_params")), **mapping(own.get("override_params"))}
    return {**above, **own, "override_params": params}


@dataclass(slots=True)
class Targets:
    values: Values

    def check(self, node: Mapping[str, Any], at: Path, notes: Notes) -> None:
        """A note for everything at this node that has no place here."""
        for name in node:
            key = next(iter(snake({name: None})))
            path: Path = (*at, name)
            if key not in _TAKEN:
                notes.add(path, _HINTS.get(key, "has no equivalent: it was left out"))
            elif key == "cb_config" and at:
                notes.add(path, "the breaker has one set of rules for all: only those at the top were taken over")
            elif key == "override_params":
                for param in mapping(node[name]):
                    if param != "model":
                        notes.add((*path, param), "parameters are the client's to say: none is added to a request")
            elif key in ("retry", "strategy") and "on_status_codes" in snake(mapping(node[name])):
                words = "what is tried elsewhere is fixed: every failure but one that is the request's own fault"
                notes.add((*path, next(one for one in node[name] if snake({one: 0}) == {"on_status_codes": 0})), words)

    def leaf(self, node: Mapping[str, Any], at: Path, here: Mapping[str, Any], draft: Draft) -> Leaf | None:
        """The endpoint of a target, placed in the draft; None, with a note, where it cannot be told."""
        given = snake(node)
        slug, model = self._slug(given), text(mapping(here.get("override_params")).get("model"))
        if model is not None and model.startswith("@"):  # `@slug/model`
            slug, _, model = model[1:].partition("/")
        base = self._base(slug, model, draft.known)
        if base is None:
            self.values.notes.add(at or ("provider",), "which provider this is cannot be told: it was left out")
            return None
        account = self._account(base, slug, given, at, here)
        retry = whole(mapping(here.get("retry")).get("attempts"))
        retries = retry if retry is not None and retry >= 0 else None
        name = text(given.get("name")) or slug or base
        deployment = text(given.get("azure_deployment_id"))
        if model is None and deployment is None and account.base is None:
            self.values.notes.add(at or ("provider",), "says no model of this server: it was left out")
            return None
        if model is None and deployment is None:
            entry = draft.offer(account, None)
            return Leaf(name, f"{escaped_glob(entry)}/*", None, retries)
        placed = self._deployment(account, str(model or deployment), deployment or model, given, draft)
        if draft.catalog_model(account, placed) is None:
            words = f"{named(placed.upstream)} is not in the catalog: say its tier, context and price, if they matter"
            self.values.notes.add((*at, "override_params") if "override_params" in node else at or ("provider",), words)
        endpoint = draft.place(account, placed)
        return Leaf(name, escaped_glob(endpoint), endpoint, retries)

    def _deployment(
        self, account: Account, name: str, upstream: str | None, given: Mapping[str, Any], draft: Draft
    ) -> Deployment:
        plain = Deployment(name, upstream or name, text(given.get("azure_model_name")))
        found = draft.catalog_model(account, plain)
        if found is None and account.base == "azure":
            plain = Deployment(name, upstream or name, name)
            found = draft.catalog_model(account, plain)
        return plain if found is None else Deployment(found.endpoint.model, plain.upstream, plain.catalog)

    def _slug(self, given: Mapping[str, Any]) -> str | None:
        found = text(given.get("provider")) or text(given.get("virtual_key"))
        if found is not None and _KEY_LIKE.match(found):  # in the wrong place, and still a secret
            return None
        return None if found is None else found.removeprefix("@")

    def _base(self, slug: str | None, model: str | None, known: Known) -> str | None:
        """The catalog's provider: by its name, by a slug that has it for a part, or by who sells the model."""
        if slug is not None:
            exact = provider_named(slug, known.providers)
            if exact is not None:
                return exact
            words = f"-{re.sub(r'[^a-z0-9]+', '-', slug.lower())}-"
            for name in (*PORTKEY_NAMES, *known.providers):
                if f"-{name}-" in words:
                    return provider_named(name, known.providers)
        for name in ("openai", "anthropic", "gemini", "mistral", "cohere", "deepseek", "xai"):
            if any(model in (row.endpoint.model, row.endpoint.upstream_id) for row in known.models_of(name)):
                return name
        return None

    def _account(
        self, base: str, slug: str | None, given: Mapping[str, Any], at: Path, here: Mapping[str, Any]
    ) -> Account:
        timeout = number(here.get("request_timeout"))
        limit = None if timeout is None else duration(timeout / 1000)
        common: dict[str, Any] = {"base": base, "answer": limit, "first_token": limit}
        plain_slug = None if slug is None or provider_named(slug, (base,)) else slug
        common["name"] = None if plain_slug is None else entry_id(plain_slug)
        match base:
            case "azure":
                resource, version = self._azure(given, at)
                key = self._key(base, plain_slug, given, at)
                return Account(**common, key=key, resource=resource, api_version=version)
            case "bedrock":
                return Account(**common, key=self._aws_key(plain_slug, given, at), region=self._place(
                    given, "aws_region", "us-east-1", at))  # fmt: skip
            case "vertex":
                project = self._place(given, "vertex_project_id", "your-project", at)
                region = self._place(given, "vertex_region", "us-central1", at)
                return Account(**common, key=self._google_key(given, at), project=project, region=region)
            case _:
                host = self.values.address(given.get("custom_host"), (*at, "custom_host"))
                key = self._key(base, plain_slug, given, at)
                if base == "openai" and host is not None and not is_openais(host):
                    own = common | {"base": None, "hint": host_id(host)}
                    return Account(**own, api="openai", base_url=host, key=key or ("none", True))
                return Account(**common, key=key, base_url=host)

    def _key(self, base: str, slug: str | None, given: Mapping[str, Any], at: Path) -> tuple[str, str | bool] | None:
        default = self.values.known.providers[base].key.env
        if given.get("api_key") is not None:
            wanted = default if slug is None else f"{slug}_api_key"
            variable = self.values.secret(given["api_key"], wanted or f"{base}_api_key", (*at, "api_key"))
            return None if variable in (None, default) else ("env", str(variable))
        if slug is None:
            return None
        variable = re.sub(r"[^A-Za-z0-9]+", "_", slug).strip("_").upper() + "_API_KEY"
        variable = variable if not variable[:1].isdigit() else f"KEY_{variable}"
        words = f"its key is in Portkey's vault: put it into the variable {variable}"
        self.values.notes.add(at or ("provider",), words)
        return ("env", variable)

    def _aws_key(self, slug: str | None, given: Mapping[str, Any], at: Path) -> tuple[str, str | bool]:
        for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"):
            if given.get(name) is not None:
                words = f"credentials of AWS are read where its own tools look for them: set {name.upper()}"
                self.values.notes.add((*at, name), words)
        return ("identity", "aws")

    def _google_key(self, given: Mapping[str, Any], at: Path) -> tuple[str, str | bool]:
        document = given.get("vertex_service_account_json")
        if document is None:
            return ("identity", "google")
        name = "vertex_service_account_json"
        variable = self.values.secret(str(document), "GOOGLE_APPLICATION_CREDENTIALS_JSON", (*at, name))
        return ("identity", "google") if variable is None else ("env", variable)

    def _azure(self, given: Mapping[str, Any], at: Path) -> tuple[str, str | None]:
        version = text(given.get("azure_api_version"))
        version = version if version is None or _VERSION.fullmatch(version) else None
        return self._place(given, "azure_resource_name", "your-resource", at), version

    def _place(self, given: Mapping[str, Any], name: str, placeholder: str, at: Path) -> str:
        found = text(given.get(name))
        if found is None:
            words = f"no {name} is written here: {placeholder} was put in; say the right one"
            self.values.notes.add(at or ("provider",), words)
        return entry_id(found or placeholder)
