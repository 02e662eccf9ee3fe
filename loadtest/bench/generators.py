"""The two load generators behind one face: wrk where it is installed, else our own.

Owns their command lines and what their output means. Both run until SIGINT.
"""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

_LONGEST_S = 600  # wrk needs an end; every measurement interrupts it long before
_REPLY_LIMIT_S = 300

_LUA = """\
local bodies = {{
{bodies}
}}
local headers = {{["Content-Type"] = "application/json", ["Authorization"] = "Bearer {key}"}}
local requests, at = {{}}, 0
function init()
  for number, body in ipairs(bodies) do requests[number] = wrk.format("POST", nil, headers, body) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""


@dataclass(frozen=True, slots=True)
class Job:
    """`bodies` are sent in turn; `folder` is for files of this one job."""

    url: str
    key: str
    bodies: list[bytes]
    connections: int
    folder: Path


class Generator(Protocol):
    """Makes load until interrupted."""

    @property
    def name(self) -> str: ...

    def command(self, job: Job) -> list[str]: ...

    def trouble(self, output: str) -> str | None:
        """What went wrong according to its output; None where every reply was a 2xx."""


@dataclass(frozen=True, slots=True)
class Wrk:
    """wrk with a script, one thread."""

    path: str
    name: str = "wrk"

    def command(self, job: Job) -> list[str]:
        script = job.folder / "load.lua"
        bodies = "\n".join(f"[==[{body.decode()}]==]," for body in job.bodies)
        script.write_text(_LUA.format(bodies=bodies, key=job.key))
        options = ["-t1", f"-c{job.connections}", f"-d{_LONGEST_S}s", "--timeout", f"{_REPLY_LIMIT_S}s"]
        return [self.path, *options, "-s", str(script), job.url]

    def trouble(self, output: str) -> str | None:
        found = re.findall(r"(?:Non-2xx or 3xx responses|Socket errors):.*", output)
        if "requests in" not in output:
            return f"wrk said: {output[-300:]!r}"
        return "; ".join(found) or None


@dataclass(frozen=True, slots=True)
class Own:
    """`loadtest.bench.own_load`."""

    name: str = "own generator"

    def command(self, job: Job) -> list[str]:
        path = job.folder / "bodies.json"
        path.write_bytes(orjson.dumps([orjson.Fragment(body) for body in job.bodies]))
        options = ["--url", job.url, "--key", job.key, "--bodies", str(path), "--connections", str(job.connections)]
        return [sys.executable, "-m", "loadtest.bench.own_load", *options]

    def trouble(self, output: str) -> str | None:
        try:
            tally = orjson.loads(output)
        except orjson.JSONDecodeError:
            return f"the generator said: {output[-300:]!r}"
        if tally["not_2xx"] or tally["errors"]:
            return f"{tally['not_2xx']} replies were no 2xx, {tally['errors']} connections failed"
        return None


def best_generator() -> Generator:
    """wrk leaves more of the second core to the upstream."""
    path = shutil.which("wrk")
    return Own() if path is None else Wrk(path)
