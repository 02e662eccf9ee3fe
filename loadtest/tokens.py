"""The simulated vendors' tokenizer: simple enough to recompute by hand.

A token is a run of at most eight word characters, or one other visible character; white space belongs to the
token after it. Eight keeps a megabyte of unbroken letters from counting as one token; real tokenizers give 3 to
5 characters each.
"""

import re

_PIECE = re.compile(r"\s*(?:\w{1,8}|[^\w\s])|\s+\Z")


def pieces(text: str) -> list[str]:
    """The tokens of `text` in order; joined they are `text` again."""
    return _PIECE.findall(text)


def count(text: str) -> int:
    """How many tokens `text` is."""
    return sum(1 for _ in _PIECE.finditer(text))
