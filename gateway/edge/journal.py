"""Decision records as JSON lines, to stdout or a file.

A slow or full disk never delays a request: lines wait in a bounded queue that a thread of its own empties in batches;
when the queue is full the oldest are dropped and counted.
"""

import logging
import os
import threading
from collections import deque

QUEUE_LIMIT = 20_000  # about 20 MB of records; a minute at 300 requests a second
WAKE_S = 0.05  # how long a record waits at most before it is written
FILE_MODE = 0o640

log = logging.getLogger(__name__)


class Journal:
    """Writes lines to a file descriptor. Open with `to`; `close` writes what is left."""

    def __init__(self, descriptor: int, *, owned: bool) -> None:
        self._descriptor = descriptor
        self._owned = owned
        self._queue: deque[bytes] = deque()
        self._wake = threading.Event()
        self._closing = False
        self.dropped = 0
        self.written = 0
        self._failing = False
        self._torn = b""  # what must come first where a line broke off: its end
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def to(cls, target: str) -> "Journal":
        """A journal to `stdout` or to the file of that path (appended, made if absent)."""
        if target == "stdout":
            return cls(1, owned=False)
        descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        return cls(descriptor, owned=True)

    @property
    def delivered(self) -> int:
        return self.written

    @property
    def retries(self) -> int:
        """None: what a full disk refuses is dropped, since more comes at once."""
        return 0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def add(self, line: bytes | None) -> None:
        """Take a line; returns at once. None: it could not be made, and is counted."""
        if line is None:
            self.dropped += 1
            return
        queue = self._queue
        if len(queue) >= QUEUE_LIMIT:
            queue.popleft()
            self.dropped += 1
        queue.append(line)

    def close(self) -> None:
        """Write what is queued (for at most two seconds) and stop."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=2.0)
        if self._owned and not self._thread.is_alive():
            os.close(self._descriptor)

    def _work(self) -> None:
        while not self._closing:
            self._wake.wait(WAKE_S)
            self._drain()
        self._drain()

    def _drain(self) -> None:
        queue = self._queue
        while queue:
            lines = [queue.popleft() for _ in range(min(len(queue), 256))]
            try:
                self._write(self._torn + b"".join(lines))
            except OSError as error:
                self.dropped += len(lines)
                if not self._failing:
                    log.error("decision records cannot be written: %s; they are counted as dropped", error.strerror)
                self._failing = True
            else:
                self.written += len(lines)
                self._failing = False

    def _write(self, lines: bytes) -> None:
        left = memoryview(lines)
        while left:
            left = left[os.write(self._descriptor, left) :]
            self._torn = b"\n" if left and lines[-len(left) - 1] != 10 else b""  # 10: a line's end
