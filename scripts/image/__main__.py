"""`python -m scripts.image --out FILE.tar`: the image of the Dockerfile, with no container engine.

Nothing is left on the machine but the archive and the cache of downloads: all else happens in memory, in a mount
namespace of its own. The base layer is this machine's Python instead of the Dockerfile's; all else is the same.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts.image.build import Place, build
from scripts.image.dockerfile import stages_of
from scripts.image.oci import write_image

ROOT = Path(__file__).parents[2]
INSIDE = "POINTSMAN_IMAGE_NAMESPACE"  # set for the process that has namespaces of its own
CACHE = Path(os.environ.get("POINTSMAN_CLUSTER_CACHE") or Path.home() / ".cache" / "pointsman-cluster")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m scripts.image", description=__doc__)
    options.add_argument("--out", type=Path, default=CACHE / "images" / "pointsman.tar")
    options.add_argument("--name", default="pointsman.local/pointsman:dev", help="how pods call it")
    given = options.parse_args()
    if os.getuid() != 0:
        print("making the image without a container engine needs root; with one: docker build .", file=sys.stderr)
        return 1
    if INSIDE not in os.environ:
        inside = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "scripts.image"]
        inside += sys.argv[1:]
        return subprocess.run(inside, cwd=ROOT, env=os.environ | {INSIDE: "1"}, check=False).returncode
    return _make(given.out, given.name)


def _make(out: Path, name: str) -> int:
    began_s = time.monotonic()
    arguments = {"REVISION": _revision()}
    stages = stages_of((ROOT / "Dockerfile").read_text(), arguments)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pointsman-image-") as work:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", work], check=True)
        layers, settings = build(stages, Place(ROOT, CACHE / "downloads", Path(work)))
        digest = write_image(out, name, layers, settings)
        subprocess.run(["umount", "--lazy", work], check=True)
    size_mb = sum(map(len, layers)) / 1e6
    print(f"{out}: {name}, {size_mb:.0f} MB in {len(layers)} layers, {digest}, {time.monotonic() - began_s:.0f} s")
    return 0


def _revision() -> str:
    try:
        told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return told.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
