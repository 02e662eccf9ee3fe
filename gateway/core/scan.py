"""Whether a text holds personal data or secrets, and where.

Owns the order of the detectors, their cheap prefilters, and the undoing of simple disguises (full-width or foreign
digits, invisible characters, odd dashes). `scan_numbers` and `scan_secrets` own what each kind looks like. Refuses to
know requests and labels: what a finding means for a request is the sensitivity rules' business.

Every text is read whole. The time is linear in its length: patterns repeat within bounds or possessively, and the
only costly check (phone numbers) is capped per text. Not seen: data spelled out in words ("name at example dot com"),
numbers split over lines or held in images, and base64.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from gateway.core.findings import Detector, DetectorGroup, Finding, FindingKind

_ESCAPE = re.compile(r"\\u00([2-7][0-9A-Fa-f])")  # of a printable ASCII character


@dataclass(frozen=True, slots=True)
class Disguises:
    """Characters that stand for an ASCII one, or for nothing at all, and two quick tests whether a text has any."""

    near: re.Pattern[str]  # exact, in the basic plane
    far: re.Pattern[str]  # anything beyond it: mathematical letters, but emoji too
    plain: dict[int, str | None]


class Scanner:
    """Compiled detectors. Immutable; build it once, and only where some label says `detect`."""

    __slots__ = ("_disguises", "_groups")

    def __init__(self, groups: tuple[DetectorGroup, ...], disguises: Disguises) -> None:
        self._groups = groups
        self._disguises = disguises

    @classmethod
    def compile(cls) -> "Scanner":
        """Load the validators' tables and build the detectors: about 0.1 s and 12 MiB, hence here and not at import."""
        from gateway.core.scan_numbers import number_detectors
        from gateway.core.scan_secrets import secret_detectors

        return cls((*secret_detectors(), *number_detectors()), _disguises())

    def plain(self, text: str) -> str:
        """The text without disguises; this is what is searched.

        JSON within a text (arguments of a tool call) may spell any character as an escape: that is undone, too.
        """
        if "\\u00" in text:
            text = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), text)
        disguises = self._disguises
        if text.isascii() or not (disguises.near.search(text) or disguises.far.search(text)):
            return text
        return text.translate(disguises.plain)

    def scan(self, text: str) -> tuple[Finding, ...]:
        """All findings, by position. A phone number that is part of another finding is not told again."""
        plain = self.plain(text)
        found = [finding for detector in self._worthwhile(plain) for finding in detector(plain)]
        solid = [finding for finding in found if finding.kind is not FindingKind.PHONE]
        phones = [finding for finding in found if finding.kind is FindingKind.PHONE]
        return tuple(sorted(solid + _apart(phones, solid), key=lambda finding: (finding.start, finding.end)))

    def find_first(self, texts: Iterable[str]) -> Finding | None:
        """Some finding if there is any: the fast answer to "is there anything"."""
        for text in texts:
            plain = self.plain(text)
            for detector in self._worthwhile(plain):
                for finding in detector(plain):
                    return finding
        return None

    def kinds(self, texts: Iterable[str]) -> frozenset[FindingKind]:
        """Which kinds occur; each detector stops at its first finding in a text."""
        found: set[FindingKind] = set()
        for text in texts:
            plain = self.plain(text)
            for detector in self._worthwhile(plain):
                found.update(finding.kind for finding in islice(detector(plain), 1))
        return frozenset(found)

    def _worthwhile(self, plain: str) -> Iterator[Detector]:
        for group in self._groups:
            if group.worth(plain):
                yield from group.detectors


PIECE_CHARS = 65_536
OVERLAP_CHARS = 2_304  # more than a detector ever needs to see: a token's header and the start of its claims


def pieces(text: str) -> Iterator[str]:
    """The text in overlapping pieces, so that a caller with a huge one can let others run in between.

    Whatever a detector finds in the whole is found in a piece. At a seam, part of a longer number may be taken for a
    whole one: one finding too many, never one too few.
    """
    for start in range(0, max(1, len(text) - OVERLAP_CHARS), PIECE_CHARS - OVERLAP_CHARS):
        yield text[start : start + PIECE_CHARS]


def _apart(phones: list[Finding], solid: list[Finding]) -> list[Finding]:
    """The phone numbers that overlap nothing else; both lists are walked once."""
    solid = sorted(solid, key=lambda finding: finding.end)
    kept: list[Finding] = []
    position = 0
    for phone in sorted(phones, key=lambda finding: finding.start):
        while position < len(solid) and solid[position].end <= phone.start:
            position += 1
        if position == len(solid) or all(other.start >= phone.end for other in solid[position : position + 2]):
            kept.append(phone)
    return kept


_BASIC_PLANE = 0xFFFF
_INVISIBLE = (
    *(0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF),  # soft hyphen, joiners, marks of direction, byte order mark
    *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0xFE00, 0xFE10)),
)
_DASHES = (*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0x30FC)
_SPACES = (0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # the ASCII characters from "!" on, in the same order
_MATHEMATICAL = range(0x1D400, 0x1D800)  # bold, italic, script ... letters and digits
_LAST_DIGIT = 0x1FBFA  # the last code point that is a decimal digit (Unicode 16)


def _disguises() -> Disguises:
    """The table of disguises.

    One character for one, by table, rather than NFKC: that reorders combining marks in quadratic time, which a prompt
    of a megabyte of them would make us pay.
    """
    plain: dict[int, str | None] = dict.fromkeys(_INVISIBLE)
    plain.update(dict.fromkeys(_DASHES, "-"))
    plain.update(dict.fromkeys(_SPACES, " "))
    plain.update({code: chr(code - 0xFF01 + ord("!")) for code in _FULL_WIDTH})
    for code in _MATHEMATICAL:
        letter = unicodedata.normalize("NFKC", chr(code))
        if letter.isascii():
            plain[code] = letter
    for code in range(0x80, _LAST_DIGIT):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            plain[code] = str(digit)
    near = "".join(f"\\u{code:04x}" for code in sorted(plain) if code <= _BASIC_PLANE)
    return Disguises(re.compile(f"[{near}]"), re.compile(f"[{chr(_BASIC_PLANE + 1)}-\U0001ffff]"), plain)
