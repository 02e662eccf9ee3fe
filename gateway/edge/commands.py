"""How a command of `pointsman` introduces itself: the same for those of the gateway's package and of the monitor's."""

import argparse
from typing import Any


def add_command(commands: Any, name: str, what: str, example: str) -> argparse.ArgumentParser:
    """A command with its help and `--json`.

    Args:
        commands: what `add_subparsers` gave.
        what: it does or shows, beginning in lower case.
        example: lines as one would type them; from the second on indented by two.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"examples:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for programs")
    return parser
