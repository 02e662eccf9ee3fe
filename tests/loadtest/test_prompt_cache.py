from loadtest.prompt_cache import BLOCK_TOKENS, PromptCache

LONG = "word " * (BLOCK_TOKENS * 2)


def test_knows_a_prefix_from_the_second_time_on() -> None:
    cache = PromptCache()
    assert [cache.look_up("m", LONG + "one"), cache.look_up("m", LONG + "two")] == [0, BLOCK_TOKENS * 2]


def test_shares_nothing_between_models_or_after_a_difference() -> None:
    cache = PromptCache()
    cache.look_up("m", LONG)
    assert [cache.look_up("other", LONG), cache.look_up("m", "new " + LONG)] == [0, 0]


def test_ignores_what_is_shorter_than_a_block() -> None:
    cache = PromptCache()
    assert [cache.look_up("m", "short"), cache.look_up("m", "short")] == [0, 0]
