"""What the day asks of its processes, and what it says where one does not start or does not answer as it should."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from loadtest.control import RunningVendor
from loadtest.day.__main__ import parser
from loadtest.day.stage import Stage, StageError, child
from loadtest.day.truth import MORNING
from loadtest.quality import Quality


def a_stage(http: aiohttp.ClientSession, url: str, state: Path) -> Stage:
    return Stage(session=http, url=url, admin=url, monitor=url, state_dir=state, control=url)


@asynccontextmanager
async def answering(app: web.Application) -> AsyncIterator[str]:
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_reads_what_the_monitor_says_and_publishes(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    async def overview(_: web.Request) -> web.Response:
        return web.json_response({"evaluation": {"pairs": []}})

    app = web.Application()
    app.router.add_get("/api/overview", overview)
    async with answering(app) as url:
        stage = a_stage(http, url, tmp_path)
        assert await stage.evaluation() == {"pairs": []}
        assert stage.certificates() == []
        (tmp_path / "certificates.json").write_text('{"certificates": [{"task": "email"}]}')
        assert stage.certificates() == [{"task": "email"}]
        with pytest.raises(StageError, match=r"/metrics answers 404$"):
            await stage.gateway_metrics()


async def test_sets_the_quality_of_the_providers(
    fast: RunningVendor, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    await a_stage(http, fast.control_url, tmp_path).set_quality(MORNING)
    assert fast.server.quality == Quality(MORNING)
    with pytest.raises(StageError, match="the providers refuse the quality"):
        await a_stage(http, f"{fast.control_url}/elsewhere", tmp_path).set_quality(MORNING)


async def test_exports_nothing_where_nothing_was_kept(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="the pairs cannot be exported"):
        await a_stage(http, "http://127.0.0.1:9", tmp_path / "none").exported()


async def test_gives_the_first_line_of_a_process_and_ends_it(tmp_path: Path) -> None:
    script = "import sys; print('{\"url\": 1}', flush=True); sys.stdin.read()"
    async with child("a process", ["-c", script], tmp_path) as said:
        assert said == {"url": 1}


async def test_says_why_a_process_did_not_start(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="a process did not start:\nno port is free\n"):
        async with child("a process", ["-c", "import sys; sys.exit('no port is free')"], tmp_path):
            pass


def test_plays_by_the_rules_unless_told_otherwise() -> None:
    options = parser().parse_args([])
    assert (options.by, options.seed, options.folder, options.json) == ("rules", 1, None, False)
