"""The Kubernetes API over the transport of the official client (`kubernetes.aio`), with raw JSON.

Owns credentials on the wire, time limits and the mapping of every failure to `KubeError`. The library is imported
where the first connection is made, in a thread, while the event loop already serves.
"""

import asyncio
import importlib
import importlib.util
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import orjson

from gateway import VERSION
from gateway.edge.kube.access import Access, ByKubeconfig, InCluster
from gateway.edge.kube.lines import Lines
from gateway.edge.kube.ports import NO_QUERY, Json, KubeError, KubeSilent, Query

CONNECT_S = 5.0
ANSWER_S = 10.0  # of everything but watches
APPLY = "application/apply-patch+yaml"  # JSON is YAML
JSON = "application/json"


class Client(Protocol):
    """What is used of `kubernetes.aio.client.ApiClient`."""

    async def param_serialize(self, method: str, path: str, **what: Any) -> tuple[Any, ...]:
        """The request's parts, with credentials."""

    async def call_api(self, *parts: Any, _request_timeout: aiohttp.ClientTimeout) -> Any:
        """The answer's head, whatever its status; `.response` is aiohttp's."""

    async def close(self) -> None:
        """Close all connections."""


async def _connect(access: Access) -> Client:
    """A client with the credentials of now.

    Raises:
        KubeError: they cannot be read.
    """
    library = await asyncio.to_thread(_library)
    configuration = library.Configuration()
    # Python 3.13 refuses certificates of cluster authorities that lack an extension; client-go accepts them.
    configuration.disable_strict_ssl_verification = True
    configuration.client_session_kwargs = {"trust_env": False}  # a proxy for providers is none for the API server
    try:
        match access:
            case InCluster():
                _by_account(configuration, access)
            case ByKubeconfig():
                await _by_kubeconfig(configuration, access)
        client: Any = library.ApiClient(configuration)
    except (OSError, ValueError) as error:
        raise KubeError(None, f"credentials cannot be used: {error}") from None
    client.user_agent = f"pointsman/{VERSION}"
    return client  # type: ignore[no-any-return]  # the library has no types


def _library() -> Any:
    """`kubernetes.aio.client`, without what its parents load on the way.

    They import the synchronous client with requests, oauthlib and websocket: 17 MiB in every pod, for nothing. So they
    are entered as the bare directories they are; submodules are found through them as ever.
    """
    for name in ("kubernetes", "kubernetes.aio"):
        if name not in sys.modules and (spec := importlib.util.find_spec(name)) is not None:
            sys.modules[name] = importlib.util.module_from_spec(spec)
    client = importlib.import_module("kubernetes.aio.client")
    _ = client.ApiClient, client.Configuration  # both are imported on first use
    return client


def _by_account(configuration: Any, access: InCluster) -> None:
    configuration.host = access.host
    configuration.ssl_ca_cert = str(access.ca_file)
    configuration.refresh_api_key_hook = lambda found: _set_token(found, access.token_file)
    _set_token(configuration, access.token_file)


async def _by_kubeconfig(configuration: Any, access: ByKubeconfig) -> None:
    config = importlib.import_module("kubernetes.aio.config")
    try:
        await config.load_kube_config(str(access.file), client_configuration=configuration)
    except config.ConfigException as error:
        raise ValueError(str(error)) from None


def _set_token(configuration: Any, file: Path) -> None:
    configuration.api_key["BearerToken"] = f"Bearer {file.read_text().strip()}"


class Api:
    """`KubeApi` for real. Connects when it is first asked something."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; the next request makes new ones, with the credentials of then."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                self._client = await _connect(self._access)
            return self._client

    async def get(self, path: str, query: Query = NO_QUERY) -> Json:
        return await self._ask("GET", path, query)

    async def create(self, path: str, body: Json) -> Json:
        return await self._ask("POST", path, body=body)

    async def replace(self, path: str, body: Json) -> Json:
        return await self._ask("PUT", path, body=body)

    async def apply(self, path: str, body: Json, manager: str) -> Json:
        return await self._ask("PATCH", path, {"fieldManager": manager, "force": "true"}, body, APPLY)

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path)

    async def watch(self, path: str, query: Query, read_timeout_s: float) -> AsyncGenerator[Json, None]:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=read_timeout_s)
        lines = Lines()
        try:
            response = await self._send("GET", path, {**query, "watch": "true"}, limits=limits)
            try:
                async for piece in response.content.iter_any():
                    for line in lines.feed(piece):
                        yield _object(line)
                lines.end()
            finally:
                response.close()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unanswered(error) from None

    async def _ask(
        self, method: str, path: str, query: Query = NO_QUERY, body: Json | None = None, content_type: str = JSON
    ) -> Json:
        limits = aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
        try:
            response = await self._send(method, path, query, body, content_type, limits=limits)
            async with response:
                return _object(await response.read())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unanswered(error) from None

    async def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: Json | None = None,
        content_type: str = JSON,
        *,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """The answer's head, which is one of success."""
        client = await self._connected()
        parts = await client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": JSON, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = await client.call_api(*parts, _request_timeout=limits)
        except aiohttp.ClientConnectorCertificateError:
            await self.close()  # the cluster's authority may have been renewed, and its file with it
            raise
        response: aiohttp.ClientResponse = answer.response
        if response.status >= 300:
            async with response:
                raise _refusal(response, await response.read())
        return response


def _object(raw: bytes) -> Json:
    value = orjson.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("the API's answer is no object")
    return value


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> KubeError:
    """What the API said no with: a `Status` object, or what a proxy before it made up."""
    try:
        said = _object(body).get("message")
    except ValueError:
        said = None
    after = response.headers.get("Retry-After", "")
    return KubeError(
        response.status,
        str(said or response.reason or "refused")[:300],
        float(after) if after.isascii() and after.isdigit() else None,
    )


def _unanswered(error: Exception) -> KubeError:
    if isinstance(error, TimeoutError):
        return KubeSilent(None, "the API did not answer in time")
    return KubeError(None, f"no usable answer from the API: {str(error) or type(error).__name__}"[:300])
