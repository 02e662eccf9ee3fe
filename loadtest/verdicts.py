"""A simulated model as judge of two answers: it knows how the monitor asks, and the sign of a poor answer.

Pure. Blind as it should be: it reads nothing but the two answers.
"""

import re

from loadtest.answers import DOUBT

_ANSWERS = re.compile(
    r"<<(?P<mark>[0-9a-f]+) FIRST ANSWER>>\n(?P<first>.*)\n<<(?P=mark) END OF FIRST ANSWER>>\s+"
    r"<<(?P=mark) SECOND ANSWER>>\n(?P<second>.*)\n<<(?P=mark) END OF SECOND ANSWER>>",
    re.DOTALL,
)
_WORDS = {(True, True): "tie", (True, False): "first", (False, True): "second", (False, False): "both_bad"}


def verdict(question: str) -> str | None:
    """What the judge writes; None where it is not asked to judge."""
    found = _ANSWERS.search(question)
    if found is None:
        return None
    good = (not found["first"].startswith(DOUBT), not found["second"].startswith(DOUBT))
    return f'{{"verdict": "{_WORDS[good]}"}}'
