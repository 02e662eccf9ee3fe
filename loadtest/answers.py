"""What the simulated models say: a readable sentence or two that does the task as far as arithmetic and scissors can.

Every answer names the vendor and model it came from, so that a person who reads it sees where the gateway sent
the request; unless it is to be judged blindly.
"""

import re
from collections.abc import Callable
from fractions import Fraction

DOUBT = "I am not sure that"  # begins every poor answer, and no other

_COUNT = re.compile(r"\bcount (?:up )?to (\d{1,4})\b", re.IGNORECASE)
_SUM = re.compile(r"(-?\d{1,12}(?:\.\d{1,6})?)\s*([-+*/x×÷]|plus|minus|times|divided by)\s*(-?\d{1,12}(?:\.\d{1,6})?)")
_FACTS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d{4}-\d{2}-\d{2}|[$€£]\s?\d+(?:[.,]\d+)*|\b\d+(?:[.,]\d+)*\b")
_QUESTION = re.compile(r"^\s*(who|what|when|where|which|how many)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“«'](.+?)[\"”»']")
_POSITIVE = re.compile(r"\b(love|great|good|excellent|happy|thanks|perfect|fast)\b", re.IGNORECASE)
_NEGATIVE = re.compile(r"\b(hate|bad|terrible|broken|slow|angry|late|refund|never)\b", re.IGNORECASE)


def compose(prompt: str, speaker: str) -> str:
    """The answer to `prompt`, signed by `speaker` ("model at vendor")."""
    return f"{_body(prompt)}\n— {speaker}"


def unsigned(prompt: str) -> str:
    """The answer to `prompt` as one who must not know whose it is may read it."""
    return _body(prompt)


def poor(prompt: str) -> str:
    """What a model says that the prompt is too much for."""
    return f"{DOUBT} I understood this. It may be about {_words(_material(prompt), 4)}, or about something else."


def thoughts(prompt: str) -> str:
    """What a reasoning model thinks before it answers."""
    return f"The request is about {_words(prompt, 8)!r}. I will check what is given, work it out, and answer briefly."


def after_tools(results: str, speaker: str) -> str:
    """The answer to a conversation whose last message is a tool's result."""
    return f"The tool says: {_words(results, 40)}.\n— {speaker}"


def _body(prompt: str) -> str:
    if counted := _COUNT.search(prompt):
        return " ".join(str(number) for number in range(1, int(counted[1]) + 1))
    for pattern, reply in _TASKS:
        if pattern.search(prompt):
            return reply(prompt)
    if reckoned := _SUM.search(prompt):
        return _reckon(*reckoned.groups())
    if _QUESTION.search(prompt):
        return _fact(prompt)
    return f"You said: {_words(prompt, 20)}. I am a simulated model, so that is all I can add."


def _reckon(left: str, sign: str, right: str) -> str:
    a, b = Fraction(left), Fraction(right)
    match sign:
        case "+" | "plus":
            result = a + b
        case "-" | "minus":
            result = a - b
        case "*" | "x" | "×" | "times":
            result = a * b
        case _ if b == 0:
            return f"{left} {sign} {right} has no answer: nothing can be divided by zero."
        case _:
            result = a / b
    shown = str(result.numerator) if result.denominator == 1 else f"{float(result):.6g}"
    return f"{left} {sign} {right} = {shown}."


def _words(text: str, limit: int) -> str:
    words = text.split(maxsplit=limit)
    return " ".join(words[:limit]).rstrip(".,;:!?") + ("…" if len(words) > limit else "")


def _material(prompt: str) -> str:
    """What stands after the instruction's colon, or the whole."""
    head, colon, rest = prompt.partition(":")
    return rest.strip() if colon and rest.strip() else head


def _summary(prompt: str) -> str:
    return f"In short: {_words(_material(prompt), 18)}."


def _translation(prompt: str) -> str:
    quoted = _QUOTED.search(prompt)
    text = quoted[1] if quoted else _material(prompt)
    return f"As a simulated translator I can only mark the text: «{_words(text, 30)}»."


def _classification(prompt: str) -> str:
    text = _material(prompt)
    positive, negative = len(_POSITIVE.findall(text)), len(_NEGATIVE.findall(text))
    label = "positive" if positive > negative else "negative" if negative > positive else "neutral"
    return f"Label: {label}."


def _extraction(prompt: str) -> str:
    found = list(dict.fromkeys(_FACTS.findall(_material(prompt))))
    return f"Found: {', '.join(found[:20])}." if found else "Found: nothing that looks like a fact."


def _code(prompt: str) -> str:
    return f'Here is a start:\n```python\ndef solve(value):\n    """{_words(prompt, 10)}"""\n    return value\n```'


def _email(prompt: str) -> str:
    return f"Subject: {_words(prompt, 6)}\n\nHello,\n\nthis is about: {_words(prompt, 16)}.\n\nKind regards"


def _poem(prompt: str) -> str:
    return f"Of {_words(prompt, 6)} the wires sing,\nand tokens, one by one, take wing."


def _reasoning(prompt: str) -> str:
    return f"Step 1: what is given is {_words(prompt, 14)}. Step 2: nothing contradicts it. So it follows as stated."


def _fact(prompt: str) -> str:
    return f"You ask: {_words(prompt, 14)}? A real model would know; a simulated one only knows that it was asked."


_TASKS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reply)
    for pattern, reply in (
        (r"\b(summar|tl;?dr|in short)", _summary),
        (r"\btranslat", _translation),
        (r"\b(classif|sentiment|label)", _classification),
        (r"\b(extract|list all)", _extraction),
        (r"\b(e-?mail|letter)\b", _email),
        (r"\b(function|code|python|sql|refactor|unit test|bug)\b", _code),
        (r"\b(poem|story|slogan|lyrics)\b", _poem),
        (r"\b(step by step|prove|deduce|puzzle|why)\b", _reasoning),
    )
)
