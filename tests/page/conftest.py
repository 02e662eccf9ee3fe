"""Tests of this folder need a browser; `make test-page` finds it. Without it they are not even collected.

One gateway, one monitor and one browser serve all of them: what was found is looked at topic by topic.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.page.support.browser import FOLDER, SHOTS, drive
from tests.page.support.stage import HOSTILE, stage

collect_ignore_glob = [] if os.environ.get(FOLDER) else ["test_*.py"]

TRAFFIC_S = 8.0
SHOWN_TRAFFIC_S = 100.0  # before screenshots, so that trends are there


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser found, by topic."""
    shots = os.environ.get(SHOTS)
    return asyncio.run(_found(tmp_path_factory.mktemp("stage"), tmp_path_factory.mktemp("browser"), shots))


async def _found(folder: Path, browser: Path, shots: str | None) -> dict[str, Any]:
    async with stage(folder) as running:
        await running.traffic(TRAFFIC_S if shots is None else SHOWN_TRAFFIC_S, 6.0)
        await running.experiment()
        await running.trouble()
        asked = {
            "gateway": running.gateway.admin_url, "clients": running.gateway.url, "monitor": running.monitor_url,
            "hostile": HOSTILE, "shots": shots,
        }  # fmt: skip
        quiet = asyncio.create_task(running.traffic(240.0, 3.0))
        try:
            return await drive("visit.mjs", asked, browser)
        finally:
            quiet.cancel()
            await asyncio.gather(quiet, return_exceptions=True)
