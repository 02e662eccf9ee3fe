"""What the learned classifier costs a prompt: `python -m loadtest.bench.judging`, a process of its own.

Every prompt is new to it, so that its memory of prompts helps nobody; it says of each what a request may ask: task and
score. Prints the milliseconds of CPU time of each prompt as JSON.
"""

import sys
from collections.abc import Iterator
from importlib.resources import files
from itertools import islice
from random import Random
from time import process_time

import orjson

from gateway.learned.judges import Judges, unpack_judges
from loadtest.bench.workloads import vocabulary

PROMPT_BYTES = 2000
_WARM, _PROMPTS = 50, 1000
_SEED = 1


def prompts(size_bytes: int) -> Iterator[str]:
    """Texts of exactly that many bytes, each a new shuffle of the bench's own words."""
    dice, words = Random(_SEED), vocabulary()
    while True:
        text = ""
        while len(text) < size_bytes:
            text = f"{text} {dice.choice(words)}".lstrip()
        yield text[:size_bytes]


def times_ms(judges: Judges, count: int) -> list[float]:
    """CPU time of the whole process for each of `count` prompts, after a few that warm it up."""
    found = []
    for prompt in islice(prompts(PROMPT_BYTES), _WARM + count):
        began_s = process_time()
        judges.task(prompt)
        judges.judge(prompt, 0)
        found.append((process_time() - began_s) * 1e3)
    return found[_WARM:]


def main() -> None:
    judges = unpack_judges(files("gateway").joinpath("data", "learned.bin").read_bytes())
    sys.stdout.buffer.write(orjson.dumps(times_ms(judges, _PROMPTS)))


if __name__ == "__main__":
    main()
