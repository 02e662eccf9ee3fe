"""Whether a process may speak to Kubernetes."""

from pathlib import Path

import pytest

from gateway.edge.kube.access import ByKubeconfig, InCluster, NoAccess, find_access

IN_POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    for name, text in {"token": "t", "namespace": "models\n", "ca.crt": ""}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_is_there_where_a_service_account_is(account: Path) -> None:
    wanted = InCluster("https://10.0.0.1:6443", account / "token", account / "ca.crt", "models")
    assert [find_access(mode, None, IN_POD, account) for mode in ("auto", "on", "off")] == [wanted, wanted, None]


def test_takes_the_namespace_that_is_given(account: Path) -> None:
    assert find_access("auto", "other", IN_POD, account) == InCluster(
        "https://10.0.0.1:6443", account / "token", account / "ca.crt", "other"
    )


def test_writes_an_ipv6_address_as_urls_do_and_knows_the_port_that_is_not_said(account: Path) -> None:
    found = find_access("auto", None, {"KUBERNETES_SERVICE_HOST": "fd00::1"}, account)
    assert isinstance(found, InCluster)
    assert found.host == "https://[fd00::1]:443"


def test_is_in_the_default_namespace_where_none_is_mounted(account: Path) -> None:
    (account / "namespace").unlink()
    found = find_access("auto", None, IN_POD, account)
    assert found is not None
    assert found.namespace == "default"


def test_is_not_there_without_a_token_or_outside_a_pod(tmp_path: Path, account: Path) -> None:
    assert find_access("auto", None, IN_POD, tmp_path / "none") is None
    assert find_access("auto", None, {"KUBECONFIG": "/k"}, account) is None


def test_takes_a_kubeconfig_where_it_is_asked_to(account: Path) -> None:
    assert find_access("on", None, {"KUBECONFIG": "/k"}, account) == ByKubeconfig(Path("/k"), "default")
    assert find_access("on", "mine", {"KUBECONFIG": "/k"}, account) == ByKubeconfig(Path("/k"), "mine")


def test_says_what_is_missing_where_it_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NoAccess, match="neither a pod's service account nor KUBECONFIG"):
        find_access("on", None, {}, tmp_path)
