"""`make test-page`: the pages of gateway and monitor in a real Chromium, under real traffic.

    python -m tests.page [--shots FOLDER] [PYTEST ARGUMENTS]

Playwright's driver and axe-core are installed once, outside the clone (`tests.support.npm`). What is missing is said,
and the tests then skip. `--shots docs/images` makes the screenshots of the documentation anew; it takes two minutes.
"""

import os
import subprocess
import sys

from tests.page.support.browser import FOLDER, NODE, SHOTS, chromium
from tests.support.npm import install_once, place_of
from tests.support.running_gateway import ROOT


def main() -> int:
    arguments, environ = sys.argv[1:], dict(os.environ)
    if arguments[:1] == ["--shots"]:
        environ[SHOTS] = os.path.abspath(arguments[1])
        arguments = arguments[2:]
    place = place_of("page", NODE)
    try:
        install_once(NODE, place)
        if chromium() is None:
            raise FileNotFoundError("chromium is not on this machine")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"the pages are not tested: {error}", file=sys.stderr)
        return 0
    environ[FOLDER] = str(place)
    pytest = [sys.executable, "-m", "pytest", "-v", "-p", "no:xdist", "tests/page", *arguments]
    return subprocess.run(pytest, cwd=ROOT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
