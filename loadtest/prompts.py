"""What the load asks: a few readable prompts for each of the eleven tasks, drawn by a seeded generator."""

from collections.abc import Mapping, Sequence
from random import Random

PROMPTS: Mapping[str, Sequence[str]] = {
    "code": (
        "Write a Python function that merges two sorted lists, with a unit test.",
        "Refactor this SQL query so that it uses a join: select * from a where id in (select a_id from b)",
        "Why does this code raise an IndexError? def last(items): return items[len(items)]",
    ),
    "math": (
        "What is 1234 * 567? Show the result only.",
        "Calculate 98765 - 4321 and check the result.",
        "Solve for the total: 19 plus 23, then give the sum.",
    ),
    "reasoning": (
        "Think step by step: if all bloops are razzies and all razzies are lazzies, are all bloops lazzies?",
        "A puzzle: three boxes are all labelled wrongly. Deduce which one to open first, and why.",
    ),
    "creative": (
        "Write a short poem about a lighthouse keeper who is afraid of the sea.",
        "Write a story of four sentences about a robot that learns to whistle.",
    ),
    "summarization": (
        "Summarize: The committee met on Tuesday, argued about the budget for three hours, and agreed to meet again.",
        "Give me a summary of this text: Rivers carry sediment to the sea, where it settles and turns to stone.",
    ),
    "classification": (
        "Classify the sentiment as positive, negative or neutral: The delivery was late and the box was broken.",
        "Label this review: I love how fast this phone is, great battery!",
    ),
    "extraction": (
        "Extract all dates and amounts: Invoice of 2026-03-01 over $120.50, due 2026-04-01.",
        "List all numbers in this text: 3 apples, 14 pears and 159 plums.",
    ),
    "translation": (
        'Translate into French: "The train leaves at nine."',
        'Translate to German: "Where is the next pharmacy?"',
    ),
    "factual": (
        "Who wrote the novel Middlemarch?",
        "What is the capital of Mongolia?",
    ),
    "email": (
        "Write an email to my landlord about the broken heating.",
        "Draft a polite email that moves our meeting to Thursday.",
    ),
    "chat": (
        "Hi! How are you today?",
        "I had pancakes for breakfast and they were wonderful.",
    ),
}

TASKS = tuple(PROMPTS)

# About 9 seconds at the cheapest vendor's 40 tokens a second: long enough to be interrupted.
LONG_ANSWER = "Please count to 350."


def draw(task: str, dice: Random) -> str:
    """One of the task's prompts."""
    return dice.choice(PROMPTS[task])
