"""The page's files (HTML, styles, scripts) as they lie in the package, for whoever serves them: gateway and monitor.

Read once at start and then served from memory, with headers under which a browser runs nothing but these files.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from aiohttp import web

TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # asked for again each time, and answered with 304: a new version shows at once
}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    content_type: str
    etag: str


def load_assets() -> Mapping[str, Asset]:
    """Every file of the page by its name."""
    found = {}
    for file in (files("gateway") / "web" / "static").iterdir():
        content_type = TYPES.get(file.name.rpartition(".")[2])
        if content_type is not None:
            body = file.read_bytes()
            found[file.name] = Asset(body, content_type, hashlib.sha256(body).hexdigest()[:16])
    return found


def page_routes(page: str) -> list[web.RouteDef]:
    """`/` with the HTML file of this name, and `/static/…` with everything else."""
    assets = load_assets()

    async def front(request: web.Request) -> web.Response:
        return _served(request, assets[page])

    async def static(request: web.Request) -> web.Response:
        asset = assets.get(request.match_info["name"])
        if asset is None or asset.content_type == TYPES["html"]:
            return web.Response(status=404, text="there is no such file\n")
        return _served(request, asset)

    return [web.get("/", front), web.get("/static/{name}", static)]


def page_route(path: str, page: str) -> web.RouteDef:
    """`path` with the HTML file of this name; beside `page_routes`, which serve the rest."""
    asset = load_assets()[page]

    async def front(request: web.Request) -> web.Response:
        return _served(request, asset)

    return web.get(path, front)


def _served(request: web.Request, asset: Asset) -> web.Response:
    tags = request.if_none_match or ()
    if any(tag.value == asset.etag for tag in tags):
        response = web.Response(status=304, headers=HEADERS)
    else:
        response = web.Response(
            body=asset.body, content_type=asset.content_type, charset="utf-8", headers=HEADERS
        )
    response.etag = asset.etag
    return response
