"""`python -m monitor`: the monitor, with settings from the environment."""

import sys

from gateway.settings import SettingsError, read_settings
from monitor.serve import serve


def main() -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"pointsman monitor: {error}\n")
        return 1
    return serve(settings)


if __name__ == "__main__":
    sys.exit(main())
