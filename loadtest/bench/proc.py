"""What Linux says about a process and its descendants: CPU time and resident memory."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all that descend from it; those that are gone are left out."""
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        texts = list(_task_texts(one, "children"))
        if texts:
            found.append(one)
        todo += [int(child) for text in texts for child in text.split()]
    return found


def cpu_s(pid: int) -> float:
    """User and system time of the whole tree so far, in seconds.

    It is the sum that `/proc/PID/stat` gives in ticks of 10 ms; `schedstat` has the same clock in nanoseconds, which a
    row of cheap events needs. Kernels without scheduler statistics leave the ticks.
    """
    pids = tree(pid)
    nanoseconds = [int(text.split()[0]) for one in pids for text in _task_texts(one, "schedstat")]
    if any(nanoseconds):
        return sum(nanoseconds) / 1e9
    ticks = [int(ticks) for one in pids for text in _task_texts(one, "stat") for ticks in _after_name(text)[11:13]]
    return sum(ticks) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    """Resident memory of the whole tree, each page shared by two of its processes counted twice."""
    return sum(_rss_kib(one) for one in tree(pid))


def _rss_kib(pid: int) -> int:
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", (_PROC / str(pid) / "status").read_text(), re.MULTILINE)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def _task_texts(pid: int, name: str) -> Iterator[str]:
    """That file of each thread."""
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return
    for task in tasks:
        try:
            yield (task / name).read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has ended


def _after_name(stat: str) -> list[str]:
    """The fields after the command's name, which may hold spaces and brackets."""
    return stat.rpartition(")")[2].split()
