"""The measurements: load on one server after the other, CPU time over what the upstream has finished meanwhile."""

import http.client
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from loadtest.bench import proc
from loadtest.bench.generators import Generator
from loadtest.bench.rig import PATH, BenchError, Server, UpstreamControl
from loadtest.bench.stand import Stand
from loadtest.bench.upstream import Counts
from loadtest.bench.workloads import YARDSTICK, Row, bodies

_SETTLE_S = 0.5  # connections are made and caches warm before the clock starts, in a process that is new, too
_PATIENCE_S = 30.0  # until streams are open, or load begins
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU µs of the server per request or event, and the share of its core that it used meanwhile."""

    cpu_us: float
    busy: float


@dataclass(frozen=True, slots=True)
class Cost:
    """One server in one row: medians over the rounds; `ratio` is that of the per-round ratios to nginx."""

    server: str
    cpu_us: float
    busy: float
    ratio: float
    each_us: tuple[float, ...] = ()  # of every round, in order

    @property
    def spread_us(self) -> tuple[float, float] | None:
        """The cheapest and the dearest start of a gateway; None where there was but one process."""
        if self.server == YARDSTICK or len(self.each_us) < 2:
            return None
        return min(self.each_us), max(self.each_us)


@dataclass(frozen=True, slots=True)
class Memory:
    """What open streams took, and how many of them the upstream saw cancelled once the clients had left."""

    server: str
    rest_kib: int
    kib_per_stream: float
    cpu_us_per_event: float
    streams: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measurement needs. `say` reports progress in a few words."""

    stand: Stand
    upstream: UpstreamControl
    generator: Generator
    seconds: float
    say: Callable[[str], None]

    def costs(self, row: Row, rounds: int) -> list[Cost]:
        """Alternates between the servers, each round the other way round and with every gateway started anew.

        Raises:
            BenchError: a server did not start, or what comes back is not what the upstream sent.
        """
        if row.pace is not None:
            self.upstream.set_pace(row.pace)
        samples: dict[str, list[Sample]] = {name: [] for name in row.servers}
        for number in range(rounds):
            order = row.servers if number % 2 == 0 else row.servers[::-1]
            for name in order:
                server = self.stand.anew(name)
                self._check(row, server)
                sample = self._sample(row, server)
                samples[name].append(sample)
                self.say(f"{row.title}  round {number + 1}/{rounds}  {name}  {sample.cpu_us:.1f} us per {row.unit}")
        return [cost_of(name, found, samples[YARDSTICK]) for name, found in samples.items()]

    def memory(self, row: Row) -> list[Memory]:
        """Holds the row's streams open at each server in turn."""
        assert row.pace is not None
        self.upstream.set_pace(row.pace)
        return [self._memory(row, self.stand.server(name)) for name in row.servers]

    def _check(self, row: Row, server: Server) -> None:
        """One request of the row, and a look at the reply."""
        status, reply = _post(server, self.stand.rig.key, bodies(row)[0])
        wrong = wrong_with(row, status, reply)
        if wrong is not None:
            raise BenchError(f"{server.name}, {row.title}: {wrong}: {reply[:300]!r}")

    def _sample(self, row: Row, server: Server) -> Sample:
        self._until_open(0)  # the last server's streams would be counted as this one's
        before = _done(row, self.upstream.counts())
        with self.stand.rig.load(self.generator, server, bodies(row), row.connections):
            self._until(lambda counts: _done(row, counts) > before, f"{server.name} is asked nothing")
            time.sleep(_SETTLE_S)
            return self._window(row, server)

    def _window(self, row: Row, server: Server) -> Sample:
        before, cpu_before_s, began_s = self.upstream.counts(), proc.cpu_s(server.pid), time.monotonic()
        time.sleep(self.seconds)
        after, cpu_after_s, ended_s = self.upstream.counts(), proc.cpu_s(server.pid), time.monotonic()
        done = _done(row, after) - _done(row, before)
        if done <= 0:
            raise BenchError(f"{server.name}: no {row.unit} was finished in {self.seconds} s")
        spent_s = cpu_after_s - cpu_before_s
        return Sample(spent_s / done * 1e6, spent_s / (ended_s - began_s))

    def _memory(self, row: Row, server: Server) -> Memory:
        self.say(f"{row.title}  {server.name}")
        self._until_open(0)
        rest_kib = proc.rss_kib(server.pid)
        with self.stand.rig.load(self.generator, server, bodies(row), row.connections):
            self._until_open(row.connections)
            sample = self._window(row, server)
            full_kib = proc.rss_kib(server.pid)
            aborted_before = self.upstream.counts().aborted
        with suppress(BenchError):  # what is left open is seen in the number
            self._until_open(0)
        cancelled = self.upstream.counts().aborted - aborted_before
        each_kib = (full_kib - rest_kib) / row.connections
        return Memory(server.name, rest_kib, each_kib, sample.cpu_us, row.connections, cancelled)

    def _until_open(self, streams: int) -> None:
        self._until(lambda counts: counts.open == streams, f"there are never {streams} open streams")

    def _until(self, reached: Callable[[Counts], bool], complaint: str) -> None:
        until_s = time.monotonic() + _PATIENCE_S
        while not reached(counts := self.upstream.counts()):
            if time.monotonic() > until_s:
                raise BenchError(f"{complaint}: {counts}")
            time.sleep(_POLL_S)


def _done(row: Row, counts: Counts) -> int:
    """What the row counts."""
    return counts.events if row.unit == "event" else counts.finished


def cost_of(server: str, samples: Sequence[Sample], yardstick: Sequence[Sample]) -> Cost:
    """Sums up a server's rounds beside nginx's of the same rounds."""
    ratios = [ours.cpu_us / theirs.cpu_us for ours, theirs in zip(samples, yardstick, strict=True)]
    return Cost(
        server,
        statistics.median(sample.cpu_us for sample in samples),
        statistics.median(sample.busy for sample in samples),
        statistics.median(ratios),
        tuple(sample.cpu_us for sample in samples),
    )


def _post(server: Server, key: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", PATH, body, {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wrong_with(row: Row, status: int, reply: bytes) -> str | None:
    """Why this is not the reply that the upstream gives to a request of the row; None where it is."""
    if status != 200:
        return f"status {status}"
    if row.pace is None:
        return None if orjson.loads(reply).get("usage") else "no usage"
    events = reply.count(b"data: ")
    if events != row.pace.events:
        return f"{events} events instead of {row.pace.events}"
    return None if reply.endswith(b"data: [DONE]\n\n") else "no [DONE]"
