"""`pointsman top`: a running gateway at a glance, again each second; one snapshot where nobody watches a terminal."""

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict

from gateway.cli.ink import ENDLESS, Ink, ink_of, stdout_ink
from gateway.cli.local_http import Unreachable, get
from gateway.cli.output import print_json
from gateway.cli.screen import Screen
from gateway.cli.top_view import History, Look, View, lines

EVERY_S = 1.0
ANSWER_WITHIN_S = 2.0  # a gateway that is slow must not keep `q` waiting for long
_QUIT = frozenset("qQ\x04")  # Ctrl-C is a signal


def top(given: Namespace, admin_url: str) -> int:
    """Until `q`; at once where standard output is no terminal. Raises `Unreachable`."""
    url = (given.url or admin_url).rstrip("/")
    history = History()
    seen = history.add(_look(url))
    if given.as_json or not sys.stdout.isatty():
        time.sleep(EVERY_S)  # rates need two looks
        seen = history.add(_look(url))
        if given.as_json:
            print_json({"gateway": url, **asdict(seen)})
        else:
            for line in lines(seen, url, stdout_ink(), ENDLESS):
                print(line)
        return 0
    with Screen() as screen:
        return _watch(screen, url, seen, lambda: history.add(_look(url)))


def _watch(screen: Screen, url: str, seen: View, look: Callable[[], View]) -> int:
    trouble = ""
    due_s = time.monotonic() + EVERY_S
    while True:
        _draw(screen, url, seen, trouble)
        key = screen.key(due_s - time.monotonic())
        if _QUIT.intersection(key[:1]):
            return 0
        if time.monotonic() >= due_s:
            try:
                seen, trouble = look(), ""
            except Unreachable as error:
                trouble = str(error)
            due_s = time.monotonic() + EVERY_S


def _draw(screen: Screen, url: str, seen: View, trouble: str) -> None:
    size = screen.size()
    ink = Ink(size.columns, ink_of(sys.stdout, os.environ).coloured)
    shown = lines(seen, url, ink, size.lines - 1)
    screen.draw([*shown, ink.line(f"{trouble}; what stands here is old" if trouble else "q quits")])


def _look(url: str) -> Look:
    """Raises `Unreachable`."""
    reply = get(f"{url}/api/overview", ANSWER_WITHIN_S)
    told = reply.json()
    if reply.status != 200 or not isinstance(told, dict):
        raise Unreachable(f"{url} tells no overview (status {reply.status}); is this a gateway's admin port?")
    return Look(time.monotonic(), told)
