"""`pointsman run` as a user has it: real processes, simulated providers, no key."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0  # of a busy machine; nothing waits that long when all is well
QUESTION = b'{"model": "auto", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'


class Running:
    """A run that has said that it is ready."""

    def __init__(self, state_dir: Path) -> None:
        self.log = state_dir.parent / "stderr"
        environ = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        options = ["--json", "--port", "0", "--admin-port", "0", "--monitor-port", "0", "--state-dir", str(state_dir)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli.main", "run", *options],
                cwd=ROOT,
                env={**environ, **{f"POINTSMAN_PRICES_{name}_URL": "" for name in PRICE_SOURCES}},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline() or "{}")
        assert self.ready, self.log.read_text()

    def ask(self) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        with urlopen(
            Request(f"{self.ready['url']}/v1/chat/completions", QUESTION, headers), timeout=PATIENCE_S
        ) as reply:
            answer: dict[str, Any] = json.load(reply)
        return answer

    def says(self, text: str) -> None:
        wait_until(lambda: text in self.log.read_text())

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


PRICE_SOURCES = ("OPENROUTER", "MODELSDEV", "LITELLM", "HUGGINGFACE")


def wait_until(true: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Ended, or ended and not yet collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    run = Running(tmp_path / "state")
    try:
        yield run
    finally:
        run.close()


def test_answers_without_any_key_and_ends_in_order(running: Running, tmp_path: Path) -> None:
    assert running.ready["simulated"]
    assert running.ask()["choices"][0]["finish_reason"] == "stop"
    assert (tmp_path / "state" / "simulated.json").is_file()
    running.says("simulated providers: sim-")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE_S) == 0
    assert all(gone(pid) for pid in running.ready["pids"].values())
    assert len((tmp_path / "state" / "decisions.jsonl").read_text().splitlines()) == 1


def test_starts_a_monitor_again_and_ends_with_its_gateway(running: Running) -> None:
    os.kill(running.ready["pids"]["monitor"], signal.SIGKILL)
    running.says("the monitor ended (exit code -9); requests go on")
    running.ask()
    os.kill(running.ready["pids"]["gateway"], signal.SIGKILL)
    assert running.process.wait(PATIENCE_S) == 1
    running.says("pointsman: the gateway ended by itself (exit code -9)")
    assert gone(running.ready["pids"]["providers"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's word on a parent's death is Linux's")
def test_leaves_nobody_behind_when_it_is_killed(running: Running) -> None:
    running.process.kill()
    wait_until(lambda: all(gone(pid) for pid in running.ready["pids"].values()))
