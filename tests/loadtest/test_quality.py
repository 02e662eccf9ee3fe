"""Who answers what well: drawn from model and prompt, by the first rule that fits."""

import aiohttp
import pytest

from loadtest import answers
from loadtest.control import RunningVendor
from loadtest.quality import FLAWLESS, Quality, Rule, as_json, quality_from

PROMPTS = [f"Summarize: order {number} is late." for number in range(1000)]


def share(quality: Quality, model: str, prompts: list[str]) -> float:
    return sum(quality.does_well(model, prompt) for prompt in prompts) / len(prompts)


def test_does_everything_well_without_rules() -> None:
    assert share(FLAWLESS, "open-8b", PROMPTS) == 1.0


def test_does_a_share_of_the_prompts_well_and_the_same_ones_every_time() -> None:
    quality = Quality((Rule(0.7, "open-8b", ("Summarize",)),))
    assert share(quality, "open-8b", PROMPTS) == pytest.approx(0.7, abs=0.04)
    assert [quality.does_well("open-8b", prompt) for prompt in PROMPTS[:50]] == [
        quality.does_well("open-8b", prompt) for prompt in PROMPTS[:50]
    ]


def test_takes_answers_away_where_the_share_falls_and_gives_none_back() -> None:
    before, after = Quality((Rule(0.7),)), Quality((Rule(0.3),))
    assert not any(after.does_well("m", prompt) and not before.does_well("m", prompt) for prompt in PROMPTS)


def test_goes_by_the_first_rule_that_fits_model_and_all_texts() -> None:
    quality = Quality((Rule(0.0, "a", ("Summarize", "order 7 ")), Rule(1.0, "a"), Rule(0.0)))
    asked = [("a", PROMPTS[7]), ("a", PROMPTS[8]), ("b", PROMPTS[8])]
    assert [quality.does_well(model, prompt) for model, prompt in asked] == [False, True, False]


def test_reads_the_rules_that_it_writes() -> None:
    rules = (Rule(0.5, "m", ("a", "b")), Rule(1.0))
    assert quality_from(as_json(rules)) == Quality(rules)


@pytest.mark.parametrize("row", [{"good": 2}, {"good": True}, {"good": "1"}, {"model": "m"}, {"good": 1, "task": "x"}])
def test_refuses_a_rule_that_says_nothing(row: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        quality_from([row])


async def ask(http: aiohttp.ClientSession, vendor: RunningVendor, prompt: str) -> str:
    body = {"model": "open-8b", "messages": [{"role": "user", "content": prompt}]}
    async with http.post(f"{vendor.base_url}/chat/completions", json=body) as answer:
        return str((await answer.json())["choices"][0]["message"]["content"])


async def set_rules(http: aiohttp.ClientSession, vendor: RunningVendor, rules: object) -> int:
    async with http.post(f"{vendor.control_url}/_control/quality", json={"rules": rules}) as answer:
        return answer.status


async def test_answers_badly_by_order_until_it_is_reset(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    prompt = "Summarize: the train is late."
    signed = await ask(http, fast, prompt)
    assert await set_rules(http, fast, [{"good": 0.0, "contains": ["Summarize"]}]) == 200
    poor, unsigned = await ask(http, fast, prompt), await ask(http, fast, "What is 3 + 4?")
    assert signed == "In short: the train is late.\n— open-8b at sim-fast"
    assert poor == answers.poor(prompt)
    assert poor.startswith(answers.DOUBT)
    assert unsigned == "3 + 4 = 7."
    await fast.reset()
    assert await ask(http, fast, prompt) == signed


async def test_explains_rules_that_it_cannot_read(http: aiohttp.ClientSession, fast: RunningVendor) -> None:
    assert [await set_rules(http, fast, rules) for rules in ([{"good": 7}], 3)] == [400, 400]
