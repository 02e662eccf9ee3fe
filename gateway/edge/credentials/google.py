"""Tokens of Google's, by `google-auth`: service accounts, federated workloads, and what the machine itself may have.

The library costs 35 ms and 10 MiB on top of a gateway, so it is imported when the first such token is asked for.
"""

import time
from collections.abc import Mapping
from datetime import UTC
from importlib import import_module
from typing import Any

from gateway.core.credential import Bearer
from gateway.edge.credentials.fetch import TIMEOUT_S, fetch
from gateway.edge.credentials.minted import Mint, Minted, MintError

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TYPES = frozenset({"service_account", "external_account"})
_LIFE_S = 3_000.0  # where a token tells no end


def of_document(document: Mapping[str, Any]) -> Mint:
    """Tokens for a key file as Google hands it out."""
    return _Tokens(document)


def of_machine() -> Mint:
    """Application Default Credentials: the file of GOOGLE_APPLICATION_CREDENTIALS, gcloud's, or the metadata server."""
    return _Tokens(None)


class _Tokens:
    """Keeps the library's object, which keeps what needs not be asked twice."""

    def __init__(self, document: Mapping[str, Any] | None) -> None:
        self._document = document
        self._credentials: Any = None

    def __call__(self) -> Minted:
        from google.auth.exceptions import GoogleAuthError

        try:
            if self._credentials is None:
                self._credentials = _machines() if self._document is None else _credentials(self._document)
            self._credentials.refresh(_transport())
        except GoogleAuthError as error:
            self._credentials = None
            raise MintError(_first_line(error)) from None
        except (KeyError, TypeError, ValueError) as error:
            raise MintError(f"the key file is not whole ({type(error).__name__})") from None
        expiry = self._credentials.expiry  # naive, in UTC
        life_s = _LIFE_S if expiry is None else expiry.replace(tzinfo=UTC).timestamp() - time.time()
        return Minted(Bearer(self._credentials.token), life_s)


def _machines() -> Any:
    found, _ = import_module("google.auth").default(scopes=SCOPES, request=_transport())
    return found


def _credentials(document: Mapping[str, Any]) -> Any:
    if document["type"] == "service_account":
        form = import_module("google.oauth2.service_account").Credentials
        return form.from_service_account_info(document, scopes=SCOPES)
    source = document.get("credential_source") or {}
    aws = str(source.get("environment_id", "")).startswith("aws")
    form = import_module("google.auth.aws" if aws else "google.auth.identity_pool").Credentials
    return form.from_info(document, scopes=SCOPES)


def _first_line(error: Exception) -> str:
    return (str(error.args[0] if error.args else error).splitlines() or ["no reason given"])[0][:300]


def _transport() -> Any:
    """The library's HTTP, on ours: its own needs `requests`."""
    from google.auth import transport

    failed = import_module("google.auth.exceptions").TransportError

    class Response(transport.Response):
        def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
            self._told = status, headers, data

        status = property(lambda self: self._told[0])
        headers = property(lambda self: self._told[1])
        data = property(lambda self: self._told[2])

    class Request(transport.Request):
        def __call__(
            self,
            url: str,
            method: str = "GET",
            body: Any = None,
            headers: Mapping[str, str] | None = None,
            timeout: float | None = None,
            **_more: Any,
        ) -> Response:
            sent = body.encode() if isinstance(body, str) else body
            try:
                answer = fetch(url, method, headers, sent, timeout or TIMEOUT_S)
            except MintError as error:
                raise failed(str(error)) from None
            return Response(answer.status, answer.headers, answer.body)

    return Request()
