"""Child processes of `pointsman run`: started so that none outlives its parent, ended in order.

Knows processes and signals; what they are for is `run`'s business.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Command:
    """A Python module as a process. `piped`: its output is read by us rather than shown."""

    name: str
    module: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    piped: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: Process

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    async def stop(self, grace_s: float) -> int:
        """SIGTERM, and after `grace_s` seconds SIGKILL; its exit code."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), grace_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            return await self.process.wait()


async def start(command: Command) -> Child:
    """Start a child in a session of its own: a Ctrl-C reaches it through us, in our order.

    It gets SIGTERM from the kernel should we die without a word, and its standard input ends then too.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        command.module,
        *command.arguments,
        env=dict(command.environ),
        stdin=PIPE,
        stdout=PIPE if command.piped else None,
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )
    return Child(command.name, process)


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork, where it is safe
    parent = os.getpid()

    def set_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died between the fork and the line above: nobody would ever tell us
            os._exit(1)

    return set_signal
