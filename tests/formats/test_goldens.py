"""Golden files, one folder for each wire format. A new wire format needs a folder, and nothing here.

`requests`: `{surface, headers, body, caps, quirks, endpoint_max_output, max_output, sent, fields, hints}`, where `sent`
is `{path, headers, body, dropped}`; nothing is sent where there are fields.
`streams`: `NAME.sse` from the upstream, beside it `NAME.SURFACE.out`, what a client of that surface gets. Binary
streams are `NAME.frames`, one JSON array `[event, body]` a line; `chunk` is put into its envelope.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.core.ask import Ask, Surface
from gateway.core.catalog import Endpoint
from gateway.formats import registry
from tests.support import frames
from tests.support.formats import ask, endpoint, relay

HERE = Path(__file__).parent / "testdata"
REQUESTS = sorted(HERE.glob("*/requests/*.json"))
STREAMS = sorted(HERE.glob("*/streams/*.out"))


def name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.stem}"


def read_request(path: Path) -> tuple[dict[str, Any], Ask, Endpoint]:
    golden = json.loads(path.read_text("utf-8"))
    asked = registry.surface(Surface(golden["surface"])).parse(golden["body"], 100, golden.get("headers", {}))
    at = endpoint(
        path.parts[-3],
        caps=golden.get("caps", ("tools", "json_schema")),
        quirks=frozenset(golden.get("quirks", ())),
        max_output=golden.get("endpoint_max_output"),
    )
    return golden, asked, replace(at, upstream_id=golden.get("upstream_id", at.upstream_id))


def read_stream(path: Path) -> bytes:
    """What the upstream sends, from the file beside its outputs."""
    text = path.with_suffix(".sse")
    if text.exists():
        return text.read_bytes()
    return b"".join(map(frame_of, path.with_suffix(".frames").read_text("utf-8").splitlines()))


def frame_of(line: str) -> bytes:
    name, body = json.loads(line)
    return frames.chunk(body) if name == "chunk" else frames.event(name, body)


@pytest.mark.parametrize("path", REQUESTS, ids=name)
def test_sends_what_the_golden_file_says(path: Path) -> None:
    golden, asked, at = read_request(path)
    form = registry.wire_format(at.api)
    found = form.inexpressible(asked, at)
    assert (sorted(found.fields), sorted(found.hints)) == (golden.get("fields", []), golden.get("hints", []))
    if found.fields:
        return  # the walk does not build what the endpoint cannot be told
    out = form.build(asked, at, golden.get("max_output"))
    sent = {
        "path": out.path,
        "headers": dict(out.headers),
        "body": json.loads(out.body),
        "dropped": list(out.dropped),
    }
    assert sent == golden["sent"]


@pytest.mark.parametrize("path", STREAMS, ids=name)
def test_streams_what_the_golden_file_says(path: Path) -> None:
    stem, surface = path.stem.rsplit(".", 1)
    upstream = read_stream(path.with_name(f"{stem}.x"))
    body: dict[str, Any] = {"stream": True}
    if surface in ("chat", "completions"):
        body["stream_options"] = {"include_usage": True}
    stream = relay(ask(body, Surface(surface)), endpoint(path.parts[-3]))
    assert (stream.feed(upstream) + stream.end()).decode() == path.read_text("utf-8")
    assert stream.failure is None


def test_every_wire_format_has_goldens() -> None:
    for kind in (REQUESTS, STREAMS):
        assert {path.parts[-3] for path in kind} == set(registry.wire_formats())
