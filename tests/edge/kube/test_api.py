"""The adapter through the real client, against a scripted API server on loopback."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import certifi
import pytest
from aiohttp import web

from gateway.edge.kube.access import ByKubeconfig, InCluster
from gateway.edge.kube.api import Api
from gateway.edge.kube.paths import config_map, config_maps, endpoint_slices, events, lease, leases
from gateway.edge.kube.ports import KubeError, KubeSilent
from gateway.edge.kube.reflector import Reflector
from tests.support.kube import Noted, error_event, event, item, listing, surroundings
from tests.support.loopback import serving

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAPS = config_maps("ns")
EVERYWHERE = "/{rest:.*}"
CERTIFICATES = Path(certifi.where())  # any authority; the server here speaks plain HTTP


class Server:
    """Answers by `respond`; keeps what it was asked."""

    def __init__(self) -> None:
        self.respond: Respond = self._nothing
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def _nothing(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(
            {
                "ask": f"{request.method} {request.path_qs}",
                "type": request.headers.get("Content-Type"),
                "auth": request.headers.get("Authorization"),
                "body": json.loads(body) if body else None,
            }
        )
        return await self.respond(request)

    def answer(self, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        async def respond(_: web.Request) -> web.StreamResponse:
            text = value if isinstance(value, str) else json.dumps(value)
            return web.Response(text=text, status=status, headers=headers)

        self.respond = respond

    def stream(self, *pieces: bytes, hang: bool = False) -> None:
        async def respond(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            for piece in pieces:
                await response.write(piece)
            if hang:
                await asyncio.Event().wait()
            return response

        self.respond = respond


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with serving({EVERYWHERE: made.handle}) as made.url:
        yield made


@pytest.fixture
async def api(server: Server, tmp_path: Path) -> AsyncIterator[Api]:
    (tmp_path / "token").write_text("first\n")
    api = Api(InCluster(server.url, tmp_path / "token", CERTIFICATES, "ns"))
    yield api
    await api.close()


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


async def test_reads_and_writes_objects(server: Server, api: Api) -> None:
    server.answer({"kind": "ConfigMap"})
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
    assert await api.get(config_map("ns", "x")) == {"kind": "ConfigMap"}
    await api.get(MAPS, {"fieldSelector": "metadata.name=x", "resourceVersion": "0"})
    await api.create(leases("ns"), body)
    await api.replace(lease("ns", "x"), body)
    await api.apply(config_map("ns", "x"), body, "pointsman-shard-00")
    await api.delete(config_map("ns", "x"))
    json_type = "application/json"
    assert [(one["ask"], one["type"], one["body"]) for one in server.asked] == [
        ("GET /api/v1/namespaces/ns/configmaps/x", json_type, None),
        ("GET /api/v1/namespaces/ns/configmaps?fieldSelector=metadata.name%3Dx&resourceVersion=0", json_type, None),
        ("POST /apis/coordination.k8s.io/v1/namespaces/ns/leases", json_type, body),
        ("PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/x", json_type, body),
        (
            "PATCH /api/v1/namespaces/ns/configmaps/x?fieldManager=pointsman-shard-00&force=true",
            "application/apply-patch+yaml",
            body,
        ),
        ("DELETE /api/v1/namespaces/ns/configmaps/x", json_type, None),
    ]


def test_knows_the_paths_of_what_the_monitor_reads_and_writes() -> None:
    assert [endpoint_slices("ns"), events("ns")] == [
        "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices",
        "/api/v1/namespaces/ns/events",
    ]


async def test_sends_the_token_of_now(server: Server, api: Api, tmp_path: Path) -> None:
    await api.get(MAPS)
    (tmp_path / "token").write_text("second")
    await api.get(MAPS)
    assert [one["auth"] for one in server.asked] == ["Bearer first", "Bearer second"]


async def test_has_no_answer_without_a_token(server: Server, api: Api, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(KubeError, match="No such file"):
        await api.get(MAPS)
    assert server.asked == []


async def test_has_no_answer_where_the_credentials_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    for access in (
        InCluster("https://x", tmp_path / "none", CERTIFICATES, "ns"),
        InCluster("https://x", tmp_path / "token", tmp_path / "none", "ns"),
        ByKubeconfig(tmp_path / "none", "ns"),
    ):
        with pytest.raises(KubeError, match="credentials cannot be used"):
            await Api(access).get(MAPS)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """One that signs itself, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    file = tmp_path / "certificate"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = ["openssl", "req", "-x509", *kind, *name, "-keyout", "-"]
    file.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return file


async def test_reads_the_authority_again_where_the_server_has_another_certificate(
    tmp_path: Path, certificate: Path
) -> None:
    """As when a cluster renews its authority while the pod runs."""
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca").symlink_to(CERTIFICATES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with serving({EVERYWHERE: Server().handle}, context) as url:
        api = Api(InCluster(url, tmp_path / "token", tmp_path / "ca", "ns"))
        with pytest.raises(KubeError, match="certificate"):
            await api.get(MAPS)
        (tmp_path / "ca").unlink()
        (tmp_path / "ca").symlink_to(certificate)
        assert await api.get(MAPS) == {}
        await api.close()


