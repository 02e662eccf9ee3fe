"""OTLP over HTTP, as OpenTelemetry's own variables ask for it: where to, with what, and in whose name.

Owns the reading of the variables and one exchange with a collector. Headers may hold a key: they are never shown, and
are read again from their file, so that a key can be replaced. What is sent is the business of whoever sends it.

Sources: OpenTelemetry Specification 1.56, "OpenTelemetry Protocol Exporter", "Environment Variable Specification".
"""

import logging
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gateway.config.defaults import KEY_DIRECTORY
from gateway.edge.courier import Undelivered
from gateway.edge.sinks.post import Post, gzipped

HEADERS_FILE = Path(KEY_DIRECTORY, "otlp", "headers")  # as the variable; read again with each batch
DEFAULT_TIMEOUT_MS = 10_000.0
DEFAULT_SERVICE = "pointsman-gateway"
PROTOBUF = "http/protobuf"
TYPE = {"Content-Type": "application/x-protobuf"}

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2

log = logging.getLogger(__name__)


class Unusable(Exception):
    """A variable has a value that cannot be used. The message names the variable and never repeats a value."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one kind of signal goes."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_MS / 1000.0
    compressed: bool = True
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None: the machine's authorities


def target_of(environ: Mapping[str, str], signal: str) -> Target | None:
    """Where `signal` ("traces", "logs") goes; None where no variable says so, or one says no.

    Raises: Unusable.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if environ.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").strip().lower() == "none":
        return None
    url = _url(environ, signal)
    if url is None:
        return None
    protocol = _given(environ, signal, "PROTOCOL") or PROTOBUF
    if protocol != PROTOBUF:
        raise Unusable(f"OTEL_EXPORTER_OTLP_PROTOCOL: must be {PROTOBUF}; collectors take it on port 4318")
    return Target(
        url=url,
        headers=headers_of(_given(environ, signal, "HEADERS") or "", "OTEL_EXPORTER_OTLP_HEADERS"),
        timeout_s=_timeout_s(_given(environ, signal, "TIMEOUT")),
        compressed=_given(environ, signal, "COMPRESSION") != "none",
        tls=_tls(environ, signal),
    )


def headers_of(text: str, where: str) -> dict[str, str]:
    """`name=value,name=value`, values percent-encoded. Raises: Unusable, which says no value."""
    found = _pairs(text, where)
    for name, value in found.items():
        if not _TOKEN.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise Unusable(f"{where}: has a name or a value that cannot stand in a header")
    return found


def resource_of(environ: Mapping[str, str], version: str, instance: str) -> dict[str, str]:
    """Who speaks: the service and its pod. OTEL_RESOURCE_ATTRIBUTES add to it, OTEL_SERVICE_NAME wins over them.

    Args:
        version: of this program.
        instance: what no other process is called.
    """
    found = {"service.name": DEFAULT_SERVICE, "service.version": version, "service.instance.id": instance}
    pod, namespace = environ.get("POINTSMAN_POD_NAME"), environ.get("POINTSMAN_NAMESPACE")
    if environ.get("KUBERNETES_SERVICE_HOST"):
        pod = pod or socket.gethostname()  # a pod's host name is its own
    found |= {name: value for name, value in (("k8s.pod.name", pod), ("k8s.namespace.name", namespace)) if value}
    try:
        found |= _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", ""), "OTEL_RESOURCE_ATTRIBUTES")
    except Unusable as error:  # "the entire value SHOULD be discarded": labels are no reason not to start
        log.warning("%s; it is ignored", error)
    if name := environ.get("OTEL_SERVICE_NAME", "").strip():
        found["service.name"] = name
    return found


class Collector:
    """The way to a collector, for a courier's thread."""

    def __init__(self, target: Target, headers_file: Path = HEADERS_FILE) -> None:
        self._target = target
        self._headers_file = headers_file
        parts = urlsplit(target.url)
        self._path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        self._post = Post(f"{parts.scheme}://{parts.netloc}", target.timeout_s, target.tls)

    def send(self, body: bytes) -> bytes:
        """The collector's answer to an export. Raises: Undelivered."""
        headers = {**TYPE, **self._target.headers, **self._filed()}
        if self._target.compressed:
            body, headers = gzipped(body, headers)
        return self._post.send(self._path, body, headers)

    def close(self) -> None:
        self._post.close()

    def _filed(self) -> dict[str, str]:
        try:
            text = self._headers_file.read_text()
        except OSError:
            return {}
        try:
            return headers_of(text, str(self._headers_file))
        except Unusable as error:
            raise Undelivered(str(error), None, final=False) from None


def _pairs(text: str, where: str) -> dict[str, str]:
    found = {}
    for number, pair in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise Unusable(f"{where}: entry {number} does not look like name=value")
        found[unquote(name.strip())] = unquote(value.strip())
    return found


def _given(environ: Mapping[str, str], signal: str, what: str) -> str | None:
    """The signal's own variable before the one for all; an empty one counts as none."""
    own, common = f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}"
    return environ.get(own, "").strip() or environ.get(common, "").strip() or None


def _url(environ: Mapping[str, str], signal: str) -> str | None:
    """The signal's own URL is taken as it is; to that for all the signal's path is added."""
    own, common = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
    if given := environ.get(own, "").strip():
        return _checked(given, own)
    if given := environ.get(common, "").strip():
        return f"{_checked(given, common).rstrip('/')}/v1/{signal}"
    return None


def _checked(url: str, where: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(f"{where}: must be a URL that begins with http:// or https://")
    if "@" in parts.netloc:
        raise Unusable(f"{where}: holds no user name or password: give them by OTEL_EXPORTER_OTLP_HEADERS")
    return url


def _timeout_s(given: str | None) -> float:
    if given is None:
        return DEFAULT_TIMEOUT_MS / 1000.0
    try:
        milliseconds = float(given)
    except ValueError:
        milliseconds = -1.0
    if not 0 < milliseconds <= 600_000:
        raise Unusable("OTEL_EXPORTER_OTLP_TIMEOUT: must be a number of milliseconds, up to 600000")
    return milliseconds / 1000.0


def _tls(environ: Mapping[str, str], signal: str) -> ssl.SSLContext | None:
    authority = _given(environ, signal, "CERTIFICATE")
    own, key = _given(environ, signal, "CLIENT_CERTIFICATE"), _given(environ, signal, "CLIENT_KEY")
    if authority is None and own is None:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError:  # which an SSLError is
        raise Unusable("OTEL_EXPORTER_OTLP_CERTIFICATE: no certificates in that file") from None
    try:
        if own is not None:
            context.load_cert_chain(own, key)
    except OSError:
        words = "no certificate and key in that file and that of OTEL_EXPORTER_OTLP_CLIENT_KEY"
        raise Unusable(f"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: {words}") from None
    return context
