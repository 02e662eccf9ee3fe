"""The terminal as a whole screen, given back as it was however the command ends.

Owns modes, escape sequences and signals: Ctrl-C and SIGTERM end it, Ctrl-Z lends the terminal to the shell, a new size
wakes whoever waits for a key. What stands on the screen is somebody else's business.
"""

import os
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

# xterm's control sequences, which every terminal in use knows
_ENTER = "\x1b[?1049h\x1b[?25l"  # the alternate screen, without a cursor
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"


class Screen:
    """Use with `with`. Standard input is read for keys where it is a terminal."""

    def __init__(self) -> None:
        self._out = sys.stdout
        self._keys: int | None = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._modes: list[Any] | None = None
        self._woken, self._wake = socket.socketpair()
        self._handlers: dict[int, Any] = {}
        # What a signal asks for is done between two writes, never in the midst of one. It is not lost either, as an
        # exception of its handler would be that is raised while some object is being destroyed.
        self._lending = False
        self._ending: BaseException | None = None

    def __enter__(self) -> Self:
        for end in (self._woken, self._wake):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._handle(signal.SIGINT, lambda *_: self._end(KeyboardInterrupt()))
        self._handle(signal.SIGTERM, lambda *_: self._end(SystemExit(143)))
        self._handle(signal.SIGTSTP, self._ask_to_lend)
        self._handle(signal.SIGWINCH, _nothing)
        self._take()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._give_back()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for end in (self._woken, self._wake):
            end.close()

    def size(self) -> os.terminal_size:
        return os.get_terminal_size(self._out.fileno())

    def draw(self, lines: Sequence[str]) -> None:
        """Put the lines there in one write, so that nothing flickers."""
        text = "\r\n".join(f"{line}{_END_OF_LINE}" for line in lines)
        self._out.write(f"{_HOME}{text}{_END_OF_SCREEN}")
        self._out.flush()

    def key(self, within_s: float) -> str:
        """The key pressed within so many seconds; "" where none was, or where the size changed before.

        Raises:
            KeyboardInterrupt, SystemExit: a signal has asked for the end.
        """
        watched: list[int] = [self._woken.fileno()]
        if self._keys is not None:
            watched.append(self._keys)
        ready, _, _ = select.select(watched, [], [], max(0.0, within_s))
        if self._woken.fileno() in ready:
            self._woken.recv(4096)
        if self._ending is not None:
            raise self._ending
        if self._lending:
            self._lend()
        if self._keys not in ready or self._keys is None:
            return ""
        pressed = os.read(self._keys, 64)
        return pressed.decode("latin-1") or "q"  # nothing: the terminal is gone

    def _handle(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._handlers[number] = signal.signal(number, handler)

    def _take(self) -> None:
        if self._keys is not None:
            self._modes = termios.tcgetattr(self._keys)
            tty.setcbreak(self._keys)
        self._out.write(_ENTER)
        self._out.flush()

    def _give_back(self) -> None:
        if self._keys is not None and self._modes is not None:
            termios.tcsetattr(self._keys, termios.TCSADRAIN, self._modes)
        self._out.write(_LEAVE)
        self._out.flush()

    def _end(self, way: BaseException) -> None:
        self._ending = way

    def _ask_to_lend(self, _number: int, _frame: FrameType | None) -> None:
        self._lending = True

    def _lend(self) -> None:
        """Until the shell lets us go on."""
        self._lending = False
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor tells."""
