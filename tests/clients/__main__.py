"""`make test-clients`: real clients installed beside the clone, driven against the gateway, and the page about it.

    python -m tests.clients [--write PAGE] [PYTEST ARGUMENTS]
    python -m tests.clients --page PAGE

Installs each kind of clients once, into POINTSMAN_CLIENTS_CACHE. One that cannot be installed is skipped.
Results lie in .state/clients as JSON; `--write docs/compatibility.md` makes the page of them, and so does `--page`,
which runs no client.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.clients.support.environments import INSIDE, ROOT, install
from tests.clients.support.page import page

RESULTS = ROOT / ".state" / "clients"
BEGAN_S = time.monotonic()
KINDS = ("clients", "aider", "node")


def say(words: str) -> None:
    print(f"=== {words} ({time.monotonic() - BEGAN_S:.0f} s)", file=sys.stderr, flush=True)


def main() -> int:
    arguments = sys.argv[1:]
    if arguments[:1] == ["--page"]:
        Path(arguments[1]).write_text(page(RESULTS))
        return 0
    target = None
    if arguments[:1] == ["--write"]:
        target, arguments = Path(arguments[1]), arguments[2:]
    say("clients are installed (the first time some minutes, later none)")
    with ThreadPoolExecutor() as pool:
        for kind, problem in zip(KINDS, pool.map(install, KINDS), strict=True):
            say(problem or f"{kind}: there")
    RESULTS.mkdir(parents=True, exist_ok=True)
    if not arguments:
        for old in RESULTS.glob("*.json"):
            old.unlink()
    say("tests")
    pytest = [sys.executable, "-m", "pytest", "-v", *(arguments or ["tests/clients"])]
    status = subprocess.run(pytest, cwd=ROOT, env=os.environ | {INSIDE: str(RESULTS)}, check=False).returncode
    if target is not None:
        target.write_text(page(RESULTS))
        say(f"{target} is written")
    say("done")
    return status


if __name__ == "__main__":
    sys.exit(main())
