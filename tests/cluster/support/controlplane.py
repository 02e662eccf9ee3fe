"""The cluster's own parts taken away and given back: an API server that is down, a container that is killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cluster.support import kubectl
from tests.cluster.support.cgroups import pids
from tests.cluster.support.lab import RUN, SCRIPTS


@contextmanager
def api_server_down() -> Iterator[None]:
    """While within, nothing listens at the API server's port. Ends when it is ready again."""
    hold = RUN / "hold" / "kube-apiserver"
    hold.touch()
    kubectl.run(str(SCRIPTS / "enter.sh"), "-a", "kill", "-KILL", (RUN / "kube-apiserver.nspid").read_text().strip())
    try:
        yield
    finally:
        hold.unlink()
        kubectl.eventually("API server ready", lambda: kubectl.kubectl("get", "--raw", "/readyz") == "ok", within_s=60)
        _controllers_act()


def _controllers_act() -> None:
    """Controllers come back by and by: what a test does next would find the cluster still asleep."""
    name = f"awake-{time.monotonic_ns()}"
    kubectl.kubectl("create", "namespace", name)
    look = ("get", "serviceaccount", "default", "-o", "name")
    kubectl.eventually("controllers act", lambda: kubectl.kubectl(*look, namespace=name), within_s=180)
    kubectl.kubectl("delete", "namespace", name, "--wait=false")


@contextmanager
def api_server_down_after(pod: str) -> Iterator[Callable[[], None]]:
    """As `api_server_down`; gives what kills the pod's container, as a crash would: the kubelet starts it again."""
    processes = [int(pid) for pid in pids(pod)]  # to be asked for as long as there is someone to ask

    def kill() -> None:
        for pid in processes:
            os.kill(pid, signal.SIGKILL)

    with api_server_down():
        yield kill


def requests_counted(resource: str) -> dict[str, int]:
    """How many requests the API server has answered since its start, by verb, for one resource."""
    counted: dict[str, int] = {}
    for line in kubectl.kubectl("get", "--raw", "/metrics").splitlines():
        if line.startswith("apiserver_request_total{") and f'resource="{resource}"' in line:
            verb = line.partition('verb="')[2].partition('"')[0]
            counted[verb] = counted.get(verb, 0) + int(float(line.rpartition(" ")[2]))
    return counted


def wait_s(seconds: float) -> None:
    """Let time pass: what is tested is that it does."""
    time.sleep(seconds)
