"""Where a LiteLLM deployment is and with which key it is called: `litellm_params` as an account of ours."""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from gateway.config.imports.draft import Account, duration, entry_id, host_id, is_openais
from gateway.config.imports.litellm_names import ADDRESSES, CATALOG, KEY_VARIABLES, OWN_SERVERS
from gateway.config.imports.source_values import NOWHERE, Values, number, text, variable_of, whole
from gateway.config.problems import Path

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}")
_AZURE_HOST = ".openai.azure.com"
AWS_STANDARD = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
                "aws_session_token": "AWS_SESSION_TOKEN"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Params:
    """One deployment's `litellm_params`, and where they stand."""

    provider: str  # LiteLLM's name of it
    given: dict[str, Any]
    at: Path

    def path(self, name: str) -> Path:
        return (*self.at, name) if name in self.given else self.at


def account_of(params: Params, values: Values) -> Account | None:
    """The account, or None, with a note, where there is no wire format for it."""
    base = CATALOG.get(params.provider)
    base = base if base in values.known.providers else None
    account: Account | None
    match base:
        case "azure":
            account = _azure(params, values)
        case "bedrock":
            account = _bedrock(params, values)
        case "vertex":
            account = _vertex(params, values)
        case _:
            account = _plain(params, values, base)
    if account is None:
        words = f"{params.provider!r} has no equivalent in this version: the deployment was left out"
        values.notes.add(params.path("model"), words)
        return None
    return _limited(account, params)


def _limited(account: Account, params: Params) -> Account:
    answer, stream = number(params.given.get("timeout")), number(params.given.get("stream_timeout"))
    first = stream if stream is not None else answer
    most = whole(params.given.get("max_parallel_requests"))
    return replace(
        account,
        answer=None if answer is None else duration(answer),
        first_token=None if first is None else duration(first),
        max_in_flight=most if most is not None and 0 < most <= 1_000_000 else None,
    )


def _address(params: Params, values: Values) -> str | None:
    name = "api_base" if params.given.get("api_base") is not None else "base_url"
    return values.address(params.given.get(name), params.path(name))


def _key(params: Params, values: Values, catalog_variable: str | None, name: str) -> tuple[str, str | bool] | None:
    """Where the key is read; None: where our catalog looks for it anyway."""
    given = params.given.get("api_key")
    default = KEY_VARIABLES.get(params.provider, catalog_variable)
    wanted = default or f"{name}_API_KEY"
    variable = values.secret(given, wanted, params.path("api_key"))
    if variable is None:
        variable = default
    if variable is None:
        return ("none", True)
    return None if variable == catalog_variable else ("env", variable)


def _catalog_variable(values: Values, base: str) -> str | None:
    return values.known.providers[base].key.env


def _plain(params: Params, values: Values, base: str | None) -> Account | None:
    url = _address(params, values)
    if base is not None:
        provider = values.known.providers[base]
        key = _key(params, values, provider.key.env, base)
        if url is None or url in (provider.base_url, provider.base_url.removesuffix("/v1")):
            return Account(base=base, key=key)
        if base != "openai" or is_openais(url):
            return Account(base=base, base_url=_versioned(url, provider.base_url), key=key, hint=host_id(url))
    elif params.provider not in OWN_SERVERS and params.provider not in ADDRESSES:
        return None
    if url is None:
        url = ADDRESSES.get(params.provider)
    if url is None:
        values.notes.add(params.path("model"), "no address is given for this server: fill in base_url")
        url = NOWHERE
    if params.provider.startswith("ollama") and not url.endswith("/v1"):
        url = f"{url}/v1"
    name = params.provider if params.provider in ADDRESSES and params.provider != "ollama_chat" else host_id(url)
    default = replace(params, provider="") if params.provider == "openai" else params
    return Account(api="openai", base_url=url, key=_key(default, values, None, name), hint=name)


