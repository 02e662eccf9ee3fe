"""The process of one simulated vendor: `python -m loadtest.vendor_process ID`, started by the fleet.

Prints one line of JSON (where it listens), then serves until SIGTERM or until its standard input ends.
"""

import argparse
import asyncio

import orjson

from loadtest.control import start_vendor
from loadtest.fleet import stop_signal, until_told_to_stop
from loadtest.vendors import vendor_named


def speed_from(text: str) -> float | None:
    """`max` (or 0) means without any waiting; raises `ValueError` for what is no speed."""
    if text == "max":
        return None
    speed = float(text)
    if speed < 0:
        raise ValueError("a speed cannot be negative")
    return speed or None


async def _serve(arguments: argparse.Namespace) -> None:
    stopped = stop_signal()
    vendor = vendor_named(arguments.vendor)
    running = await start_vendor(vendor, host=arguments.host, port=arguments.port, speed=speed_from(arguments.speed))
    where = {"base_url": running.base_url, "port": running.port, "control": running.control_url}
    print(orjson.dumps(where).decode(), flush=True)
    await until_told_to_stop(stopped)
    await running.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="loadtest.vendor_process", description=__doc__)
    parser.add_argument("vendor")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--speed", default="1")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
