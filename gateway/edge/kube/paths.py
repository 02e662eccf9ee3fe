"""Paths of the few kinds of objects that the program touches. Without a name: the collection."""


def config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def config_map(namespace: str, name: str) -> str:
    return f"{config_maps(namespace)}/{name}"


def leases(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def lease(namespace: str, name: str) -> str:
    return f"{leases(namespace)}/{name}"


def endpoint_slices(namespace: str) -> str:
    return f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"


def events(namespace: str) -> str:
    """Of core/v1: what `kubectl get events` lists, and every release accepts."""
    return f"/api/v1/namespaces/{namespace}/events"
