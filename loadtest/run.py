"""`python -m loadtest.run SCENARIO`: bounded load on a gateway on this machine, and a report.

Owns the command line and the order of a run: read the accounts, drive the plan, read them again, report. Exit
code 0 only if no error was unexpected.
"""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from loadtest import kill
from loadtest.client import Client, loopback_url
from loadtest.driver import Board, Driver, stderr
from loadtest.money import Accounts, bill_rows, read_accounts, recorded_by_provider, seen_by_provider
from loadtest.report import as_text, summary
from loadtest.scenarios import SCENARIOS, Act, Plan, Size, kill_plan

Json = Any  # a parsed JSON value

_MAX_REQUESTS = 100_000
_MAX_CONCURRENCY = 2_000
_MAX_SECONDS = 600.0
_KILL = "kill"
_KILL_TEXT = "kill -9 on the serving vendor under 50 streams and 200 whole replies"


def parser() -> argparse.ArgumentParser:
    texts = {name: scenario.description for name, scenario in SCENARIOS.items()} | {_KILL: _KILL_TEXT}
    options = argparse.ArgumentParser(
        prog="python -m loadtest.run",
        description="Bounded load on a gateway on this machine, with a report.",
        epilog="scenarios:\n" + "\n".join(f"  {name:9} {text}" for name, text in texts.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("scenario", choices=list(texts), metavar="SCENARIO", help=", ".join(texts))
    options.add_argument("--url", type=_url, default="http://127.0.0.1:8080", help="the gateway (default %(default)s)")
    options.add_argument(
        "--admin", type=_url, help="its admin port, e.g. http://127.0.0.1:9090: reports what was saved"
    )
    options.add_argument("--control", type=_url, help="the simulated providers' control URL: reports their bills")
    options.add_argument("--simulated", type=Path, metavar="FILE", help="read the control URL from this JSON file")
    options.add_argument("--decisions", type=Path, metavar="FILE", help="take our cost from these decision records")
    options.add_argument("--model", default="auto", help="what requests ask for (default %(default)s)")
    options.add_argument("--key", default=os.environ.get("POINTSMAN_KEY"), help="client key (default: $POINTSMAN_KEY)")
    options.add_argument("--requests", type=_up_to(_MAX_REQUESTS), default=200, metavar="N")
    options.add_argument("--concurrency", type=_up_to(_MAX_CONCURRENCY), default=50, metavar="C")
    options.add_argument("--seconds", type=_seconds, default=10.0, metavar="S", help="send for at most so long")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--provider", metavar="ID", help="outage, kill: the vendor to strike (default: the busiest)")
    options.add_argument("--kill-pid", type=int, metavar="PID", help="kill: this process instead")
    options.add_argument("--streams", type=_up_to(_MAX_CONCURRENCY), default=50, metavar="N", help="kill: streams")
    options.add_argument("--json", action="store_true", help="print the report as JSON")
    return options


def _url(text: str) -> str:
    try:
        return loopback_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _up_to(limit: int) -> Any:
    def number(text: str) -> int:
        value = int(text)
        if not 1 <= value <= limit:
            raise argparse.ArgumentTypeError(f"{value} is not between 1 and {limit}")
        return value

    return number


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= _MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{value:g} is not between 0 and {_MAX_SECONDS:g}")
    return value


def control_of(arguments: argparse.Namespace) -> str | None:
    """The control URL as given, or from the file that `pointsman run` leaves in its state directory."""
    if arguments.control is not None or arguments.simulated is None:
        return arguments.control  # type: ignore[no-any-return]  # argparse.Namespace is untyped
    return loopback_url(orjson.loads(arguments.simulated.read_bytes())["control"])


class Run:
    """One run of one scenario."""

    def __init__(self, arguments: argparse.Namespace, session: aiohttp.ClientSession) -> None:
        self._arguments = arguments
        self._session = session
        self._control = control_of(arguments)
        self._client = Client(session, arguments.url, time.monotonic, model=arguments.model, key=arguments.key)
        self._struck: str | None = None
        self.board = Board(0)

    async def report(self) -> dict[str, Json]:
        arguments = self._arguments
        plan, size = self._plan()
        self.board = Board(len(plan.jobs))
        before = await self._accounts()
        started_s = time.monotonic()
        driver = Driver(self._client, time.monotonic, self._perform, stderr())
        killed: dict[str, Json] = {}
        if arguments.scenario == _KILL:
            killed = {"kill": await self._drive_and_kill(driver, plan, size)}
        else:
            await self._drive(driver, plan, size)
        elapsed_s = time.monotonic() - started_s
        numbers = summary(self.board.flights, elapsed_s=elapsed_s, expected_errors=plan.expected_errors)
        return {"scenario": arguments.scenario, **numbers, **self._money(before, await self._accounts()), **killed}

    def _plan(self) -> tuple[Plan, Size]:
        arguments = self._arguments
        if arguments.scenario == _KILL:
            plan = kill_plan(arguments.streams, arguments.requests, arguments.seed)
            return plan, Size(len(plan.jobs), len(plan.jobs), arguments.seconds, arguments.seed)
        size = Size(arguments.requests, arguments.concurrency, arguments.seconds, arguments.seed)
        return SCENARIOS[arguments.scenario].plan(size), size

    async def _accounts(self) -> Accounts:
        arguments = self._arguments
        return await read_accounts(
            self._session, control=self._control, admin=arguments.admin, decisions=arguments.decisions
        )

    def _money(self, before: Accounts, after: Accounts) -> dict[str, Json]:
        ours = seen_by_provider(self.board.flights)
        if self._arguments.decisions is not None:
            ours = recorded_by_provider(self._arguments.decisions, before.decisions_bytes or 0)
        saved = None if before.saved_usd is None or after.saved_usd is None else after.saved_usd - before.saved_usd
        bills = bill_rows(before, after, ours)
        if self._arguments.scenario == _KILL:  # the killed vendor's bill died with it
            bills = [row for row in bills if row["provider"] != self._struck]
        return {"saved_usd": saved, "bills": bills}

    async def _drive(self, driver: Driver, plan: Plan, size: Size) -> None:
        """Whatever ends the run, a vendor that was taken down is restored."""
        try:
            await driver.run(plan, size, self.board)
        finally:
            if self._struck is not None:
                await self._perform(Act.RESTORE)

    async def _perform(self, act: Act) -> None:
        """The outage's two acts."""
        if self._control is None:
            raise kill.KillError("an outage needs --control or --simulated, to take a vendor down")
        if act is Act.TAKE_DOWN:
            self._struck = self._arguments.provider or kill.busiest(self.board.flights)
        order = {"provider": self._struck, "fault": {"refuse": True}}
        method = "POST" if act is Act.TAKE_DOWN else "DELETE"
        async with self._session.request(method, f"{self._control}/_control/fault", json=order) as answer:
            if answer.status != 200:
                raise kill.KillError(f"{act} of {self._struck}: {await answer.text()}")
        if act is Act.RESTORE:
            self._struck = None

    async def _drive_and_kill(self, driver: Driver, plan: Plan, size: Size) -> dict[str, Json]:
        arguments = self._arguments
        target = kill.Target(self._control, arguments.provider, arguments.kill_pid)
        striking = asyncio.ensure_future(kill.strike(self.board, arguments.streams, target, self._session))
        await driver.run(plan, size, self.board)
        if not striking.done():
            striking.cancel()
            raise kill.KillError("too few streams ever began: nothing was killed, nothing is proven")
        struck = await striking
        self._struck = struck.provider
        if self._control is not None:
            await kill.restart(struck.provider, self._control, self._session)
        return kill.verdict(self.board, struck)


async def run(arguments: argparse.Namespace) -> int:
    """Runs the scenario and prints the report; the exit code."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:
        try:
            report = await Run(arguments, session).report()
        except kill.KillError as error:
            print(error, file=sys.stderr)
            return 2
    print(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() if arguments.json else as_text(report))
    failed = report["unexpected_errors"] or not report.get("kill", {"passed": True})["passed"]
    return 1 if failed or not report["requests"] else 0


def main() -> None:
    sys.exit(asyncio.run(run(parser().parse_args())))


if __name__ == "__main__":
    main()
