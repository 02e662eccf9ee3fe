"""CPU time and memory of real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from loadtest.bench import proc
from loadtest.bench.machine import cpu_model

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc")

# A child of a child, which says that it is there; both end with their standard input.
_GRANDCHILD = "import sys; print(1, flush=True); sys.stdin.read()"
_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_GRANDCHILD!r}])"


@pytest.fixture
def family() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process.pid
    process.communicate()


def test_finds_children_and_their_children(family: int) -> None:
    assert len(proc.tree(family)) == 2


def test_sums_up_the_family(family: int) -> None:
    one = proc.rss_kib(os.getpid())
    assert proc.cpu_s(family) > 0
    assert one > 1000
    assert proc.rss_kib(family) > 1000


def test_counts_time_spent_computing() -> None:
    spent_s = os.times()
    before_s = proc.cpu_s(os.getpid())
    while (now_s := os.times()).user + now_s.system - spent_s.user - spent_s.system < 0.05:
        pass
    assert proc.cpu_s(os.getpid()) - before_s >= 0.03


def test_finds_nothing_of_a_process_that_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert (proc.tree(process.pid), proc.cpu_s(process.pid), proc.rss_kib(process.pid)) == ([], 0.0, 0)


def test_reads_the_cpu_model() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC 9\nprocessor\t: 1\nmodel name\t: x\n") == "AMD EPYC 9"
    assert cpu_model("processor\t: 0\nCPU implementer\t: 0x41\n") == "unknown CPU"
