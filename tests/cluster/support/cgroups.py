"""What a container's processes cost, from the cgroups and /proc of the machine that the cluster runs on."""

import re
from pathlib import Path

from tests.cluster.support import kubectl

CPU, MEMORY = Path("/sys/fs/cgroup/cpuacct/pointsman-lab"), Path("/sys/fs/cgroup/memory/pointsman-lab")


def cpu_s(pod: str) -> float:
    """Processor seconds that the pod's first container has used since its start."""
    return int((_folder(CPU, pod) / "cpuacct.usage").read_text()) / 1e9


def rss_mib(pod: str) -> float:
    """Resident memory of the pod's first container, all processes, in MiB."""
    return sum(_rss_kib(pid) for pid in pids(pod)) / 1024


def pids(pod: str) -> list[str]:
    """The processes of the pod's first container, as this machine numbers them."""
    return (_folder(MEMORY, pod) / "cgroup.procs").read_text().split()


def _rss_kib(pid: str) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc", pid, "status").read_text())
    return int(found[1]) if found else 0


def _folder(hierarchy: Path, pod: str) -> Path:
    found = kubectl.get("pod", pod)
    container = found["status"]["containerStatuses"][0]["containerID"].rpartition("//")[2]
    [folder] = hierarchy.glob(f"kubepods*/**/pod{found['metadata']['uid']}/{container}")
    return folder
