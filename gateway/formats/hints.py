"""Which of a request's fields may be lost without changing what was asked: hints to the sampler or to bookkeeping.

Everything else that an endpoint cannot be told excludes it.
"""


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set: for long lists of names."""
    return frozenset(text.split())


HINTS = words(
    """logit_bias store metadata service_tier prompt_cache_key prompt_cache_retention safety_identifier verbosity
    min_p top_a repetition_penalty prediction context_management speed diagnostics cache_control
    prompt_cache_options tools[].defer_loading text.verbosity truncation max_tool_calls client_metadata
    input[].type=reasoning thinking.display content[].prompt_cache_breakpoint"""
)


def split(unplaced: frozenset[str]) -> tuple[set[str], set[str]]:
    """Fields and hints."""
    hints = set(unplaced & HINTS)
    return set(unplaced - hints), hints
