"""The processes of a benchmark: starts them pinned to their cores, finds out that they answer, and ends them.

The servers under test share the first core, and only one of them is loaded at a time; everything else has the second.
"""

import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

import orjson

from loadtest.bench.canned import Pace
from loadtest.bench.configs import Ports, gateway_yaml, nginx_conf, scanning_gateway_yaml
from loadtest.bench.generators import Generator, Job
from loadtest.bench.upstream import Counts
from loadtest.bench.workloads import SCANNING, SEEN, SOURCES, UNSEEN, YARDSTICK

PATH = "/v1/chat/completions"
_START_S = 30.0  # generous: the gateway imports for a second, on a busy machine for several
_STOP_S = 5.0
_JUDGING_S = 120.0  # it takes two
_POLL_S = 0.05


class BenchError(Exception):
    """Nothing can be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores the two sides run on; None: nothing is pinned, since there is only one."""

    servers: frozenset[int] | None
    others: frozenset[int] | None


def cores() -> Cores:
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        return Cores(None, None)
    return Cores(frozenset(usable[:1]), frozenset(usable[1:2]))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server under test."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"


@dataclass(slots=True)
class Rig:
    """Everything that runs. `close` ends all of it."""

    folder: Path
    python: str = sys.executable  # the gateway's; another build of the same version gets this one's libraries
    compiled: Path | None = None  # where a compiled gateway is imported from; None: from its sources
    cores: Cores = field(default_factory=cores)
    key: str = field(default_factory=lambda: f"pk-{secrets.token_hex(16)}")
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start_upstream(self) -> "UpstreamControl":
        command = [sys.executable, "-m", "loadtest.bench.upstream"]
        process = self._spawn(command, self.cores.others, self.folder / "upstream.log", stdout=subprocess.PIPE)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise BenchError(f"the upstream did not start:\n{_tail(self.folder / 'upstream.log')}")
        return UpstreamControl(orjson.loads(line)["port"])

    def start_nginx(self, path: str, upstream_port: int) -> Server:
        port = free_port()
        config = self.folder / "nginx.conf"
        config.write_text(nginx_conf(self.folder, Ports(port, upstream_port)))
        command = [path, "-p", str(self.folder), "-e", "stderr", "-c", str(config)]
        return self._serve(YARDSTICK, command, port)

    def start_gateway(self, name: str, upstream_port: int) -> Server:
        """The gateway that rows call so."""
        plain = gateway_yaml(upstream_port, self.key)
        if name == SCANNING:
            return self._gateway(name, scanning_gateway_yaml(upstream_port, self.key))
        if name == SEEN:  # one request in a hundred is traced; the upstream takes the spans
            traces = {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{upstream_port}/v1/traces",
                "OTEL_TRACES_SAMPLER_ARG": "0.01",
            }
            return self._gateway(name, plain, traces)
        if name == UNSEEN:  # nothing is counted, written or traced
            return self._gateway(name, plain, {"POINTSMAN_DECISIONS": "off"}, "loadtest.bench.unseen")
        if name == SOURCES:
            return self._gateway(name, plain, _imports(None, self.python))
        return self._gateway(name, plain)

    def stop(self, server: Server) -> None:
        """End one of the servers."""
        process = next(process for process in self._running if process.pid == server.pid)
        self._running.remove(process)
        _end([process])

    def judging_ms(self) -> list[float]:
        """CPU time of the learned classifier for each of many prompts, on the servers' core.

        Raises:
            BenchError: it did not run.
        """
        log = self.folder / "judging.log"
        command = [self.python, "-m", "loadtest.bench.judging"]
        process = self._spawn(command, self.cores.servers, log, subprocess.PIPE, self._inherited())
        output, _ = process.communicate(timeout=_JUDGING_S)
        self._running.remove(process)
        if process.returncode:
            raise BenchError(f"the learned classifier did not run:\n{_tail(log)}")
        found: list[float] = orjson.loads(output)
        return found

    @contextmanager
    def load(self, generator: Generator, server: Server, bodies: list[bytes], connections: int) -> Iterator[None]:
        """Load while the block runs.

        Raises:
            BenchError: a request was not answered as it should be.
        """
        job = Job(server.url, self.key, bodies, connections, self.folder)
        process = self._spawn(generator.command(job), self.cores.others, self.folder / "load.log", subprocess.PIPE)
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            output = self._last_words(process)
        trouble = generator.trouble(output.decode())
        if trouble is not None:
            raise BenchError(f"{server.name}: {trouble}\n{_tail(self.folder / f'{server.name}.log')}")

    def _last_words(self, process: subprocess.Popen[bytes]) -> bytes:
        try:
            output, _ = process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            raise BenchError("the load generator did not stop when it was told to") from None
        self._running.remove(process)
        return output

    def close(self) -> None:
        """Ends everything."""
        _end(self._running)

    def _gateway(
        self, name: str, config_yaml: str, environ: Mapping[str, str] = MappingProxyType({}), module: str = "gateway"
    ) -> Server:
        port = free_port()
        config = self.folder / f"{name}.yaml"
        config.write_text(config_yaml)
        own = {
            "POINTSMAN_CONFIG": str(config),
            "POINTSMAN_DECISIONS": str(self.folder / f"{name}.decisions.jsonl"),
            "POINTSMAN_PORT": str(port),
            "POINTSMAN_ADMIN_PORT": "0",
            "POINTSMAN_KUBERNETES": "off",
        }
        return self._serve(name, [self.python, "-m", module], port, {**self._inherited(), **own, **environ})

    def _inherited(self) -> dict[str, str]:
        """Our environment without settings, and with what a gateway is imported from."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("POINTSMAN_", "OTEL_"))}
        return kept | _imports(self.compiled, self.python)

    def _serve(self, name: str, command: list[str], port: int, env: Mapping[str, str] | None = None) -> Server:
        log = self.folder / f"{name}.log"
        process = self._spawn(command, self.cores.servers, log, env=env)
        until = time.monotonic() + _START_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError(f"{name} did not start:\n{_tail(log)}")
            time.sleep(_POLL_S)
        return Server(name, port, process.pid)

    def _spawn(
        self,
        command: list[str],
        on: frozenset[int] | None,
        log: Path,
        stdout: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        with log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603  # commands are ours, arguments never a shell's
                command,
                stdin=subprocess.PIPE,  # held open and never written: its end tells the upstream to leave
                stdout=errors if stdout is None else stdout,
                stderr=errors,
                env=env,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others in order
                preexec_fn=None if on is None else partial(os.sched_setaffinity, 0, on),
            )
        self._running.append(process)
        return process


@dataclass(frozen=True, slots=True)
class UpstreamControl:
    """The upstream's control endpoints."""

    port: int

    def set_pace(self, pace: Pace) -> None:
        self._ask("PUT", "/_pace", orjson.dumps(pace))

    def counts(self) -> Counts:
        return Counts(**orjson.loads(self._ask("GET", "/_counts", b"")))

    def _ask(self, method: str, path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def rig(python: str, compiled: Path | None) -> Iterator[Rig]:
    """An empty rig in a temporary folder, all of which is gone afterwards; both arguments are for the gateways."""
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as folder:
        made = Rig(Path(folder), python, compiled)
        try:
            yield made
        finally:
            made.close()


def _imports(compiled: Path | None, python: str) -> dict[str, str]:
    """What tells an interpreter where modules are: compiled ones first and not in the folder it is started in, and our
    libraries where it is not ours."""
    libraries = [] if python == sys.executable else [sysconfig.get_path("platlib")]
    if compiled is None:
        return {"PYTHONPATH": os.pathsep.join(libraries), "PYTHONSAFEPATH": ""}
    return {"PYTHONPATH": os.pathsep.join([str(compiled), *libraries]), "PYTHONSAFEPATH": "1"}


def find_nginx() -> str | None:
    """Debian keeps it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    """For servers that must be told their port; it may be lost to another process before they take it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Politely at first."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(0.5)
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-1500:]
