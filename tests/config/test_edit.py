"""Small changes to a file's text: one value is another, and everything else is as its author wrote it."""

from difflib import unified_diff
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.edit import CannotEdit, Change, edited
from gateway.config.problems import ConfigError
from gateway.config.source import read_document

EMAIL = Change(("classify", "task_tiers", "email"), "small")
AUTO = Change(("routes", 1, "evaluate", "auto"), True)


def after(text: str, *changes: Change) -> str:
    return edited(text.encode(), changes, "pointsman.yaml").decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "classify:\n  task_tiers:\n    email: small\n"),
        ("# nothing yet\n", "# nothing yet\nclassify:\n  task_tiers:\n    email: small\n"),
        ("tiers: [small]", "tiers: [small]\nclassify:\n  task_tiers:\n    email: small\n"),
        ("tiers: [small]\r\n", "tiers: [small]\r\nclassify:\r\n  task_tiers:\r\n    email: small\r\n"),
        ("{tiers: [small]}\n", "{classify: {task_tiers: {email: small}}, tiers: [small]}\n"),
        ("classify: {}\n", "classify: {task_tiers: {email: small}}\n"),
        ("classify: {by: rules}  # so\n", "classify: {task_tiers: {email: small}, by: rules}  # so\n"),
        ("classify: &c {by: rules}\n", "classify: &c {task_tiers: {email: small}, by: rules}\n"),
        ("classify: {task_tiers: {chat: small}}\n", "classify: {task_tiers: {email: small, chat: small}}\n"),
        ("classify: {task_tiers: {email: 'medium'}} # x\n", "classify: {task_tiers: {email: small}} # x\n"),
        (
            "classify:  # tasks\n    # by rules\n    by: rules\ntiers: [small]\n",
            "classify:  # tasks\n    # by rules\n    by: rules\n    task_tiers:\n      email: small\ntiers: [small]\n",
        ),
        (
            "classify:\n  task_tiers:\n    chat: small  # cheap\n\n# routes\nroutes: []\n",
            "classify:\n  task_tiers:\n    chat: small  # cheap\n    email: small\n\n# routes\nroutes: []\n",
        ),
        (
            "classify:\n  task_tiers:\n    email: medium  # for now\n    chat: small\n",
            "classify:\n  task_tiers:\n    email: small  # for now\n    chat: small\n",
        ),
        (
            "classify:\n  rules:\n    - task: chat\n      when: {regex: x}\n",
            "classify:\n  task_tiers:\n    email: small\n  rules:\n    - task: chat\n      when: {regex: x}\n",
        ),
        ("\ufeffclassify: {}\n", "\ufeffclassify: {task_tiers: {email: small}}\n"),
        ("é: 1\nclassify: {}\n", "é: 1\nclassify: {task_tiers: {email: small}}\n"),
    ],
)
def test_the_value_is_put_where_its_author_would_have(old: str, new: str) -> None:
    assert after(old, EMAIL) == new


def test_a_row_is_found_by_its_number() -> None:
    text = "routes:\n- name: a\n- {name: b, evaluate: {share: 0.1, auto: false}}  # judged\n"
    assert after(text, AUTO) == text.replace("false", "true")
    assert after("routes:\n- name: a\n- name: b\n  evaluate:\n    share: 0.1\n", AUTO).endswith("    auto: true\n")


def test_several_changes_are_made_one_after_the_other() -> None:
    text = after("routes: [{name: a}, {name: b, evaluate: {auto: false}}]\n", EMAIL, AUTO)
    assert read_document(text.encode(), "x").data == {
        "routes": [{"name": "a"}, {"name": "b", "evaluate": {"auto": True}}],
        "classify": {"task_tiers": {"email": "small"}},
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: &t {email: large}\nclassify: {task_tiers: *t}\n",
        "classify: {task_tiers: [email]}\n",
        "classify: none\n",
        "classify: {task_tiers: {email: {}}}\n",
        "classify:\n",
        "tiers: [small]\n...\n",
    ],
)
def test_what_has_no_plain_place_is_left_to_a_person(text: str) -> None:
    with pytest.raises(CannotEdit, match="by hand"):
        after(text, EMAIL)


def test_a_row_that_is_not_there_is_not_made() -> None:
    with pytest.raises(CannotEdit, match=r"routes\.1\.evaluate\.auto"):
        after("routes: [{name: a}]\n", AUTO)


def test_a_text_that_is_no_file_is_told_by_its_line() -> None:
    with pytest.raises(ConfigError, match=r"yaml:1: not valid YAML"):
        after("a: b: c\n", EMAIL)


@pytest.mark.parametrize(
    ("value", "written"), [("no", "no"), ("1", "'1'"), ("a: b", "'a: b'"), (True, "true"), (0.12, "0.12")]
)
def test_values_are_written_so_that_they_are_read_as_they_are(value: str | bool | float, written: str) -> None:
    change = Change(("classify", "x"), value)
    assert read_document(after("", change).encode(), "x").data == {"classify": {"x": value}}
    assert change.written.strip("'") == written.strip("'")


TASKS = st.sampled_from(["email", "chat", "code", "factual"])
TIERS = st.sampled_from(["small", "medium", "large"])


@st.composite
def files(draw: Any) -> str:
    """Files in several hands: blocks and flows, comments, blank lines."""
    tiers = draw(st.dictionaries(TASKS, TIERS, max_size=3))
    flow = draw(st.sampled_from([None, True, False]))
    parts: dict[str, Any] = {}
    if draw(st.booleans()):
        parts["tiers"] = ["small", "medium", "large"]
    if tiers or draw(st.booleans()):
        parts["classify"] = {"task_tiers": tiers} if tiers else {"by": "rules"}
    if draw(st.booleans()):
        parts["routes"] = [{"name": "default", "objective": "cost"}]
    order = draw(st.permutations(list(parts)))
    ordered, indent = {key: parts[key] for key in order}, draw(st.integers(2, 6))
    text = yaml.safe_dump(ordered, default_flow_style=flow, sort_keys=False, indent=indent)
    noted = [line + draw(st.sampled_from(["", "  # why", "\n", "\n# a word\n"])) for line in text.splitlines()]
    return "\n".join(noted) + draw(st.sampled_from(["", "\n"]))


@given(files(), TASKS, TIERS)
def test_any_change_says_what_it_says_and_takes_no_line_away(text: str, task: str, tier: str) -> None:
    before = read_document(text.encode(), "x").data
    made = after(text, Change(("classify", "task_tiers", task), tier))
    found = read_document(made.encode(), "x").data
    tiers = (before.pop("classify", None) or {}).get("task_tiers", {})
    assert found.pop("classify")["task_tiers"] == {**tiers, task: tier}
    assert found == before
    lost = [line for line in unified_diff(text.split("\n"), made.split("\n"), n=0) if line[:1] == "-"]
    assert len(lost) <= 2 + 1  # the heads of the diff, and one line that was changed
    assert all(note in made for note in ("# why", "# a word") if note in text)
