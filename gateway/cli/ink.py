"""What a command prints on: how wide it is, and whether it takes colours.

The only file that writes escape sequences for text. Whatever comes from elsewhere (a client's model name, a provider's
message) goes through `plain` first, so that nobody can write such sequences into an operator's terminal.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO
from unicodedata import category, east_asian_width

ENDLESS = 1_000_000  # columns of a pipe: nothing is cut for programs
_WRITTEN_OUT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, format, half an emoji, line ends
_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


class Tone(StrEnum):
    """Numbers of ECMA-48's "select graphic rendition"; a terminal's own palette makes them light or dark."""

    STRONG = "1"
    FAINT = "2"
    BAD = "31"
    GOOD = "32"
    WARN = "33"
    NAME = "36"


@dataclass(frozen=True, slots=True)
class Ink:
    width: int = ENDLESS
    coloured: bool = False

    def __call__(self, text: str, tone: Tone | None) -> str:
        return f"\x1b[{tone.value}m{text}\x1b[0m" if self.coloured and tone is not None and text else text

    def line(self, text: str) -> str:
        """`text`, which may hold tones, cut to the width."""
        room = self.width
        if len(text) <= room or columns(_SEQUENCE.sub("", text)) <= room:
            return text
        kept, room = [], room - 1  # for the ellipsis
        for part in re.split(f"({_SEQUENCE.pattern})", text):
            if _SEQUENCE.fullmatch(part):
                kept.append(part)
                continue
            shown = head(part, room)
            kept.append(shown)
            room -= columns(shown)
            if shown != part:
                kept.append("…")
                break
        return "".join(kept) + ("\x1b[0m" if self.coloured else "")


def ink_of(stream: TextIO, environ: Mapping[str, str]) -> Ink:
    """What `stream` takes: on a terminal its width, and colours unless NO_COLOR (no-color.org) or TERM forbid them."""
    if not stream.isatty():
        return Ink()
    coloured = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Ink(shutil.get_terminal_size().columns, coloured)


def stdout_ink() -> Ink:
    return ink_of(sys.stdout, os.environ)


def plain(value: object) -> str:
    """Any value as one line of text that moves no cursor; what cannot be shown is written out."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{ord(c):04x}" if category(c) in _WRITTEN_OUT else c for c in text)


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def head(text: str, room: int) -> str:
    """As much of the text's beginning as `room` columns hold."""
    if text.isascii():
        return text[: max(0, room)]
    for at, character in enumerate(text):
        room -= _columns_of(character)
        if room < 0:
            return text[:at]
    return text


def ljust(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def rjust(text: str, width: int) -> str:
    return " " * (width - columns(text)) + text


def _columns_of(character: str) -> int:
    if category(character) in ("Mn", "Me"):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
