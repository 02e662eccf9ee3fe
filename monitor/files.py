"""Publishes to files, for gateways on the same machine or the same volume."""

import asyncio
from pathlib import Path

from gateway.edge.files import write_atomically
from monitor.ports import PublishError


class FilePublisher:
    """A `Publisher` whose keys are the names of files in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def read(self, key: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._directory / key).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PublishError(f"{self._directory / key}: {error.strerror}") from error

    async def publish(self, key: str, data: bytes) -> None:
        try:
            await asyncio.to_thread(self._write, key, data)
        except OSError as error:
            raise PublishError(f"{self._directory / key}: {error.strerror}") from error

    def _write(self, key: str, data: bytes) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        write_atomically(self._directory / key, data)
