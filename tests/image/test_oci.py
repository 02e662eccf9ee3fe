"""Layers depend on their files alone, and the archive says what a runtime reads."""

import json
import os
import tarfile
from pathlib import Path

from scripts.image.oci import Settings, layer, write_image

SETTINGS = Settings(["/run"], ["it"], {"A": "1"}, {"l": "x"}, "65532:65532", ["80"])


def tree(folder: Path) -> Path:
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "file").write_text("content")
    (folder / "b" / "file").chmod(0o640)
    (folder / "a").symlink_to("b/file")
    return folder


def test_the_same_files_give_the_same_bytes_whatever_their_time(tmp_path: Path) -> None:
    one, other = tree(tmp_path / "one"), tree(tmp_path / "other")
    os.utime(other / "b" / "file", (1, 1))
    assert layer([(one, "/place")]) == layer([(other, "/place")])


def test_everything_stands_at_its_place_with_its_mode_and_root_as_owner(tmp_path: Path) -> None:
    data = layer([(tree(tmp_path / "one"), "/to/place"), (tmp_path / "one" / "b" / "file", "/to/alone")])
    (tmp_path / "x.tar").write_bytes(data)
    with tarfile.open(tmp_path / "x.tar") as tar:
        found = {each.name: (each.type, oct(each.mode), each.uid, each.mtime) for each in tar.getmembers()}
    folder, file, link = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE
    mode = oct((tmp_path / "one").stat().st_mode & 0o777)
    assert found == {
        "to": (folder, "0o755", 0, 0), "to/place": (folder, mode, 0, 0), "to/place/b": (folder, mode, 0, 0),
        "to/place/a": (link, "0o777", 0, 0), "to/place/b/file": (file, "0o640", 0, 0),
        "to/alone": (file, "0o640", 0, 0),
    }  # fmt: skip


def test_the_archive_leads_from_its_index_to_the_layers(tmp_path: Path) -> None:
    out = tmp_path / "image.tar"
    digest = write_image(out, "lab/x:1", [b"first", b"second"], SETTINGS)
    with tarfile.open(out) as tar:
        files = {each.name: tar.extractfile(each).read() for each in tar.getmembers()}  # type: ignore[union-attr]
    blob = {name.removeprefix("blobs/sha256/"): data for name, data in files.items() if name.startswith("blobs/")}
    [pointer] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob[pointer["digest"].removeprefix("sha256:")])
    config = json.loads(blob[digest.removeprefix("sha256:")])
    assert pointer["annotations"]["io.containerd.image.name"] == "lab/x:1"
    assert manifest["config"]["digest"] == digest
    assert [blob[one["digest"].removeprefix("sha256:")] for one in manifest["layers"]] == [b"first", b"second"]
    assert config["rootfs"]["diff_ids"] == [one["digest"] for one in manifest["layers"]]
    assert (config["config"]["User"], config["config"]["Entrypoint"]) == ("65532:65532", ["/run"])
    assert config["config"]["ExposedPorts"] == {"80/tcp": {}}
