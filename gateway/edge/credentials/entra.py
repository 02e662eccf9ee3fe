"""Tokens of Microsoft Entra ID for Azure OpenAI, by the three ways a server has: secret, federation, managed identity.

Each is one exchange (Microsoft, "OAuth 2.0 client credentials flow"; Azure Workload Identity; instance metadata), so
azure-identity with its 34 MiB is not needed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway.core.credential import Bearer
from gateway.edge.credentials.fetch import fetch_json
from gateway.edge.credentials.minted import Mint, Minted, MintError

RESOURCE = "https://cognitiveservices.azure.com"
AUTHORITY = "https://login.microsoftonline.com"
METADATA = "http://169.254.169.254"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# As the environment spells it, as people write it, as `az ad sp create-for-rbac` prints it.
_TENANT = ("tenant_id", "tenantId", "tenant")
_CLIENT = ("client_id", "clientId", "appId")
_SECRET = ("client_secret", "clientSecret", "password")


def is_document(document: Mapping[str, Any]) -> bool:
    """Whether it is an application's tenant, client id and secret."""
    return all(_first(document, names) for names in (_TENANT, _CLIENT, _SECRET))


def of_document(document: Mapping[str, Any], environ: Mapping[str, str]) -> Mint:
    tenant, client, secret = (_first(document, names) for names in (_TENANT, _CLIENT, _SECRET))
    return lambda: _asked(environ, tenant, {"client_id": client, "client_secret": secret})


def of_machine(environ: Mapping[str, str]) -> Mint:
    """The workload's own: what AZURE_… variables say, else the managed identity of the machine."""
    return lambda: _machine(environ)


def _machine(environ: Mapping[str, str]) -> Minted:
    tenant, client = environ.get("AZURE_TENANT_ID", ""), environ.get("AZURE_CLIENT_ID", "")
    file, secret = environ.get("AZURE_FEDERATED_TOKEN_FILE"), environ.get("AZURE_CLIENT_SECRET")
    if tenant and client and file:
        try:
            assertion = Path(file).read_text("ascii").strip()
        except (OSError, ValueError):
            raise MintError(f"the federated token file {file} cannot be read") from None
        claim = {"client_assertion_type": _ASSERTION, "client_assertion": assertion}
        return _asked(environ, tenant, {"client_id": client, **claim})
    if tenant and client and secret:
        return _asked(environ, tenant, {"client_id": client, "client_secret": secret})
    query = f"api-version=2018-02-01&resource={quote(RESOURCE, safe='')}"
    query += f"&client_id={quote(client, safe='')}" if client else ""
    base = environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST", METADATA).rstrip("/")
    return _minted(fetch_json(f"{base}/metadata/identity/oauth2/token?{query}", {"metadata": "true"}))


def _asked(environ: Mapping[str, str], tenant: str, claim: Mapping[str, str]) -> Minted:
    authority = environ.get("AZURE_AUTHORITY_HOST", AUTHORITY).rstrip("/")
    form = {"grant_type": "client_credentials", "scope": f"{RESOURCE}/.default", **claim}
    return _minted(fetch_json(f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token", {}, form))


def _minted(told: Mapping[str, Any]) -> Minted:
    token = told.get("access_token")
    try:
        life_s = float(told.get("expires_in", 0))  # a number, or its digits
    except (TypeError, ValueError):
        life_s = 0.0
    if not isinstance(token, str) or not token or life_s <= 0:
        raise MintError("Entra ID answered without a token and its life")
    return Minted(Bearer(token), life_s)


def _first(document: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := document.get(name), str) and value), "")
