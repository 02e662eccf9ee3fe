"""What Kubernetes' restricted pod security standard asks of a pod, and where the pods of rendered objects are."""

from collections.abc import Iterable, Iterator
from typing import Any

Json = Any  # a value made of JSON's types

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
HOSTS = ("hostNetwork", "hostPID", "hostIPC")


def pods(objects: Iterable[Json]) -> Iterator[tuple[str, Json]]:
    """Name and spec of every pod that the objects are or make."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each["metadata"]["name"], each["spec"]
        elif each["kind"] == "Deployment":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def violations(pod: Json) -> list[str]:
    """What the standard would refuse, in its own order; a container's word comes before the pod's."""
    found = [name for name in HOSTS if pod.get(name)]
    found += [f"volume {each['name']}" for each in pod.get("volumes", ()) if not (each.keys() - {"name"}) <= VOLUMES]
    common = pod.get("securityContext", {})
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        found += [f"{container['name']}: {what}" for what in _of_container(container, common)]
    return found


def _of_container(container: Json, common: Json) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**common, **own}
    if own.get("privileged"):
        yield "privileged"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
        yield "capabilities"
    if both.get("runAsNonRoot") is not True or both.get("runAsUser") == 0:
        yield "runAsNonRoot"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