async def test_takes_the_current_context_of_a_kubeconfig(server: Server, tmp_path: Path) -> None:
    named = {"name": "x"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{**named, "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{**named, "cluster": {"server": server.url}}],
        "users": [{**named, "user": {"token": "from-kubeconfig"}}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    api = Api(ByKubeconfig(tmp_path / "config", "ns"))
    await api.get(MAPS)
    await api.close()
    assert server.asked[0]["auth"] == "Bearer from-kubeconfig"


async def test_hands_on_what_the_api_says_no_with(server: Server, api: Api) -> None:
    refusals = []
    for value, status, headers in (
        ({"kind": "Status", "message": "configmaps is forbidden"}, 403, {}),
        ("<html>bad gateway</html>", 502, {}),
        ({"kind": "Status", "message": "slow"}, 429, {"Retry-After": "7"}),
        ([], 503, {"Retry-After": "Wed, 25 Nov 2026 07:28:00 GMT"}),
    ):
        server.answer(value, status, headers)
        with pytest.raises(KubeError) as caught:
            await api.get(MAPS)
        refusals.append((caught.value.status, caught.value.reason, caught.value.retry_after_s))
    assert refusals == [
        (403, "configmaps is forbidden", None),
        (502, "Bad Gateway", None),
        (429, "slow", 7.0),
        (503, "Service Unavailable", None),
    ]


@pytest.mark.parametrize("answer", ["", "{", "[]", '{"a": NaN}', '{"a": ' + "[" * 5000])
async def test_takes_garbage_for_no_answer(server: Server, api: Api, answer: str) -> None:
    server.answer(answer)
    with pytest.raises(KubeError) as caught:
        await api.get(MAPS)
    assert caught.value.status is None


async def test_has_no_answer_where_nobody_listens(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    async with serving({}) as url:
        api = Api(InCluster(url, tmp_path / "token", CERTIFICATES, "ns"))
    with pytest.raises(KubeError) as caught:
        await api.get(MAPS)
    await api.close()
    assert caught.value.status is None


async def test_gives_events_as_they_come(server: Server, api: Api) -> None:
    big = event("MODIFIED", item("a", "9", shard="x" * 1_000_000))
    small = event("ADDED", item("a", "8"))
    both = line(small) + line(big)
    server.stream(both[:50], both[50:500_000], both[500_000:])
    assert [found async for found in api.watch(MAPS, {"resourceVersion": "7"}, 5.0)] == [small, big]
    assert server.asked[0]["ask"] == "GET /api/v1/namespaces/ns/configmaps?resourceVersion=7&watch=true"


@pytest.mark.parametrize("end", [b'{"type": "MODI', b"garbage\n", b"[]\n"])
async def test_breaks_off_at_half_a_line_and_at_garbage(server: Server, api: Api, end: bytes) -> None:
    server.stream(line(event("ADDED", item("a", "8"))), end)
    watch = api.watch(MAPS, {}, 5.0)
    assert (await anext(watch))["type"] == "ADDED"
    with pytest.raises(KubeError) as caught:
        await anext(watch)
    assert caught.value.status is None


async def test_tells_silence_from_other_ends(server: Server, api: Api) -> None:
    server.stream(line(event("ADDED", item("a", "8"))), hang=True)
    with pytest.raises(KubeSilent):
        async for _ in api.watch(MAPS, {}, 0.05):
            pass


async def test_raises_what_a_watch_is_refused_with(server: Server, api: Api) -> None:
    server.answer({"kind": "Status", "message": "too old"}, 410)
    with pytest.raises(KubeError, match="too old") as caught:
        await anext(api.watch(MAPS, {}, 5.0))
    assert caught.value.status == 410


async def test_carries_a_reflector_through_an_expired_version_to_the_next_list(server: Server, api: Api) -> None:
    """List, watch, 410 within the watch, list, watch: over real HTTP."""
    script = iter(
        [
            [line(listing("10", item("a", "8")))],
            [line(event("MODIFIED", item("a", "11"))), line(error_event(410))],
            [line(listing("20", item("a", "19")))],
            [line(event("MODIFIED", item("a", "21")))],
        ]
    )
    done = asyncio.Event()

    async def respond(request: web.Request) -> web.StreamResponse:
        pieces = next(script, None)
        if pieces is None:
            done.set()
            await asyncio.Event().wait()
        server.stream(*pieces or [])
        chosen, server.respond = server.respond, respond
        return await chosen(request)

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    server.respond = respond
    noted, around = Noted(), surroundings()
    reflector = Reflector(api, MAPS, noted, type(around)(around.now_s, at_once, around.draw))
    task = asyncio.create_task(reflector.run())
    await asyncio.wait_for(done.wait(), 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert noted.said == [("listed", ["a@8"]), ("changed", "a@11"), ("listed", ["a@19"]), ("changed", "a@21")]
    assert reflector.tally.restarts == {"expired": 1, "short": 1}
