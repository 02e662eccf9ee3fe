"""A provider of images, speech, transcripts and scores, whose answers are set by the test and whose forms are read by
aiohttp's parser, not by ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Came:
    """One request: its path, and its fields; of files, name and bytes."""

    path: str
    fields: dict[str, Any]
    authorization: str | None


@dataclass
class MediaVendor:
    """`answers` are given in turn, the last one again and again."""

    answers: list[tuple[int, str, bytes]] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    cut_after: int | None = None  # bytes of a body that is then broken off
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        fields: dict[str, Any] = {}
        if request.content_type == "multipart/form-data":
            for name, value in (await request.post()).items():
                fields[name] = value if isinstance(value, str) else (value.filename, value.file.read())
        else:
            fields = await request.json()
        self.came.append(Came(request.path, fields, request.headers.get("authorization")))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        status, kind, body = answer
        if self.cut_after is None:
            return web.Response(status=status, body=body, headers={"content-type": kind, "x-secret": "1"})
        stream = web.StreamResponse(status=status, headers={"content-type": kind, "content-length": str(len(body))})
        await stream.prepare(request)
        await stream.write(body[: self.cut_after])
        assert request.transport is not None
        request.transport.close()
        return stream


@asynccontextmanager
async def media_vendor(*answers: tuple[int, str, bytes]) -> AsyncIterator[MediaVendor]:
    """A vendor on a free port."""
    vendor = MediaVendor(list(answers))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/{path:.*}", vendor.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        vendor.port = runner.addresses[0][1]
        yield vendor
    finally:
        await runner.cleanup()
