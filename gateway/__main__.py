"""`python -m gateway`: the gateway alone, with settings from the environment."""

import sys

from gateway.serve import serve
from gateway.settings import SettingsError, read_settings


def main() -> int:
    try:
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"pointsman gateway: {error}\n")
        return 1
    return serve(settings)


if __name__ == "__main__":
    sys.exit(main())
