"""What is asked of an upstream: where, what, and how long it may take.

Values only. `Origin.parse` is the one place where a URL of the configuration becomes an address, so it is strict: what
another parser could read differently (credentials, numeric hosts, odd characters) is refused rather than interpreted.
"""

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from gateway.core.value import Value

DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!-\[\]^-~]*)?"  # printable ASCII without space and backslash
)
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")  # underscores: names of containers have them
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class OriginError(ValueError):
    """The base URL cannot be used; the message says why, and never repeats the URL, which may hold a password."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where connections go; two calls with the same origin may share one."""

    scheme: str  # "http" | "https"
    host: str  # lower case, IPv6 without brackets
    port: int
    authority: str = field(init=False, repr=False, compare=False)  # the value of the Host header

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        authority = host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"
        object.__setattr__(self, "authority", authority)  # frozen, and asked for with every request

    @staticmethod
    def parse(base_url: str) -> "tuple[Origin, str]":
        """Split a base URL into its origin and its path prefix (without a slash at the end, "" for none).

        Raises: OriginError.
        """
        if "@" in base_url:
            raise OriginError("a base URL holds no user name or password: give the key by `key:`")
        if "?" in base_url or "#" in base_url:
            raise OriginError("a base URL has no query and no fragment")
        match = _URL.fullmatch(base_url)
        if match is None:
            raise OriginError("a base URL looks like https://api.example.com/v1, in plain ASCII without spaces")
        scheme = match["scheme"].lower()
        if scheme not in DEFAULT_PORTS:
            raise OriginError("a base URL begins with http:// or https://")
        port = int(match["port"] or DEFAULT_PORTS[scheme])
        if not 0 < port < 65536:
            raise OriginError("a port is between 1 and 65535")
        return Origin(scheme, _host(match["host"]), port), (match["path"] or "").rstrip("/")

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            return str(IPv6Address(host[1:-1]))
        except ValueError:
            raise OriginError("the address in brackets is not IPv6") from None
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # 0x7f.1, 127.1 and 2130706433 are addresses to some resolvers and names to others.
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise OriginError("a numeric host is a plain IPv4 address like 10.0.0.7") from None
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise OriginError("the host is not a valid name")
    return host.lower()


class Call(Value):
    """One request. `path` begins with a slash and may have a query."""

    origin: Origin
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    tracing: tuple[tuple[str, str], ...] = ()  # further headers, as no other call has them

    def __repr__(self) -> str:
        """Without headers, query and body: they hold keys and people's texts."""
        path = self.path.partition("?")[0]
        return f"Call({self.method} {self.origin}{path}, {len(self.headers)} headers, {len(self.body)} bytes)"


class Limits(Value):
    """How long the parts of one exchange may take."""

    connect_s: float  # until a connection is there: queue, name, TCP and TLS together
    head_s: float  # from the sending until the response's head
    idle_s: float  # between any two reads afterwards
    total_at: float | None  # instant on the client's clock at which everything ends
