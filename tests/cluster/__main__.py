"""`make test-cluster`: a real Kubernetes on this machine, the tests on it, and nothing left but the cache.

    python -m tests.cluster [PYTEST ARGUMENTS]

Builds what it needs once, into POINTSMAN_CLUSTER_CACHE (default: ~/.cache/pointsman-cluster). Where no cluster can be
had it says why and ends with 0. POINTSMAN_CLUSTER_KEEP=1 leaves the cluster up, for work on the tests: the next run
takes it over, and `tests/cluster/lab/down.sh` ends it.
"""

import os
import signal
import subprocess
import sys
import time
from types import FrameType

from tests.cluster.support import lab, report

FAILED = 1  # pytest: tests ran, and some failed
BEGAN_S = time.monotonic()


def say(words: str) -> None:
    print(f"=== {words} ({time.monotonic() - BEGAN_S:.0f} s)", file=sys.stderr, flush=True)


def main() -> int:
    reason = lab.why_not()
    if reason is not None:
        print(f"cluster tests skipped: {reason}")
        return 0
    signal.signal(signal.SIGTERM, _stop)
    with lab.alone():
        return _run()


def _run() -> int:
    say("programs of the cluster (the first time some 10 to 30 minutes, later none)")
    lab.script("build.sh")
    lab.make_pause_image()
    say("image")
    lab.make_image()
    try:
        say("start of the cluster")
        lab.script("up.sh")
        lab.load_image()
        say("tests")
        return _tests()
    finally:
        if os.environ.get("POINTSMAN_CLUSTER_KEEP") != "1":
            lab.script("down.sh")
            say("cluster ended")


def _tests() -> int:
    """The tests; of all of them, those that failed once more: on a busy machine a cluster may miss its own time limits.

    What fails twice has failed, and what failed once is told.
    """
    if sys.argv[1:]:
        return _pytest(*sys.argv[1:])
    report.clear()
    status = _pytest("tests/cluster")
    if status == FAILED:
        say("some tests failed; those once more")
        status = _pytest("tests/cluster", "--last-failed")
    print(report.table())
    return status


def _pytest(*arguments: str) -> int:
    """Within the cluster's network, so that services and pods have their addresses."""
    pytest = [sys.executable, "-m", "pytest", "-o", f"cache_dir={lab.CACHE / 'pytest'}", "-v", *arguments]
    inside = [str(lab.SCRIPTS / "enter.sh"), *pytest]
    return subprocess.run(inside, cwd=lab.ROOT, env=os.environ | {lab.INSIDE: "1"}, check=False).returncode


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)  # so that the cluster is ended on the way out


if __name__ == "__main__":
    sys.exit(main())
