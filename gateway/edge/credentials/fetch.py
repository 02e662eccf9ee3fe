"""One small HTTP exchange, blocking: for the minter's thread alone.

No redirects, since a credential would go along; no proxy on plain HTTP, since that is a server of this very machine.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from gateway.edge.credentials.minted import MintError

TIMEOUT_S = 10.0
MAX_BYTES = 256 * 1024


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Fetched:
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Fetched:
    """The answer, whatever its status. Raises `MintError` where there is none."""
    scheme, host = urlsplit(url).scheme, urlsplit(url).netloc
    if scheme not in ("http", "https"):
        raise MintError("its address is neither http nor https")
    handlers = [_NoRedirect(), ProxyHandler({}) if scheme == "http" else ProxyHandler()]
    request = Request(url, data=body, headers=dict(headers or {}), method=method)  # noqa: S310 - checked above
    try:
        with build_opener(*handlers).open(request, timeout=timeout_s) as answer:
            return Fetched(answer.status, dict(answer.headers), answer.read(MAX_BYTES))
    except HTTPError as error:
        with error:
            return Fetched(error.code, dict(error.headers), error.read(MAX_BYTES))
    except URLError as error:
        raise MintError(f"{host} cannot be reached ({error.reason})") from None
    except (OSError, HTTPException) as error:
        raise MintError(f"{host} cannot be reached ({type(error).__name__})") from None


def fetch_json(
    url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """A JSON object, asked for by GET or, with a form, by POST. Raises `MintError`, with the server's own words."""
    body = None if form is None else urlencode(form).encode()
    answer = fetch(url, "GET" if form is None else "POST", headers, body)
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if answer.status >= 300:
        raise MintError(f"{urlsplit(url).netloc} answered {answer.status}{_words(found)}")
    if not isinstance(found, dict):
        raise MintError(f"{urlsplit(url).netloc} answered something that is no JSON object")
    return found


def _words(found: Any) -> str:
    if not isinstance(found, dict):
        return ""
    said = found.get("error_description") or found.get("message") or found.get("error")
    return f": {said.splitlines()[0][:300]}" if isinstance(said, str) and said else ""
