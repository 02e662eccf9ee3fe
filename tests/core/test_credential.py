"""Credentials as values: they compare, and never show what they are."""

from gateway.core.credential import AwsKeys, Bearer


def test_shows_nothing_of_itself() -> None:
    shown = f"{Bearer('ya29.secret')} {AwsKeys('AKID', 'secret', 'secret')!r}"
    assert shown == "Bearer(…) AwsKeys(…)"


def test_is_the_same_as_another_of_the_same_words() -> None:
    assert {Bearer("a"), Bearer("a"), Bearer("b")} == {Bearer("a"), Bearer("b")}
    assert AwsKeys("A", "s") != AwsKeys("A", "s", "t")
