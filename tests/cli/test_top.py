"""`pointsman top` in a real terminal, and without one."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.admin_port import Answer, admin_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0  # of a busy machine; nothing waits that long when all is well
ENTERED, LEFT = "\x1b[?1049h", "\x1b[?1049l"


class Told:
    """A gateway's overview; another one each time, so that a screen tells which it has."""

    def __init__(self) -> None:
        self.looks = 0
        self.away = False

    def __call__(self, path: str) -> Answer:
        if self.away or path != "/api/overview":
            return 404
        self.looks += 1
        row = {"endpoint": "a/x", "breaker": "closed", "ok": self.looks, "failed": 0, "rate_limited": 0}
        return {"version": f"0.{self.looks}", "ready": "ready", "inflight": 1, "endpoints": [row]}


class Terminal:
    """A command in a pseudo-terminal of our own."""

    def __init__(self, *arguments: str, size: tuple[int, int] = (20, 100)) -> None:
        self.ours, theirs = pty.openpty()
        self.resize(*size)
        self.modes = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli.main", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "TERM": "xterm-256color"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, preexec_fn=_control_terminal,
        )  # fmt: skip
        self.theirs = theirs
        self.shown = ""

    def resize(self, height: int, width: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def until(self, pattern: str) -> str:
        """What was shown up to the end of what fits; it is taken away."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.shown, re.DOTALL)):
            ready, _, _ = select.select([self.ours], [], [], max(0.0, deadline_s - time.monotonic()))
            assert ready, f"{pattern!r} was never shown; there is {self.shown[-2000:]!r}"
            self.shown += os.read(self.ours, 65_536).decode()
        shown, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return shown

    def ended(self) -> int:
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


def _control_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C and a new size reach the command as signals


@contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    made = Terminal(*arguments)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def url(told: Told) -> Iterator[str]:
    with admin_port(told) as found:
        yield found


def test_looks_again_each_second_and_quits_by_a_key(url: str, told: Told) -> None:
    with terminal("top", "--url", url) as screen:
        screen.until(re.escape(ENTERED))
        first = screen.until("q quits")
        assert "\x1b[1mpointsman\x1b[0m" in first
        assert "\x1b[36ma/x     \x1b[0m  \x1b[32mclosed \x1b[0m" in first
        screen.until(r"0\.3  ")
        screen.press("x")  # no key of ours
        screen.until(r"0\.4  ")
        screen.press("q")
        screen.until(re.escape(LEFT))
        assert screen.ended() == 0
        assert termios.tcgetattr(screen.theirs) == screen.modes


def test_takes_the_size_that_the_terminal_has_now(url: str) -> None:
    with terminal("top", "--url", url) as screen:
        wide = screen.until("q quits")
        assert "time to first content, ~ as probed by the monitor" in wide
        screen.resize(4, 30)
        narrow = screen.until("….*q quits")
        assert "breaker" not in narrow.rpartition("\x1b[H")[2]


@pytest.mark.parametrize(("how", "status"), [("\x03", 130), (signal.SIGTERM, 143)])
def test_gives_the_terminal_back_however_it_ends(url: str, how: Any, status: int) -> None:
    with terminal("top", "--url", url) as screen:
        screen.until("q quits")
        if isinstance(how, str):
            screen.press(how)
        else:
            screen.process.send_signal(how)
        screen.until(re.escape(LEFT))
        assert screen.ended() == status
        assert termios.tcgetattr(screen.theirs) == screen.modes


def test_lends_the_terminal_while_it_is_stopped(url: str) -> None:
    with terminal("top", "--url", url) as screen:
        screen.until("q quits")
        screen.process.send_signal(signal.SIGTSTP)
        screen.until(re.escape(LEFT))
        assert os.WIFSTOPPED(os.waitpid(screen.process.pid, os.WUNTRACED)[1])
        screen.process.send_signal(signal.SIGCONT)
        screen.until(re.escape(ENTERED))
        screen.until("q quits")


def test_says_that_the_gateway_went_away_and_shows_what_it_last_saw(url: str, told: Told) -> None:
    with terminal("top", "--url", url) as screen:
        screen.until("q quits")
        told.away = True
        gone = screen.until("what stands here is old|is this a gateway's admin port")
        assert "a/x" in gone
        told.away = False
        screen.until("q quits")


def test_colours_nothing_where_nobody_wants_it(url: str) -> None:
    with terminal("top", "--url", url, "--json") as screen:
        assert screen.ended() == 0
        assert "\x1b" not in screen.until("}\r\n$")


def piped(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_is_one_snapshot_in_a_pipe(url: str, told: Told) -> None:
    done = piped("top", "--url", url)
    assert done.returncode == 0
    head, _, _, columns, row, foot = done.stdout.splitlines()
    assert head == f"pointsman  {url}  0.2  ready   UTC"
    assert columns == "endpoint  breaker  req/s  errors  p95  cost/h"
    assert re.fullmatch(r"a/x       closed     \d\.\d     0 %    -      \$0", row)
    assert foot.endswith("p95: time to first content, ~ as probed by the monitor")
    assert told.looks == 2


def test_is_one_document_for_programs(url: str) -> None:
    seen = json.loads(piped("top", "--url", url, "--json").stdout)
    assert (seen["gateway"], seen["version"], seen["inflight"]) == (url, "0.2", 1)
    assert [row["endpoint"] for row in seen["endpoints"]] == ["a/x"]


def test_says_that_nobody_is_there(told: Told) -> None:
    done = piped("top", "--url", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pointsman: http://127.0.0.1:1/api/overview does not answer: ")
