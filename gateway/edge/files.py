"""Following files: what changed since the last look.

Owns noticing and reading. Polling, since it works on every file system (ConfigMap mounts swap symlinks, network mounts
send no events) and costs a `stat` per file. What the bytes mean is the business of whoever takes them: nothing is
parsed here, and a reader keeps its last good value when a file is gone.
"""

import os
import stat
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MAX_FILE_BYTES = 8 * 1024 * 1024  # a price book of 10,000 endpoints has 3 MB

Stamp = tuple[int, int, int]  # modified (ns), size, inode: one of them changes with the content, also on a rename


@dataclass(frozen=True, slots=True)
class Change:
    """New bytes of a file; or None and, in words, why there are none now."""

    name: str
    data: bytes | None
    problem: str = ""


class Watch(Protocol):
    def look(self) -> list[Change]:
        """What changed since the last look; the first one reports everything there is. Never raises `OSError`."""


class FileWatch:
    """One file, which may be absent and may be a symlink that is swapped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._problem = ""

    def look(self) -> list[Change]:
        """At most one change."""
        try:
            found = os.stat(self._path)
            if _stamp(found) == self._stamp:
                return []
            self._stamp, data = _read(self._path)
        except OSError as error:
            return self._gone(error.strerror or str(error))
        self._problem = ""
        return [Change(self._path.name, data)]

    def _gone(self, problem: str) -> list[Change]:
        """Said once, not at every look."""
        known, self._problem, self._stamp = self._problem, problem, None
        return [] if known == problem else [Change(self._path.name, None, problem)]


class DirectoryWatch:
    """The files of one directory whose names fit; the directory itself may come and go."""

    def __init__(self, path: Path, wanted: Callable[[str], bool]) -> None:
        self._path = path
        self._wanted = wanted
        self._files: dict[str, FileWatch] = {}

    def look(self) -> list[Change]:
        """Changes in the order of their names; each file that went away is reported once."""
        try:
            names = sorted(name for name in os.listdir(self._path) if self._wanted(name))
        except OSError:
            names = []
        for name in names:
            self._files.setdefault(name, FileWatch(self._path / name))
        changes = [change for name in sorted(self._files) for change in self._files[name].look()]
        for change in changes:
            if change.data is None and change.name not in names:
                del self._files[change.name]
        return changes


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> tuple[Stamp, bytes]:
    """The stamp is taken before the bytes: what is written meanwhile shows at the next look."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "is not a regular file")
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(0, f"is larger than {MAX_FILE_BYTES >> 20} MiB")
    return _stamp(found), data


async def follow(
    watch: Watch,
    take: Callable[[Iterable[Change]], None],
    every_s: float,
    sleep: Callable[[float], Awaitable[object]],
) -> None:
    """Look every `every_s` seconds, for ever, and hand over what changed; ends by cancellation.

    `take` must not raise: what it cannot use it reports itself.
    """
    while True:
        changes = watch.look()
        if changes:
            take(changes)
        await sleep(every_s)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file in one step: a reader sees the old bytes or the new ones, never half of them. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
