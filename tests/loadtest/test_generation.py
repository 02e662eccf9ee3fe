from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loadtest import tokens
from loadtest.asks import TURN_TOKENS, Ask, Tool, Tools, Turn
from loadtest.billing import Tokens
from loadtest.generation import Answer, generate
from loadtest.prompt_cache import BLOCK_TOKENS, PromptCache
from loadtest.vendors import Model, PriceList

MODEL = Model("m", PriceList(Decimal(1), Decimal(2)), max_output=1_000)
WRITING = Model("w", PriceList(Decimal(1), Decimal(2), Decimal("0.1"), Decimal("1.25")))
WEATHER = Tool("get_weather", {"type": "object", "properties": {"city": {"type": "string"}}})
CLOCK = Tool("get_time", {"type": "object", "properties": {}})


def ask(question: str, **changes: object) -> Ask:
    return replace(Ask(MODEL, (Turn("user", question),)), **changes)  # type: ignore[arg-type]  # tests change any field


def answer(question: str, **changes: object) -> Answer:
    return generate(ask(question, **changes), "m at v", PromptCache())


def called(found: Answer) -> list[tuple[str, str]]:
    return [(call.name, "".join(call.arguments)) for call in found.calls]


def test_counts_what_it_was_sent_and_what_it_says() -> None:
    text = "You said: Hi. I am a simulated model, so that is all I can add.\n— m at v"
    pieces = tuple(tokens.pieces(text))
    assert answer("Hi") == Answer(Tokens(input=1 + TURN_TOKENS, output=len(pieces)), "stop", text=pieces)


def test_stops_at_the_limit() -> None:
    found = answer("Hi", max_tokens=3)
    assert (found.text, found.finish, found.usage.output) == (("You", " said", ":"), "length", 3)


def test_stops_before_the_earliest_stop_sequence() -> None:
    found = answer("Count to 9", stop=("7", "4"))
    assert ("".join(found.text), found.finish, found.stop_sequence) == ("1 2 3 ", "stop_sequence", "4")


def test_thinks_within_the_limit() -> None:
    found = answer("Hi", reasons=True, max_tokens=5)
    assert (len(found.thoughts), found.text, found.usage.reasoning, found.finish) == (5, (), 5, "length")


def test_calls_the_tool_that_the_prompt_names() -> None:
    found = answer("Use get_weather for Paris", tools=Tools((CLOCK, WEATHER)))
    assert (called(found), found.finish) == ([("get_weather", '{"city": "Paris"}')], "tool_calls")


def test_calls_any_tool_where_it_must_and_none_where_it_may_not() -> None:
    assert called(answer("Hi", tools=Tools((CLOCK,), "required"))) == [("get_time", "{}")]
    assert called(answer("Hi", tools=Tools((CLOCK, WEATHER), "named:get_weather")))[0][0] == "get_weather"
    assert called(answer("Use get_time", tools=Tools((CLOCK,), "none"))) == []
    assert called(answer("Hi", tools=Tools((CLOCK,)))) == []


def test_calls_several_tools_when_asked_and_allowed() -> None:
    prompt = "Call get weather in parallel for Paris and Oslo"
    assert called(answer(prompt, tools=Tools((WEATHER,)))) == [
        ("get_weather", '{"city": "Paris"}'),
        ("get_weather", '{"city": "Oslo"}'),
    ]
    assert len(called(answer(prompt, tools=Tools((WEATHER,), parallel=False)))) == 1


def test_answers_in_words_once_the_tool_has_spoken() -> None:
    turns = (Turn("user", "Use get_time"), Turn("tool", "It is noon."))
    found = answer("", turns=turns, tools=Tools((CLOCK,)))
    assert "".join(found.text).startswith("The tool says: It is noon.")


def test_reports_repeated_prefixes_as_cached_where_they_are_cheaper() -> None:
    cache = PromptCache()
    long = ask("word " * BLOCK_TOKENS, model=Model("c", PriceList(Decimal(1), Decimal(2), Decimal("0.5"))))
    assert [generate(long, "", cache).usage.cached for _ in range(2)] == [0, BLOCK_TOKENS]


def test_writes_to_the_cache_only_what_is_marked() -> None:
    cache = PromptCache()
    marked = ask("word " * BLOCK_TOKENS, model=WRITING, marked_turns=1)
    seen = [generate(one, "", cache).usage for one in (replace(marked, marked_turns=None), marked, marked)]
    assert [(usage.cached, usage.cache_write) for usage in seen] == [(0, 0), (0, BLOCK_TOKENS), (BLOCK_TOKENS, 0)]


@given(st.text(max_size=60), st.integers(1, 40), st.booleans(), st.sampled_from(["auto", "required", "none"]))
def test_never_says_more_than_the_limit(question: str, limit: int, reasons: bool, choice: str) -> None:
    found = answer(question, max_tokens=limit, reasons=reasons, tools=Tools((WEATHER, CLOCK), choice))
    assert found.usage.output <= limit
