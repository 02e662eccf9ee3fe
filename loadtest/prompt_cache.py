"""A vendor's prompt cache: which prompt prefixes it has seen, so that repeated ones are reported (and billed) as
cached.

Prefixes count in whole blocks, like real vendors' caches, but from a smaller size on: OpenAI's and Anthropic's
begin at 1,024 tokens, which no short demo reaches.
"""

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

from loadtest.tokens import pieces

BLOCK_TOKENS = 64
_MAX_BLOCKS = 20_000  # oldest out first; about 2 MB


class PromptCache:
    """Prefixes of one vendor's prompts, per model."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()

    def look_up(self, model_id: str, prompt: str) -> int:
        """Tokens of the longest prefix of `prompt` seen before; the whole of it is remembered for the next time."""
        cached = 0
        unbroken = True
        for prefix in _prefixes(model_id, prompt):
            unbroken = unbroken and prefix in self._seen
            cached += BLOCK_TOKENS if unbroken else 0
            self._seen[prefix] = None
            self._seen.move_to_end(prefix)
        while len(self._seen) > _MAX_BLOCKS:
            self._seen.popitem(last=False)
        return cached


def _prefixes(model_id: str, prompt: str) -> Iterator[int]:
    """A rolling hash after each whole block of the prompt."""
    tokens = iter(pieces(prompt))
    rolling = hash(model_id)
    while len(block := tuple(islice(tokens, BLOCK_TOKENS))) == BLOCK_TOKENS:
        rolling = hash((rolling, block))
        yield rolling
