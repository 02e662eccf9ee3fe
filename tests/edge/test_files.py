"""Following files by looking at them."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.edge import files
from gateway.edge.files import Change, DirectoryWatch, FileWatch, follow, write_atomically


def is_json(name: str) -> bool:
    return name.endswith(".json")


def test_reports_a_file_once_per_change(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"one")
    watch = FileWatch(path)
    assert [watch.look(), watch.look()] == [[Change("a.yaml", b"one")], []]
    path.write_bytes(b"three")
    assert [watch.look(), watch.look()] == [[Change("a.yaml", b"three")], []]


def test_sees_a_rename_of_the_same_size_and_time(tmp_path: Path) -> None:
    path, new = tmp_path / "a", tmp_path / "new"
    for file, data in ((path, b"one"), (new, b"two")):
        file.write_bytes(data)
        os.utime(file, (1, 1))
    watch = FileWatch(path)
    watch.look()
    new.rename(path)
    assert watch.look() == [Change("a", b"two")]


def test_sees_the_symlinks_of_a_configmap_swapped(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "a").write_text(version)
        os.utime(tmp_path / version / "a", (1, 1))
    (tmp_path / "..data").symlink_to("v1")
    (tmp_path / "a").symlink_to("..data/a")
    watch = FileWatch(tmp_path / "a")
    watch.look()
    (tmp_path / "..tmp").symlink_to("v2")
    (tmp_path / "..tmp").rename(tmp_path / "..data")
    assert watch.look() == [Change("a", b"v2")]


def test_says_once_that_a_file_is_gone_and_reports_it_when_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    watch = FileWatch(path)
    watch.look()
    path.unlink()
    assert [watch.look(), watch.look()] == [[Change("a", None, "No such file or directory")], []]
    path.write_bytes(b"x")
    assert watch.look() == [Change("a", b"x")]


def test_reads_no_pipe_and_nothing_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert FileWatch(tmp_path / "pipe").look() == [Change("pipe", None, "is not a regular file")]
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1 << 20)
    (tmp_path / "large").write_bytes(b"x" * ((1 << 20) + 1))
    assert FileWatch(tmp_path / "large").look() == [Change("large", None, "is larger than 1 MiB")]


def test_follows_the_wanted_files_of_a_directory(tmp_path: Path) -> None:
    watch = DirectoryWatch(tmp_path / "state", is_json)
    assert watch.look() == []
    (tmp_path / "state").mkdir()
    for name in ("b.json", "a.json", ".a.json.tmp"):
        (tmp_path / "state" / name).write_text(name)
    assert watch.look() == [Change("a.json", b"a.json"), Change("b.json", b"b.json")]
    (tmp_path / "state" / "a.json").unlink()
    (tmp_path / "state" / "b.json").write_text("longer")
    assert watch.look() == [Change("a.json", None, "No such file or directory"), Change("b.json", b"longer")]
    assert watch.look() == []
    (tmp_path / "state" / "a.json").write_text("back")
    assert watch.look() == [Change("a.json", b"back")]


def test_keeps_following_a_file_that_cannot_be_read_for_now(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    watch = DirectoryWatch(tmp_path, is_json)
    assert [watch.look(), watch.look()] == [[Change("a.json", None, "Is a directory")], []]


async def test_hands_over_what_changed_and_sleeps_in_between(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    taken: list[Change] = []
    slept: list[float] = []

    def take(changes: Iterable[Change]) -> None:
        taken.extend(changes)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            path.write_bytes(b"22")
        if len(slept) == 4:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await follow(FileWatch(path), take, 2.0, sleep)
    assert (taken, slept) == ([Change("a", b"1"), Change("a", b"22")], [2.0] * 4)


def test_writes_in_one_step_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert (path.read_bytes(), os.listdir(tmp_path)) == (b"two", ["a.json"])
    with pytest.raises(OSError, match="directory"):
        write_atomically(tmp_path, b"x")
    assert os.listdir(tmp_path) == ["a.json"]
