"""Judged prompts that are made up: sums need the stronger model, greetings do not, and one in ten labels is wrong."""

from io import BytesIO
from random import Random

import numpy as np

from gateway.learned.words import WordTable

HARD = ("prove that", "derive the integral of", "solve the equation", "compute the eigenvalues of")
EASY = ("say hello to", "wish a good morning to", "thank", "introduce yourself to")
THINGS = ("a matrix", "my friend", "the group", "a polynomial", "our guest", "the sequence", "a neighbour", "the ring")


def judged(count: int, seed: int) -> tuple[list[str], list[float]]:
    """Prompts and gains."""
    dice = Random(seed)
    prompts, gains = [], []
    for number in range(count):
        hard = dice.random() < 0.5
        prompts.append(f"Please {dice.choice(HARD if hard else EASY)} {dice.choice(THINGS)} number {number}.")
        gains.append(float(hard != (dice.random() < 0.1)))
    return prompts, gains


def a_table() -> WordTable:
    """Eight words in two directions."""
    return WordTable.read(a_packed_table())


def a_packed_table() -> bytes:
    words = ("prove", "derive", "solve", "compute", "hello", "morning", "thank", "introduce")
    points = np.zeros((8, 4), np.int8)
    points[:4, 0] = points[4:, 1] = 10
    points[:, 2] = 1
    out = BytesIO()
    np.savez(out, words=np.array("\n".join(words)), q=points, scale=np.full(8, 0.1))
    return out.getvalue()
