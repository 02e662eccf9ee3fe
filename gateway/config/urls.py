"""Which base URLs a provider may have.

Owns the check of the text; hosts come from the operator's file alone, and still a link-local address is refused: it is
where clouds hand out credentials, and no model lives there. What a *name* resolves to is the dialler's business.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})  # outside link-local


def checked_base_url(url: str) -> str:
    """The URL without its last slash; ValueError that says what is wrong with it, without repeating it."""
    if any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise ValueError("must not contain spaces or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL, like https://host:8000/v1") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("must not carry credentials; use key:")
    if "?" in url or "#" in url:
        raise ValueError("must not carry a query or fragment")
    if not parts.hostname or port == 0:
        raise ValueError("has no host, like https://host:8000/v1")
    if _hands_out_credentials(parts.hostname):
        raise ValueError("is a link-local or metadata address, where credentials are handed out and no model lives")
    return url.rstrip("/")


def _hands_out_credentials(host: str) -> bool:
    if host.rstrip(".") in _METADATA_NAMES:
        return True
    address = _address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and (address.is_link_local or address in _METADATA_ADDRESSES)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Also the spellings that resolvers take for IPv4 (`2852039166`, `0xa9fe.43518`)."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
