"""Whether an expression from the configuration may be searched in strangers' text.

Owns an upper bound for how an expression can backtrack, read from its text alone. Python's engine cannot be given a
time limit, so an expression whose worst case explodes is refused when the configuration is read, with words that say
what to write instead.

The bound counts the ways in which the expression can match at one position: a repeat of one character has as many as
it can have lengths, a sequence multiplies, alternatives add, and a repeat of a group that itself has several ways is
their power, which without a bound is infinite: `(a+)+`, `(a|b)*`. Possessive repeats and atomic groups have one way.
"""

import re
from dataclasses import dataclass
from math import inf

MAX_CHARS = 1_100  # what the classifier's clip leaves of a prompt
MAX_WAYS = 50_000  # times 1,100 starting points: some 0.1 s at the very worst

_REPEAT = re.compile(r"(\*|\+|\?|\{(\d*)(,?)(\d*)\})([+?]?)")
_GROUP_START = re.compile(r"\((\?P<\w+>|\?[aiLmsux-]*:|\?[aiLmsux-]+\)|\?<?[=!]|\?>|\?P=\w+\)|\?#[^)]*\)|\?\(\w+\))?")
_VERBOSE = re.compile(r"\(\?[aiLmsu]*x")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)


def check_user_regex(pattern: str) -> str | None:
    """Why the expression is refused, in words for its author; None when it may be used."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"not a valid regular expression: {error}"
    if _VERBOSE.search(pattern):
        return "the flag x (verbose) is not supported here: write the expression without spaces and comments"
    ways = _Reader(pattern).alternatives()
    if ways == inf:
        return "an open repeat of something that repeats or branches can take forever: bound it, e.g. (?:…){1,5}"
    if ways > MAX_WAYS:
        return "too many open repeats: bound them, e.g. .{0,60} for .*, or make them possessive, e.g. \\s++"
    return None


@dataclass(slots=True)
class _Reader:
    """Reads a pattern that is known to compile, once from left to right."""

    pattern: str
    at: int = 0

    def alternatives(self) -> float:
        """The ways of everything up to the closing parenthesis or the end."""
        total, branch = 0.0, 1.0
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                total, branch = total + branch, 1.0
            else:
                item = self._item()
                branch *= self._repeated(item)
        return total + branch

    def _item(self) -> float:
        """The ways of one character, class, escape or group; moves behind it."""
        group = _GROUP_START.match(self.pattern, self.at)
        if group is None:
            one = _CLASS.match(self.pattern, self.at) or _ESCAPE.match(self.pattern, self.at)
            self.at = one.end() if one else self.at + 1
            return 1.0
        self.at = group.end()
        opening = group.group()
        if opening.endswith(")") and not opening.startswith("(?("):
            return 1.0  # flags, a comment or a reference: closed already
        ways = self.alternatives()
        self.at += 1
        return 1.0 if opening == "(?>" and ways < inf else ways

    def _repeated(self, item: float) -> float:
        repeat = _REPEAT.match(self.pattern, self.at)
        if repeat is None:
            return item
        self.at = repeat.end()
        least, most = _bounds(repeat)
        if repeat[5] == "+":
            return 1.0 if item < MAX_WAYS else item
        if item > 1:
            return inf if most > MAX_CHARS else min(inf, item**most) * (most - least + 1)
        return min(most, MAX_CHARS) - least + 1


def _bounds(repeat: re.Match[str]) -> tuple[int, float]:
    signs = {"*": (0, inf), "+": (1, inf), "?": (0, 1)}
    if repeat[1] in signs:
        return signs[repeat[1]]
    least = int(repeat[2] or 0)
    if not repeat[3]:
        return least, least
    return least, int(repeat[4]) if repeat[4] else inf
