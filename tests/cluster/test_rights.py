"""Scenario 7: what both service accounts may do, and everything else that they might try and may not.

NetworkPolicies are stored by this cluster and not enforced: what they say is looked at instead.
"""

from typing import Any

import pytest

from tests.cluster.support import kubectl, release, report

Json = Any  # a value made of JSON's types

STATE = f"configmaps/{release.HEALTH}"
MAY = {
    release.GATEWAY: {f"get {STATE}", f"list {STATE}", f"watch {STATE}"},
    release.MONITOR: {
        f"get {STATE}", f"patch {STATE}", "get leases", "list leases", "create leases", "update leases",
        "create events", "list endpointslices.discovery.k8s.io",
    },
}  # fmt: skip
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
RESOURCES = (
    STATE, f"configmaps/{release.CONFIG}", "configmaps", "secrets", "pods", "pods/exec", "pods/log", "serviceaccounts",
    "serviceaccounts/token", "leases", "events", "services", "endpointslices.discovery.k8s.io", "deployments.apps",
    "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io", "networkpolicies.networking.k8s.io",
    "horizontalpodautoscalers.autoscaling", "persistentvolumeclaims", "jobs.batch",
)  # fmt: skip
CLUSTER_WIDE = ("nodes", "namespaces", "clusterroles.rbac.authorization.k8s.io", "persistentvolumes")
# Harmless beyond what is asserted to be allowed: reading what one writes oneself, one's own farewell.
TOLERATED = {
    release.GATEWAY: set[str](),
    release.MONITOR: {
        f"list {STATE}", f"watch {STATE}", "delete leases", "patch leases", "patch events",
        "get endpointslices.discovery.k8s.io", "watch endpointslices.discovery.k8s.io",
    },
}  # fmt: skip


@pytest.mark.parametrize("account", [release.GATEWAY, release.MONITOR])
def test_an_account_may_do_what_it_must_and_nothing_else(pointsman: None, account: str) -> None:
    asked = [f"{verb} {resource}" for resource in (*RESOURCES, *CLUSTER_WIDE) for verb in VERBS]
    allowed = {each for each in asked if _may(account, each)}
    missing, excess = MAY[account] - allowed, allowed - MAY[account] - TOLERATED[account]
    assert (missing, excess) == (set(), set())
    report.record(7, f"Service account {account}", f"{len(asked)} rights asked for, {len(allowed)} granted")


def test_network_policies_stand_before_both_and_shut_off_cloud_metadata(pointsman: None) -> None:
    policies = kubectl.items("networkpolicies.networking.k8s.io")
    for component in ("gateway", "monitor"):
        [policy] = [each for each in policies if _selects(each, component)]
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        blocks = [to["ipBlock"] for rule in policy["spec"]["egress"] for to in rule.get("to") or () if "ipBlock" in to]
        assert blocks
        for block in blocks:
            assert "169.254.0.0/16" in block.get("except", ()) or block["cidr"] not in ("0.0.0.0/0", "::/0")
    report.record(7, "NetworkPolicies", f"{len(policies)} accepted; not enforced by the test cluster")


def _may(account: str, what: str) -> bool:
    verb, resource = what.split()
    name = f"system:serviceaccount:{kubectl.NAMESPACE}:{account}"
    parts = [resource]
    if resource.count("/") and not resource.startswith("configmaps/"):
        resource, _, subresource = resource.partition("/")
        parts = [resource, f"--subresource={subresource}"]
    try:
        return kubectl.kubectl("auth", "can-i", verb, *parts, "--as", name, "--quiet") == ""
    except kubectl.CommandError:
        return False


def _selects(policy: Json, component: str) -> bool:
    labels = release.pods(component)[0]["metadata"]["labels"]
    wanted = policy["spec"]["podSelector"].get("matchLabels", {})
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())
