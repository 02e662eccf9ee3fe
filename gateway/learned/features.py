"""What the model sees of a prompt: hashed words and pairs of words, its looks, and its meaning by a table of words.

All of it comes from the clipped prompt (`core.classify.clip`'s lengths), so the time is bounded whatever its length.
Hashes are CRC-32, which is the same on every machine and version; a change of anything here needs new models.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gateway.core.classify import HEAD_CHARS, TAIL_CHARS

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]

BUCKETS = 1 << 16
_MASK = BUCKETS - 1
_TOKEN = re.compile(r"[a-z]+|\d+|[^\sa-z0-9]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_OPTION = re.compile(r"\n\s*\(?[A-J][).:]\s")
_OPERATOR = re.compile(r"[=+*/^<>]")
_ASKS = (
    re.compile(r"\b(?:def|class|function|import|return|int|void|select)\b"),
    re.compile(r"\b(?:write|compose|story|poem|essay|email|blog)\b"),
    re.compile(r"\b(?:prove|proof|derive|calculate|compute|solve|how many|how much|find the)\b"),
    re.compile(r"\b(?:translate|summari[sz]e|rewrite|paraphrase|extract|classify)\b"),
    re.compile(r"^\W*(?:who|when|where|which|what)\b"),
    re.compile(r"^\W*(?:how|why|explain|describe)\b"),
    re.compile(r"step by step|reason"),
    re.compile(r"statement [12i]|\bi and ii\b"),
    re.compile(r" not | except| false| least"),
)
LOOKS = 18 + len(_ASKS)


@dataclass(frozen=True, slots=True)
class Seen:
    """One prompt: `buckets` (ascending) with `counts` (1 + ln n), `looks` of `LOOKS` numbers, and its words."""

    buckets: Numbers
    counts: Floats
    looks: Floats
    words: Sequence[str]


def see(prompt: str) -> Seen:
    """All that is known of a prompt."""
    clipped = prompt
    if len(prompt) > HEAD_CHARS + TAIL_CHARS:
        clipped = f"{prompt[:HEAD_CHARS]} {prompt[-TAIL_CHARS:]}"
    lower = clipped.lower()
    words = _TOKEN.findall(lower)
    buckets, counts = _hashed(words)
    return Seen(buckets, counts, _looks(clipped, lower, len(prompt)), words)


def _hashed(words: Sequence[str]) -> tuple[Numbers, Floats]:
    raw = [word.encode("utf-8", "surrogatepass") for word in words]
    hashes = [crc32(word) & _MASK for word in raw]
    hashes += [crc32(second, crc32(first)) & _MASK for first, second in pairwise(raw)]
    buckets, counts = np.unique(np.fromiter(hashes, np.int64, len(hashes)), return_counts=True)
    return buckets, (1 + np.log(counts)).astype(np.float32)


def _looks(clipped: str, lower: str, chars: int) -> Floats:
    """Shares of kinds of characters, counts of what stands out, and what it begins with or asks for."""
    codes = np.frombuffer(clipped.encode("utf-32-le", "surrogatepass"), np.uint32)
    upper = int(((codes >= 65) & (codes <= 90)).sum())
    small = int(((codes >= 97) & (codes <= 122)).sum())
    digits = int(((codes >= 48) & (codes <= 57)).sum())
    foreign = int((codes > 127).sum())
    parts = clipped.split()
    length, count = len(clipped) or 1, len(parts) or 1
    values = [
        math.log1p(chars), math.log1p(count),
        (upper + small) / length, digits / length, upper / length, foreign / length,
        length / count, len(set(parts)) / count, clipped.count("\n") / count,
        min(clipped.count("?"), 5), "```" in clipped, clipped.count("$"), clipped.count("\\") / count,
        len(_NUMBER.findall(clipped)), len(_OPTION.findall(clipped)), len(_OPERATOR.findall(clipped)) / count,
        clipped.count(",") / count, clipped.count(".") / count,
    ]  # fmt: skip
    return np.array([*values, *(ask.search(lower) is not None for ask in _ASKS)], np.float32)
