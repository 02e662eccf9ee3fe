from pathlib import Path

import pytest

from monitor.files import FilePublisher
from monitor.ports import PublishError


async def test_reads_back_what_it_published_and_leaves_no_draft(tmp_path: Path) -> None:
    publisher = FilePublisher(tmp_path / "new" / "state")
    assert await publisher.read("shard-00.json") is None

    await publisher.publish("shard-00.json", b"one")
    await publisher.publish("shard-00.json", b"two")

    assert await publisher.read("shard-00.json") == b"two"
    assert [path.name for path in (tmp_path / "new" / "state").iterdir()] == ["shard-00.json"]


async def test_says_where_it_cannot_write_or_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    blocked, occupied = FilePublisher(tmp_path / "file"), FilePublisher(tmp_path)
    (tmp_path / "shard-00.json").mkdir()

    with pytest.raises(PublishError, match=r"file/shard-00\.json: "):
        await blocked.publish("shard-00.json", b"one")
    with pytest.raises(PublishError, match=r"shard-00\.json: "):
        await occupied.read("shard-00.json")
