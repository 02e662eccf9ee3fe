"""`pointsman decisions`: `tail` prints them as they are made, `show` tells one of them whole."""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from gateway.cli.decision_line import Row, Wanted, line
from gateway.cli.decision_sources import RETRY_S, AdminPort, NoRecords, Pipe, RecordFile, Source
from gateway.cli.decision_story import account
from gateway.cli.ink import ink_of, stdout_ink
from gateway.cli.output import print_json


def tail(given: Namespace, admin_url: str) -> int:
    """Print the last decisions and follow; ends with its source, or by Ctrl-C."""
    wanted = Wanted(given.route, given.outcome, given.endpoint)
    ink = stdout_ink()
    with closing(_source(given, admin_url)) as source:
        for row in _rows(source, wanted, given.lines, follow=not given.once):
            print(json.dumps(row, ensure_ascii=False) if given.as_json else line(row, ink), flush=True)
    return 0


def show(given: Namespace, admin_url: str) -> int:
    """Print one decision; 1 where there is none of that id.

    Raises:
        NoRecords: the source cannot be read, or does not know the id.
    """
    with closing(_source(given, admin_url)) as source:
        row = source.find(given.id)
    if row is None:
        where = given.file or f"{given.url or admin_url}, which keeps only its last ones: give the file of decisions"
        raise NoRecords(f"there is no decision {given.id} in {where}")
    if given.as_json:
        print_json(row)
    else:
        ink = stdout_ink()
        for text in account(row, ink):
            print(text)
    return 0


def _rows(source: Source, wanted: Wanted, last: int, *, follow: bool) -> Iterator[Row]:
    fitting = (row for row in source.newest() if wanted.fits(row))
    yield from reversed(list(islice(fitting, last)))
    if follow:
        yield from (row for row in source.coming() if wanted.fits(row))


def _source(given: Namespace, admin_url: str) -> Source:
    """Raises `NoRecords`."""
    if given.file == "-":
        return Pipe(sys.stdin.buffer)
    if given.file is not None:
        return RecordFile(Path(given.file))
    return AdminPort(given.url or admin_url, _say_lost, lambda: time.sleep(RETRY_S))


def _say_lost(why: str) -> None:
    print(ink_of(sys.stderr, {}).line(f"pointsman: {why}; asked again in {RETRY_S:g} s"), file=sys.stderr)
