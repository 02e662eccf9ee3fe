"""The browser's side of the page's tests: a script of Node drives Chromium and says what it found."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

NODE = Path(__file__).parents[1] / "node"
FOLDER = "POINTSMAN_PAGE"  # set while `make test-page` runs: where playwright-core and axe-core are installed
SHOTS = "POINTSMAN_PAGE_SHOTS"  # set where screenshots are wanted: the folder they go to
LIMIT_S = 240.0  # for everything the browser does; it takes half a minute


def chromium() -> str | None:
    """The browser of this machine."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


async def drive(script: str, asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run one of the scripts of `node/` with what is asked; what it found, by topic.

    `folder` is the browser's alone: its profile, and the scripts beside `node_modules`.
    """
    for one in NODE.glob("*.mjs"):  # modules are looked for from where the importing file lies
        shutil.copy(one, folder)
    (folder / "node_modules").symlink_to(Path(os.environ[FOLDER]) / "node_modules")
    given = json.dumps({**asked, "chromium": chromium(), "profile": str(folder / "profile")})
    process = await asyncio.create_subprocess_exec(
        "node", str(folder / script), given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    found: dict[str, Any] = json.loads(out)
    return found
