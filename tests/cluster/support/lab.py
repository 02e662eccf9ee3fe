"""The test cluster as programs see it: where it is, whether it can be had here, its start and its end.

Owns the calls of the scripts in `lab/`. What is deployed on the cluster is others' business.
"""

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.image import oci

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "tests" / "cluster" / "lab"
INSIDE = "POINTSMAN_LAB"  # set for the test run within the cluster's network
CACHE = Path(os.environ.get("POINTSMAN_CLUSTER_CACHE") or Path.home() / ".cache" / "pointsman-cluster")
RUN = CACHE / "run"
IMAGE = "pointsman.local/pointsman:dev"
HIERARCHIES = ("cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer")
BUILT = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "etcd",
         "helm", "metrics-server", "coredns")  # fmt: skip


def why_not() -> str | None:
    """Why no cluster can be had on this machine, in plain words; None where it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the cluster is built for Linux on x86_64"
    if os.getuid() != 0:
        return "it takes root: the cluster makes namespaces, mounts and cgroups of its own"
    for tool in ("unshare", "nsenter", "mount", "curl", "flock"):
        if shutil.which(tool) is None:
            return f"there is no {tool} here"
    if not _may_make_namespaces():
        return "the kernel does not allow namespaces and mounts of our own here"
    for hierarchy in HIERARCHIES:
        if not os.access(f"/sys/fs/cgroup/{hierarchy}", os.W_OK):
            return f"there is no writable cgroup v1 hierarchy {hierarchy} (the scripts know version 1 only)"
    return _why_not_built()


def _why_not_built() -> str | None:
    built = all((CACHE / "bin" / name).exists() for name in BUILT)
    if not built and shutil.which("go") is None:
        return "the cluster's programs are not built yet, and there is no Go here to build them with"
    runtime = all(shutil.which(name) for name in ("containerd", "runc", "iptables", "prometheus"))
    if not runtime and shutil.which("apt-get") is None:
        return "the container runtime is not installed, and there is no apt-get to install it with"
    return None


def _may_make_namespaces() -> bool:
    probe = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "true"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@contextmanager
def alone() -> Iterator[None]:
    """One run at a time has the cluster; another waits here, and says so."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another run has the cluster; waiting for its end", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def script(name: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run one of `lab/`; its progress goes to standard error."""
    subprocess.run([str(SCRIPTS / name), *arguments], env=os.environ | dict(env or {}), check=True)


def make_pause_image() -> None:
    """The image of the pods' first process, out of the program that build.sh made."""
    [program] = (CACHE / "builds").glob("pause-*/pause")
    version = program.parent.name.removeprefix("pause-")
    settings = oci.Settings(["/pause"], [], {}, {}, "65535:65535", [])
    out = CACHE / "images" / "pause.tar"
    out.parent.mkdir(parents=True, exist_ok=True)
    oci.write_image(out, f"lab.local/pause:{version}", [oci.layer([(program, "/pause")])], settings)


def make_image() -> None:
    """Pointsman's image, from the tree as it stands."""
    subprocess.run([sys.executable, "-m", "scripts.image", "--name", IMAGE], cwd=ROOT, check=True)


def load_image() -> None:
    """Give the image to the running cluster."""
    archive = str(CACHE / "images" / "pointsman.tar")
    containerd = ["ctr", "-a", str(RUN / "containerd.sock"), "-n", "k8s.io"]
    subprocess.run([*containerd, "images", "import", archive], check=True, stdout=subprocess.DEVNULL)
