"""Shell patterns (`kb-*`) as compiled expressions, matched whole and without regard to case."""

import re
from collections.abc import Iterable
from fnmatch import translate
from re import Pattern


def compiled_globs(texts: Iterable[str]) -> tuple[Pattern[str], ...]:
    """One expression per pattern. Linear: `translate` makes every `*` atomic."""
    return tuple(compiled_alternatives([text]) for text in texts)


def compiled_alternatives(texts: Iterable[str]) -> Pattern[str]:
    """One expression that fits what any of the patterns fits."""
    return re.compile("|".join(f"(?:{translate(text)})" for text in texts), re.IGNORECASE)
