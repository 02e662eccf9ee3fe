import pytest

from loadtest import answers


@pytest.mark.parametrize(
    ("prompt", "begins"),
    [
        ("What is 12 * 12?", "12 * 12 = 144."),
        ("19 plus 23 please", "19 plus 23 = 42."),
        ("7 / 2", "7 / 2 = 3.5."),
        ("1 / 0", "1 / 0 has no answer"),
        ("Count to 4", "1 2 3 4"),
        ("Summarize: the cat sat on the mat.", "In short: the cat sat on the mat."),
        ("Translate to French: 'good day'", "As a simulated translator I can only mark the text: «good day»."),
        ("Classify the sentiment: I love it", "Label: positive."),
        ("Extract all dates: due 2026-03-01, $12.50", "Found: 2026-03-01, $12.50."),
        ("Write an email to Bob", "Subject: Write an email to Bob"),
        ("Write a function that sorts", "Here is a start:\n```python"),
        ("Write a poem about rain", "Of Write a poem about rain"),
        ("Who wrote Faust?", "You ask: Who wrote Faust?"),
        ("Hi there", "You said: Hi there."),
        ("", "You said: ."),
    ],
)
def test_does_the_task_as_far_as_it_can(prompt: str, begins: str) -> None:
    answer = answers.compose(prompt, "m at v")
    assert (answer.startswith(begins), answer.endswith("\n— m at v")) == (True, True), answer
