"""kubectl, helm and waiting: what the tests say to the cluster, and how they watch it.

Everything runs within the cluster's network, with an administrator's kubeconfig in the environment.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Json = Any  # a value made of JSON's types
T = TypeVar("T")

NAMESPACE = "pointsman"


class CommandError(AssertionError):
    """A command ended badly; the message is the command and what it said."""


def run(*command: str, stdin: str | None = None, timeout_s: float = 300) -> str:
    """A command's standard output; raises `CommandError` where it fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def kubectl(*arguments: str, namespace: str = NAMESPACE, stdin: str | None = None, timeout_s: float = 300) -> str:
    return run("kubectl", "-n", namespace, *arguments, stdin=stdin, timeout_s=timeout_s)


def get(kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, Json]:
    found: dict[str, Json] = json.loads(kubectl("get", kind, name, "-o", "json", namespace=namespace))
    return found


def items(kind: str, selector: str = "", namespace: str = NAMESPACE) -> list[dict[str, Json]]:
    listed: list[dict[str, Json]] = json.loads(
        kubectl("get", kind, "-l", selector, "-o", "json", namespace=namespace)
    )["items"]  # fmt: skip
    return listed


def apply(objects: Iterable[Mapping[str, Json]], namespace: str = NAMESPACE) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", namespace=namespace, stdin=json.dumps(listed))


def evicted(pod: str, namespace: str = NAMESPACE) -> bool:
    """Ask for the pod's eviction; False while its disruption budget does not allow it."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    try:
        kubectl("create", "--raw", path, "-f", "-", namespace=namespace, stdin=json.dumps(body))
    except CommandError as error:
        if "disruption budget" in str(error):
            return False
        raise
    return True


def rolled_out(deployment: str, namespace: str = NAMESPACE, timeout_s: int = 180) -> None:
    """Wait until the deployment is what its specification says."""
    kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={timeout_s}s", namespace=namespace)


def eventually(what: str, look: Callable[[], T | None], within_s: float, every_s: float = 0.2) -> T:
    """The first value of `look` that is true; an assertion error that names `what` where there is none in time."""
    until = time.monotonic() + within_s
    last: object = None
    while True:
        try:
            last = look()
        except (OSError, CommandError) as error:  # not there yet
            last = error
        else:
            if last:
                return last
        if time.monotonic() >= until:
            raise AssertionError(f"not within {within_s:g} s: {what}; last seen: {last!r}")
        time.sleep(every_s)


def seconds_until(what: str, look: Callable[[], object], within_s: float, every_s: float = 0.05) -> float:
    """How long it took until `look` was true."""
    began = time.monotonic()
    eventually(what, look, within_s, every_s)
    return time.monotonic() - began
