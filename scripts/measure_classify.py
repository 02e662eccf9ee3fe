"""Print what the classifier and the scanner cost: CPU microseconds per call, minimum and median of 15 rounds.

Run from the repository: python scripts/measure_classify.py
"""

import resource
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time

from gateway.core.classify import Classifier
from gateway.core.scan import Scanner
from gateway.core.task_rules import DEFAULT_RULES

TASKS = (
    *("code", "math", "reasoning", "creative", "summarization", "classification"),
    *("extraction", "translation", "factual", "email", "chat"),
)
ROUNDS = 15
PROSE = (
    "Please write a short email to the team that explains why we compare the two options. The quarterly review showed "
    "that customers value speed, but most teams still measure averages instead of what people feel. What is the main "
    "reason, and how would you classify the tickets? If a function returns the sum of all orders, each week counts. "
)
NUMBERS = "In 2024 the 3 teams closed 1,250 tickets within 14 days, 12 % more than in 2023. "
PERSONAL = (
    "Write to anna.smith@example.com or +49 30 901820, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00. "
)
SIZES = (100, 1_000, 2_000, 100_000)


def of_size(text: str, size: int) -> str:
    return (text * (size // len(text) + 1))[:size]


def costs_us(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """Minimum and median CPU time of one call."""
    rounds = []
    for _ in range(ROUNDS):
        start = process_time()
        for _ in range(calls):
            call()
        rounds.append((process_time() - start) / calls * 1e6)
    return min(rounds), median(rounds)


def show(name: str, call: Callable[[], object], size: int) -> None:
    least, middle = costs_us(call, max(3, 400_000 // (size + 1_000)))
    print(f"{name:<44} {size:>7} B  min {least:>9.1f} µs  median {middle:>9.1f} µs")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    before = peak_mib()
    start = process_time()
    classifier = Classifier.compile(DEFAULT_RULES, TASKS)
    print(f"Classifier.compile: {(process_time() - start) * 1e3:.0f} ms, {peak_mib() - before:.1f} MiB")
    before = peak_mib()
    start = process_time()
    scanner = Scanner.compile()
    print(f"Scanner.compile: {(process_time() - start) * 1e3:.0f} ms, {peak_mib() - before:.1f} MiB")
    for size in SIZES:
        prompt = of_size(PROSE, size)
        show("classify prose", partial(classifier.classify, prompt), size)
    for name, text in (("prose without digits", PROSE), ("prose with numbers", PROSE + NUMBERS)):
        for size in SIZES:
            prompt = of_size(text, size)
            show(f"scan for any: {name}", partial(scanner.find_first, (prompt,)), size)
    personal = of_size(PROSE, 1_900) + PERSONAL
    show("scan for any: prose with personal data", partial(scanner.find_first, (personal,)), len(personal))
    show("scan for kinds: prose with personal data", partial(scanner.kinds, (personal,)), len(personal))
    show("scan for all: prose with personal data", partial(scanner.scan, personal), len(personal))


if __name__ == "__main__":
    main()
