"""A base layer out of this machine's own Python, for where no registry can be asked for one.

Owns a root file system with an interpreter under /usr/local (as in the image that the Dockerfile names), the shared
libraries that it needs, and the files a program expects in /etc. No shell, no tools, no network: some seconds.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "test", "tests", "idlelib", "lib2to3", "ensurepip", "turtledemo", "site-packages", "config-3*", "*.a"
)
# What compiled packages may ask for beyond what Python itself does, and what name look-ups load at run time.
ALSO = (
    "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1",
    "libutil.so.1", "libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2",
)  # fmt: skip
ETC = {
    "passwd": "root:x:0:0:root:/:/sbin/nologin\npointsman:x:65532:65532::/tmp:/sbin/nologin\n",
    "group": "root:x:0:\npointsman:x:65532:\n",
    "nsswitch.conf": "hosts: files dns\npasswd: files\ngroup: files\n",
}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def copy_python(prefix: Path, *, whole: bool) -> None:
    """Put this machine's interpreter under `prefix`; `whole` with what building packages needs (pip, headers)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    source = Path(sys.base_prefix)
    left_out = shutil.ignore_patterns("__pycache__", "test", "idlelib") if whole else LEFT_OUT
    shutil.copytree(
        source / "lib" / version, prefix / "lib" / version, symlinks=True, ignore=left_out, dirs_exist_ok=True
    )
    (prefix / "lib" / version / "site-packages").mkdir(exist_ok=True)
    if whole:
        shutil.copytree(source / "include", prefix / "include", symlinks=True, dirs_exist_ok=True)
    for library in source.glob("lib/libpython3*.so*"):
        shutil.copy2(library, prefix / "lib", follow_symlinks=False)
    (prefix / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy2(Path(sys.base_prefix, "bin", version).resolve(), prefix / "bin" / version)
    for name in ("python3", "python"):
        (prefix / "bin" / name).unlink(missing_ok=True)
        (prefix / "bin" / name).symlink_to(version)


def make_base(root: Path) -> None:
    """Fill the empty folder `root`."""
    for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc/ssl/certs", "proc", "sys", "dev", "var"):
        (root / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for folder in ("tmp", "var/tmp"):
        (root / folder).mkdir()
        (root / folder).chmod(0o1777)
    for name, text in ETC.items():
        (root / "etc" / name).write_text(text)
    if CERTIFICATES.exists():
        shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    if Path("/usr/share/zoneinfo").is_dir():
        shutil.copytree("/usr/share/zoneinfo", root / "usr/share/zoneinfo", symlinks=True)
    copy_python(root / "usr/local", whole=False)
    for library in sorted(_libraries(root)):
        own = library.is_relative_to(sys.base_prefix)  # Python's own library goes where the loader looks unasked
        target = root / "usr/lib" / library.name if own else root / str(library).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(library, target)


def _libraries(root: Path) -> set[Path]:
    """Where the loader finds each shared library that a program under `root` needs, and itself."""
    programs = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink() and _is_elf(path)]
    listed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    found = {Path(name) for name in re.findall(r"(?:=> |^\t)(/\S+) \(0x", listed, re.MULTILINE)}
    return found | set(_also(found))


def _also(found: Iterable[Path]) -> Iterable[Path]:
    """The further libraries, from where the C library is."""
    folders = {path.parent for path in found} | {Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH") or "")}
    return {folder / name for folder in folders for name in ALSO if (folder / name).exists()}


def _is_elf(path: Path) -> bool:
    if not (os.access(path, os.X_OK) or ".so" in path.name):
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
