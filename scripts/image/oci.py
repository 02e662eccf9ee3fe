"""Image archives in the OCI layout, for `ctr images import`, `docker load` or `skopeo copy oci-archive:`.

Owns layers, digests and the archive. A layer depends on nothing but names, modes and content of its files, so the same
files give the same digest: an image whose lower layers have not changed imports only those above.
"""

import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any  # a value made of JSON's types

PREFIX = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a container of the image is started."""

    entrypoint: list[str]
    cmd: list[str]
    env: Mapping[str, str]
    labels: Mapping[str, str]
    user: str
    ports: list[str]
    workdir: str = "/"


def layer(pairs: Iterable[tuple[Path, str]]) -> bytes:
    """A layer's bytes from (file or folder, its place in the image); everything in it belongs to root."""
    buffer = io.BytesIO()
    known: set[str] = set()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for source, place in pairs:
            target = place.strip("/")
            for above in reversed(Path(target).parents):
                if str(above) != "." and str(above) not in known:
                    _add_folder(tar, str(above), 0o755)
                    known.add(str(above))
            _add(tar, source, target)
            if source.is_dir() and not source.is_symlink():
                _add_below(tar, source, target)
    return buffer.getvalue()


def _add_below(tar: tarfile.TarFile, source: Path, target: str) -> None:
    for folder, folders, files in os.walk(source):
        folders.sort()
        inside = os.path.relpath(folder, source)
        for name in sorted([*files, *folders]):
            _add(tar, Path(folder, name), os.path.normpath(os.path.join(target, inside, name)))


def _add_folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    tar.addfile(info)


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    if name in ("", "."):
        return
    status = path.lstat()
    kind = status.st_mode
    if stat.S_ISDIR(kind):
        _add_folder(tar, name, stat.S_IMODE(kind))
    elif stat.S_ISLNK(kind):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, os.readlink(path), 0o777
        tar.addfile(info)
    elif stat.S_ISREG(kind):  # no devices or sockets: the runtime makes /dev itself
        info = tarfile.TarInfo(name)
        info.size, info.mode = status.st_size, stat.S_IMODE(kind)
        with path.open("rb") as file:
            tar.addfile(info, file)


def write_image(out: Path, name: str, layers: Iterable[bytes], settings: Settings) -> str:
    """Write the archive; the image's id (its configuration's digest)."""
    blobs: dict[str, bytes] = {}
    described = [_put(blobs, data, f"{PREFIX}.layer.v1.tar") for data in layers]
    config = _put(blobs, _json(_config(settings, [one["digest"] for one in described])), f"{PREFIX}.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": f"{PREFIX}.manifest.v1+json", "config": config, "layers": described}
    pointer = _put(blobs, _json(manifest), f"{PREFIX}.manifest.v1+json")
    pointer["annotations"] = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"})}
    files["index.json"] = _json({"schemaVersion": 2, "manifests": [pointer]})
    files |= {f"blobs/sha256/{digest}": data for digest, data in blobs.items()}
    part = out.with_name(out.name + ".part")
    with tarfile.open(part, "w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    part.replace(out)
    return str(config["digest"])


def _config(settings: Settings, digests: list[str]) -> Json:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": {
            "Entrypoint": settings.entrypoint,
            "Cmd": settings.cmd,
            "WorkingDir": settings.workdir,
            "User": settings.user,
            "Env": [path, *(f"{name}={value}" for name, value in settings.env.items())],
            "ExposedPorts": {port if "/" in port else f"{port}/tcp": {} for port in settings.ports},
            "Labels": dict(settings.labels),
        },
        "rootfs": {"type": "layers", "diff_ids": digests},
    }


def _put(blobs: dict[str, bytes], data: bytes, media_type: str) -> dict[str, Json]:
    digest = hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _json(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True).encode()
