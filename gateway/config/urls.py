"""Which base URLs a provider may have.

Owns the check of the text, as strict as the dialler that will parse it: what two parsers could read differently is
refused. Hosts come from the operator's file alone, and still a link-local address is refused: it is where clouds hand
out credentials, and no model lives there. What a *name* resolves to is the dialler's business.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_EXAMPLE = "like https://host:8000/v1"
_URL = re.compile(
    r"[A-Za-z]+://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?(?:/[!-\[\]^-~]*)?"
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})  # outside link-local


def checked_base_url(url: str) -> str:
    """The URL without its last slash; ValueError that says what is wrong with it, without repeating it."""
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    if "@" in url:
        raise ValueError("must not carry credentials; use key:")
    if "?" in url or "#" in url:
        raise ValueError("must not carry a query or fragment")
    match = _URL.fullmatch(url)
    if match is None or not 0 < int(match["port"] or 80) < 65536:
        raise ValueError(f"is not a URL in plain ASCII, {_EXAMPLE}")
    _check_host(match["host"].lower().removesuffix("."))
    return url.rstrip("/")


def _check_host(host: str) -> None:
    address = _address(host)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address is None and not all(map(_LABEL.fullmatch, host.split("."))):
        raise ValueError(f"has no valid host, {_EXAMPLE}")
    named = host in _METADATA_NAMES
    if named or (address is not None and (address.is_link_local or address in _METADATA_ADDRESSES)):
        raise ValueError("is a link-local or metadata address, where credentials are handed out and no model lives")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """None for a name. Numeric hosts in other spellings (`2852039166`) are addresses to some resolvers: refused."""
    if not host.startswith("[") and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        return IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
    except ValueError:
        raise ValueError("has a host that is neither a name nor a plain IP address") from None
