"""The token that gateways and monitor share."""

import pytest

from gateway.edge.shared_token import bearer, proves, shared_token


def test_stands_in_a_file_beside_the_other_keys_or_in_a_variable() -> None:
    token = shared_token({"POINTSMAN_EVALUATIONS_TOKEN": "t-1"})
    assert (token.file, token.read()) == ("/var/run/secrets/pointsman/evaluations/token", "t-1")
    assert "t-1" not in repr(token)


@pytest.mark.parametrize("value", ["", "t-1", "Bearer", "Bearer ", "Bearer t-2", "Bearer t-1 ", "Basic t-1", "\udcff"])
def test_is_proven_by_its_own_header_alone(value: str) -> None:
    assert proves(bearer("t-1"), "t-1")
    assert not proves(value, "t-1")
