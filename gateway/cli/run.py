"""`pointsman run`: gateway and monitor on one machine, with simulated providers where there is no key.

Owns the order of starting and stopping. The gateway's end ends the run; a monitor that dies is started again, since the
gateway works without one. Knows the other packages by their module names only.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import yaml

from gateway.cli.children import Child, Command, start
from gateway.cli.local_http import Unreachable, get
from gateway.cli.run_plan import STREAMS_S, Plan, RunError
from gateway.edge.files import write_atomically

READY_WITHIN_S = 30.0
READY_EVERY_S = 0.1
SIMULATED_WITHIN_S = 30.0
DRAIN_S = STREAMS_S + 15.0  # what the gateway gets to end; a second signal cuts it short
STOP_S = 5.0
RESTART_FIRST_S, RESTART_LAST_S = 1.0, 30.0  # between starts of a monitor that keeps dying
_T = TypeVar("_T")
_QUESTION = '{"model": "auto", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'


async def run(plan: Plan, config: Path | None, *, as_json: bool) -> int:
    """Until a signal comes or the gateway ends; the exit code. Raises `RunError`."""
    loop = asyncio.get_running_loop()
    told = _Signals()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.take)
    supervised = _Run(plan, config, as_json)
    try:
        return await supervised.until(told)
    finally:
        await supervised.stop(told)
        if plan.own_state:
            shutil.rmtree(plan.state_dir, ignore_errors=True)


class _Signals:
    """The first signal asks for an end, the second for an end now."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()

    def take(self) -> None:
        (self.second if self.first.is_set() else self.first).set()


class _Run:
    def __init__(self, plan: Plan, config: Path | None, as_json: bool) -> None:
        self._plan = plan
        self._config = config
        self._as_json = as_json
        self._simulated: Child | None = None
        self._gateway: Child | None = None
        self._monitor: Child | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def until(self, told: _Signals) -> int:
        """Start everything and wait for an end; the exit code."""
        self._plan.state_dir.mkdir(parents=True, exist_ok=True)
        if self._plan.simulate:
            self._config = await _first(self._simulate(), told.first)
        if told.first.is_set():
            return 0
        environ = self._plan.environ(os.environ, self._config)
        self._gateway = await start(Command("gateway", "gateway", (), environ))
        self._keeping = asyncio.create_task(self._keep_monitor(environ))
        await _first(self._ready(self._gateway), told.first)
        if not told.first.is_set():
            self._say_ready()
        ended = await _first(self._gateway.process.wait(), told.first)
        if ended is None:
            return 0
        raise RunError(f"the gateway ended by itself (exit code {ended}); its last lines say why")

    async def stop(self, told: _Signals) -> None:
        """In the order in which nobody misses anybody: requests first, then who watches, then who answers."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self._gateway is not None and self._gateway.running:
            self._note("stopping: answers that are under way are finished (a second Ctrl-C cuts them off)")
            await _first(self._gateway.stop(DRAIN_S), told.second)
        for child in (self._gateway, self._monitor, self._simulated):
            if child is not None and child.running:
                await child.stop(0.0 if told.second.is_set() else STOP_S)

    async def _simulate(self) -> Path:
        """Start the simulated providers; the configuration that names them."""
        command = Command("providers", "loadtest.providers", ("--json",), os.environ, piped=True)
        self._simulated = await start(command)
        assert self._simulated.process.stdout is not None
        try:
            line = await asyncio.wait_for(self._simulated.process.stdout.readline(), SIMULATED_WITHIN_S)
            greeting: dict[str, Any] = json.loads(line)
            text = yaml.safe_dump({"providers": greeting["providers"]}, sort_keys=False)
        except (TimeoutError, ValueError, KeyError, TypeError):
            raise RunError("the simulated providers did not start; their last lines say why") from None
        write_atomically(self._plan.state_dir / "simulated.json", line)
        path = self._plan.state_dir / "pointsman.yaml"
        header = "# Written by `pointsman run`: the simulated providers of this run.\n"
        write_atomically(path, (header + text).encode())
        self._note(
            "There is no provider key in the environment and no pointsman.yaml, so the answers come from simulated "
            f"providers: {', '.join(greeting['providers'])}. Nothing leaves this machine and nothing costs money.\n"
            f"Break them at {greeting.get('control')} (python -m loadtest.providers --help)."
        )
        return path

    async def _ready(self, gateway: Child) -> None:
        """Raises `RunError` where the gateway ends or stays silent."""
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_WITHIN_S
        while loop.time() < until:
            if not gateway.running:
                raise RunError(f"the gateway did not start (exit code {gateway.process.returncode})")
            with contextlib.suppress(Unreachable):
                if (await asyncio.to_thread(get, f"{self._plan.admin_url}/readyz", 1.0)).status == 200:
                    return
            await asyncio.sleep(READY_EVERY_S)
        raise RunError(f"the gateway is not ready after {READY_WITHIN_S:.0f} s; see {self._plan.admin_url}/readyz")

    async def _keep_monitor(self, environ: dict[str, str]) -> None:
        pause_s = RESTART_FIRST_S
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            self._monitor = await start(Command("monitor", "monitor", (), environ))
            code = await self._monitor.process.wait()
            if loop.time() - began_s > RESTART_LAST_S:
                pause_s = RESTART_FIRST_S
            self._note(f"the monitor ended (exit code {code}); requests go on; it is started again in {pause_s:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_LAST_S)

    def _say_ready(self) -> None:
        plan = self._plan
        if self._as_json:
            ready = {
                "url": plan.url,
                "admin": plan.admin_url,
                "monitor": plan.monitor_url,
                "state_dir": str(plan.state_dir),
                "config": str(self._config) if self._config else None,
                "decisions": plan.decisions,
                "simulated": plan.simulate,
                "pids": {c.name: c.process.pid for c in (self._gateway, self._monitor, self._simulated) if c},
            }
            print(json.dumps(ready), flush=True)
            return
        print(
            f"\nPointsman is ready at {plan.url} (what it does: {plan.admin_url}/). Try:\n\n"
            f"  curl {plan.url}/v1/chat/completions -H 'content-type: application/json' \\\n"
            f"    -d '{_QUESTION}'\n\n"
            f"Decisions, one line each: {plan.decisions}\nCtrl-C ends it.",
            flush=True,
        )

    def _note(self, text: str) -> None:
        print(text, file=sys.stderr if self._as_json else sys.stdout, flush=True)


async def _first(work: Coroutine[Any, Any, _T], event: asyncio.Event) -> _T | None:
    """The result of `work`, or None where the event came first; `work` is cancelled then."""
    task = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for one in (task, waiting):
            one.cancel()
        await asyncio.gather(task, waiting, return_exceptions=True)
