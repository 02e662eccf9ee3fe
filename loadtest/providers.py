"""`python -m loadtest.providers`: starts the simulated vendors and says where they are.

Owns the command line and what is printed. With `--json` the first and only line of standard output is the
handshake that `pointsman run` reads; without, a table for people and a ready `providers:` block.
"""

import argparse
import asyncio
import sys

import orjson

from loadtest.fleet import Fleet, FleetControl, FleetOptions, handshake, stop_signal, until_told_to_stop
from loadtest.vendor_process import speed_from
from loadtest.vendors import VENDORS, Vendor, config_yaml, vendor_named

_EPILOG = """\
Each vendor is a process of its own and may be killed by its pid. All of them end with this process.

Faults: POST {control}/_control/fault with a body such as
  {"provider": "sim-cheap", "fault": {"status": 429, "retry_after_s": 2}, "times": 3, "match": {"stream": true}}
and DELETE {control}/_control/fault to end them.
Also there: GET bill, GET requests, GET vendors, POST reset, POST key, POST kill, POST start, and POST quality,
after which a model does some prompts badly: {"rules": [{"good": 0.9, "model": "open-8b", "contains": ["Summarize"]}]}
The faults are listed in loadtest/faults.py; a client that speaks to a vendor directly may send them as x-sim-fault.
"""


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="python -m loadtest.providers",
        description="Simulated LLM providers with different prices, speeds and wire formats.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    options.add_argument(
        "--port", type=int, default=0, metavar="BASE", help="first of consecutive ports; 0: any free ones"
    )
    options.add_argument("--only", type=_vendors, default=VENDORS, metavar="ID,..", help="just these vendors")
    options.add_argument("--speed", type=_speed, default="1", metavar="X", help="times as fast; 'max' never waits")
    options.add_argument("--json", action="store_true", help="print one line of JSON instead of text")
    return options


def _vendors(text: str) -> tuple[Vendor, ...]:
    try:
        return tuple(vendor_named(vendor_id) for vendor_id in text.split(","))
    except LookupError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _speed(text: str) -> str:
    speed_from(text)
    return text


async def serve(arguments: argparse.Namespace) -> int:
    """Runs until told to stop; the exit code."""
    stopped = stop_signal()
    fleet = Fleet(FleetOptions(arguments.host, arguments.port, arguments.speed))
    try:
        await fleet.start(arguments.only)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    runner, control_url = await FleetControl(fleet).start(arguments.host)
    try:
        print(_greeting(fleet, control_url, arguments), flush=True)
        await until_told_to_stop(stopped)
    finally:
        await runner.cleanup()
        await fleet.stop()
    return 0


def _greeting(fleet: Fleet, control_url: str, arguments: argparse.Namespace) -> str:
    if arguments.json:
        return orjson.dumps(handshake(fleet, control_url)).decode()
    lines = [
        f"{child.vendor.id:12} pid {child.process.pid:<8} {child.base_url:32} "
        f"{', '.join(model.id for model in child.vendor.models)}"
        for child in fleet.children.values()
    ]
    base_urls = {vendor_id: child.base_url for vendor_id, child in fleet.children.items()}
    return "\n".join([*lines, f"control      {control_url}", "", "# pointsman.yaml", config_yaml(base_urls)])


def main() -> None:
    sys.exit(asyncio.run(serve(parser().parse_args())))


if __name__ == "__main__":
    main()
