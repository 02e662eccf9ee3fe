"""Words as points, by a table distilled from a small sentence encoder: prompts of like meaning lie near each other."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from gateway.learned.features import Floats

STEM_CHARS = 4  # a word that is not in the table stands where its longest known beginning of so many letters does
REMEMBERED = 50_000  # unknown words, so that a look-up is paid once


class WordTable:
    """Immutable but for its memory of unknown words."""

    def __init__(self, words: Sequence[str], points: Floats) -> None:
        """`points`: one row per word."""
        self._points = points
        self._rows = {word: row for row, word in enumerate(words)}
        self._unknown: dict[str, int] = {}
        self.dimensions = int(points.shape[1])

    @classmethod
    def read(cls, data: bytes) -> "WordTable":
        """From an .npz of `words` (one text, a word per line), `q` (int8 rows) and `scale` (one factor per row)."""
        with np.load(BytesIO(data)) as held:
            points = held["q"].astype(np.float32) * held["scale"].astype(np.float32)[:, None]
            return cls(str(held["words"]).split("\n"), points)

    def point(self, words: Sequence[str]) -> Floats:
        """Where a text lies: the sum of its words, of length 1; zeros where none is known."""
        rows = [row for row in map(self._row, words) if row >= 0]
        if not rows:
            return np.zeros(self.dimensions, np.float32)
        total: Floats = self._points[rows].sum(0)
        return total / np.float32(np.linalg.norm(total) + 1e-9)

    def _row(self, word: str) -> int:
        row = self._rows.get(word)
        if row is None:
            row = self._unknown.get(word)
        if row is None:
            row = self._by_stem(word)
            if len(self._unknown) < REMEMBERED:
                self._unknown[word] = row
        return row

    def _by_stem(self, word: str) -> int:
        for length in range(len(word) - 1, STEM_CHARS - 1, -1):
            row = self._rows.get(word[:length])
            if row is not None:
                return row
        return -1