def _versioned(url: str, catalog_url: str) -> str:
    """LiteLLM adds the version to some addresses itself: the catalog's has it."""
    version = catalog_url.rpartition("/")[2]
    return f"{url}/{version}" if version.startswith("v1") and "/v" not in urlsplit(url).path else url


def _azure(params: Params, values: Values) -> Account:
    url = _address(params, values)
    version = values.plain(params.given.get("api_version"), params.path("api_version"))
    if version is not None and not _VERSION.fullmatch(version):
        version = None
    key = _azure_key(params, values)
    host = (urlsplit(url).hostname or "") if url else ""
    resource = host.removesuffix(_AZURE_HOST) if host.endswith(_AZURE_HOST) else None
    if url is None:
        values.notes.add(params.path("model"), "no api_base is given: fill in resource, or base_url")
    if resource is not None and "." not in resource:
        return Account(base="azure", resource=resource, api_version=version, key=key, hint=entry_id(resource))
    root = NOWHERE.removesuffix("/v1") if url in (None, NOWHERE) else str(url)
    root = root.removesuffix("/v1").removesuffix("/openai")
    return Account(
        base="azure",
        base_url=f"{root}/openai" if version else f"{root}/openai/v1",
        api_version=version,
        key=key,
        hint=host_id(root),
    )


def _azure_key(params: Params, values: Values) -> tuple[str, str | bool] | None:
    given = params.given
    entra = [name for name in ("client_secret", "azure_ad_token") if given.get(name) is not None]
    if given.get("api_key") is None and entra:
        name = entra[0]
        values.notes.add(
            params.path(name),
            "Entra: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or let the workload's identity do",
        )
        return ("identity", "azure")
    return _key(params, values, _catalog_variable(values, "azure"), "azure")


def _bedrock(params: Params, values: Values) -> Account:
    given = params.given
    region = values.plain(given.get("aws_region_name"), params.path("aws_region_name"))
    if region is None:
        region = "us-east-1"
        words = "no region is written here: us-east-1 was put in; say the right one"
        values.notes.add(params.path("aws_region_name"), words)
    if given.get("api_key") is not None:
        key = _key(params, values, _catalog_variable(values, "bedrock"), "bedrock")
        return Account(base="bedrock", region=entry_id(region), key=key, hint=entry_id(region))
    for name, standard in AWS_STANDARD.items():
        if given.get(name) is not None and variable_of(given[name]) != standard:
            words = f"credentials of AWS are read where its own tools look for them: set {standard}"
            values.notes.add(params.path(name), words)
    for name in ("aws_role_name", "aws_session_name", "aws_profile_name", "aws_web_identity_token", "aws_sts_endpoint"):
        if given.get(name) is not None:
            words = "is taken from the workload (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, or the pod's identity)"
            values.notes.add(params.path(name), words)
    return Account(base="bedrock", region=entry_id(region), key=("identity", "aws"), hint=entry_id(region))


def _vertex(params: Params, values: Values) -> Account:
    given = params.given
    place = {}
    for name, placeholder in (("vertex_project", "your-project"), ("vertex_location", "us-central1")):
        found = values.plain(given.get(name), params.path(name))
        if found is None:
            words = f"no {name} is written here: {placeholder} was put in; say the right one"
            values.notes.add(params.path(name), words)
        place[name] = entry_id(found or placeholder)
    credentials = given.get("vertex_credentials")
    said = text(credentials)
    key: tuple[str, str | bool] = ("identity", "google")
    if said is not None and said.startswith("/"):
        key = ("file", said)
    elif credentials is not None:
        document = said if isinstance(credentials, str) else repr(credentials)
        variable = values.secret(document, "GOOGLE_APPLICATION_CREDENTIALS_JSON", params.path("vertex_credentials"))
        key = key if variable is None else ("env", variable)
    location = place["vertex_location"]
    return Account(base="vertex", project=place["vertex_project"], region=location, key=key, hint=location)
