"""The simulated judge understands the monitor's own question, and is understood."""

import pytest

from loadtest.answers import poor, unsigned
from loadtest.verdicts import verdict
from monitor.evaluation.judging import Word, question, read_word

PROMPT = "Summarize: the train is late."
GOOD, POOR = unsigned(PROMPT), poor(PROMPT)


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        (GOOD, GOOD, Word.TIE),
        (GOOD, POOR, Word.FIRST),
        (POOR, GOOD, Word.SECOND),
        (POOR, POOR, Word.BOTH_BAD),
    ],
)
def test_prefers_the_answer_that_is_no_poor_one(first: str, second: str, word: Word) -> None:
    said = verdict(question(PROMPT, first, second))
    assert said is not None
    assert read_word(said) is word


def test_judges_nothing_that_is_no_pair_of_answers() -> None:
    assert verdict(PROMPT) is None
    assert verdict(question(PROMPT, GOOD, POOR).replace("END OF FIRST", "END OF THE FIRST")) is None
