"""A real OpenTelemetry Collector in a process of its own, where one was built (`scripts/collector/build.sh`)."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "scripts" / "collector"
CONFIG = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters:
  file/logs: {path: HERE/logs.jsonl, flush_interval: 20ms}
  file/traces: {path: HERE/traces.jsonl, flush_interval: 20ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file/logs]}
    traces: {receivers: [otlp], exporters: [file/traces]}
"""
END_S = 20.0


def collector_program() -> Path | None:
    """The collector that was built last for these versions."""
    modules = (SCRIPT / "go.mod").read_text()
    [version] = re.findall(r"^\tgo.opentelemetry.io/collector/otelcol v(\S+)$", modules, re.MULTILINE)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    tools = os.environ.get("POINTSMAN_TOOLS_CACHE") or f"{cache}/pointsman-tools"
    found = Path(tools, f"otelcol-{version}", "otelcol")
    return found if found.is_file() else None


@dataclass
class RunningCollector:
    url: str
    process: "subprocess.Popen[str]"
    here: Path

    def ended(self, signal: str) -> list[Any]:
        """What came of that signal (`logs`, `traces`), one JSON value for each export; ends the collector.

        Something must have come: one that has just said that it is ready may not heed SIGTERM yet, and loses it then.
        """
        written = self.here / f"{signal}.jsonl"
        until_s = time.monotonic() + END_S
        while not written.read_text().endswith("\n") and time.monotonic() < until_s:
            time.sleep(0.02)
        self.process.terminate()
        self.process.wait(END_S)
        return [json.loads(line) for line in written.read_text().splitlines()]


@contextmanager
def running_collector(program: Path, here: Path) -> Iterator[RunningCollector]:
    """A collector that takes OTLP over HTTP on the loopback."""
    config = here / "collector.yaml"
    config.write_text(CONFIG.replace("HERE", str(here)))
    command: Sequence[str] = [str(program), "--config", f"file:{config}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            endpoint = ""
            for line in process.stderr:
                if found := re.search(r'Starting HTTP server.*"endpoint": "([^"]+)"', line):
                    endpoint = found[1]
                if "Everything is ready" in line:
                    break
            assert endpoint, f"the collector did not start: status {process.poll()}"
            yield RunningCollector(f"http://{endpoint}", process, here)
        finally:
            process.kill()
