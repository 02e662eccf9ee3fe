"""The words in which a file is refused."""

import pytest

from gateway.config.problems import ConfigError, Findings, Problem, not_one_of, render_path, shown


def test_lists_problems_in_the_order_of_the_lines() -> None:
    error = ConfigError([Problem("f", 9, "b", "late"), Problem("f", 2, "a", "early"), Problem("f", 0, "", "whole")])
    assert str(error) == "f: whole\nf:2: a: early\nf:9: b: late"


def test_writes_paths_as_people_do() -> None:
    assert render_path(("routes", 0, "split", 1, "name")) == "routes[0].split[1].name"


def test_takes_the_line_of_the_nearest_thing_around() -> None:
    findings = Findings("f", {(): 1, ("a",): 4})
    findings.problem(("a", "b", 0), "wrong")
    findings.warn(("c",), "odd")
    assert [*map(str, findings.problems + findings.warnings)] == ["f:4: a.b[0]: wrong", "f:1: c: odd"]


def test_knows_no_line_where_there_is_no_file() -> None:
    findings = Findings("defaults", {})
    findings.warn((), "odd")
    assert str(findings.warnings[0]) == "defaults: odd"


def test_refuses_only_where_there_is_a_problem() -> None:
    findings = Findings("f", {})
    findings.refuse_if_any()
    findings.problem((), "wrong")
    with pytest.raises(ConfigError):
        findings.refuse_if_any()


def test_names_what_is_valid_and_what_may_be_meant() -> None:
    assert not_one_of("larg", "a tier", ["small", "large"]) == (
        '"larg" is not a tier; valid: small, large (did you mean "large"?)'
    )
    assert not_one_of("x", "a tier", []) == '"x" is not a tier'
    assert not_one_of("m7x", "a model", (f"m{n}" for n in range(100))) == '"m7x" is not a model (did you mean "m7"?)'


def test_keeps_messages_short_and_on_one_line() -> None:
    assert shown("a\nb  c") == "a b c"
    assert shown("x" * 500) == "x" * 80 + "…"
