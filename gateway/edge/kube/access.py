"""Whether and how this process may speak to the Kubernetes API: a pod's service account, else a kubeconfig.

Looks, and loads nothing: the client library comes in with the first request (`api.Api`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ACCOUNT_DIR = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where the kubelet mounts it
DEFAULT_NAMESPACE = "default"

Mode = Literal["auto", "on", "off"]


class NoAccess(Exception):
    """Kubernetes was asked for and there are no credentials for it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class InCluster:
    """A pod's service account. The token is read anew for every request: the kubelet rotates it."""

    host: str  # URL of the API server
    token_file: Path
    ca_file: Path
    namespace: str


@dataclass(frozen=True, slots=True)
class ByKubeconfig:
    """A file as kubectl has it, with its current context."""

    file: Path
    namespace: str


Access = InCluster | ByKubeconfig


def find_access(
    mode: Mode, namespace: str | None, environ: Mapping[str, str], account_dir: Path = ACCOUNT_DIR
) -> Access | None:
    """How to reach the API; None: not at all.

    Args:
        mode: `auto` takes a service account or nothing; `on` takes a kubeconfig too, and insists.
        namespace: None for that of the pod.

    Raises:
        NoAccess: the mode is `on` and there is no way.
    """
    if mode == "off":
        return None
    host, token = environ.get("KUBERNETES_SERVICE_HOST"), account_dir / "token"
    if host and token.is_file():
        port = environ.get("KUBERNETES_SERVICE_PORT") or "443"
        host = f"[{host}]" if ":" in host else host
        found = namespace or _namespace_of(account_dir / "namespace")
        return InCluster(f"https://{host}:{port}", token, account_dir / "ca.crt", found)
    if mode == "auto":
        return None
    if file := environ.get("KUBECONFIG"):
        return ByKubeconfig(Path(file), namespace or DEFAULT_NAMESPACE)
    raise NoAccess("POINTSMAN_KUBERNETES is on, but there is neither a pod's service account nor KUBECONFIG")


def _namespace_of(file: Path) -> str:
    try:
        return file.read_text().strip() or DEFAULT_NAMESPACE
    except OSError:
        return DEFAULT_NAMESPACE
