"""`python -m tests.page.day FOLDER`: screenshots of a scripted day (`loadtest.day`) for the documentation.

Two moments: certificates are in force and requests are cheaper; and an alarm has withdrawn one of them. Needs what
`make test-page` needs.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from loadtest.client import Client
from loadtest.day.prompts import Prompts
from loadtest.day.script import Script, Step
from loadtest.day.stage import Stage, stage
from loadtest.day.traffic import Traffic
from tests.page.support.browser import FOLDER, NODE, drive
from tests.support.npm import install_once, place_of

MOMENTS = {"cheaper routing": "certified", "stepped back": "withdrawn"}  # of the step that has just happened


class Photographer:
    def __init__(self, running: Stage, shots: Path) -> None:
        self._running = running
        self._shots = shots
        self._taking: list[asyncio.Task[None]] = []

    def tell(self, step: Step) -> None:
        print(f"{step.at_s:6.1f} s  {step.name}: {step.told}", flush=True)
        if step.name in MOMENTS:
            self._taking.append(asyncio.create_task(self._take(MOMENTS[step.name])))

    async def _take(self, moment: str) -> None:
        urls = {"gateway": self._running.admin, "monitor": self._running.monitor}
        with tempfile.TemporaryDirectory() as browser:
            await drive("day.mjs", {**urls, "shots": str(self._shots), "moment": moment}, Path(browser))

    async def done(self) -> None:
        await asyncio.gather(*self._taking)


async def photograph(shots: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder), "rules") as running:
            client = Client(running.session, running.url, time.monotonic, model="auto", key=None)
            photographer = Photographer(running, shots)
            await Script(running, Traffic(client, Prompts(1)), photographer.tell).run()
            await photographer.done()


def main() -> None:
    place = place_of("page", NODE)
    install_once(NODE, place)
    os.environ[FOLDER] = str(place)
    asyncio.run(photograph(Path(sys.argv[1]).absolute()))


if __name__ == "__main__":
    main()
