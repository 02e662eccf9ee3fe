"""From an origin to a connection: names, TCP, TLS, and what went wrong on the way.

Names are looked up anew for connections made more than a few seconds later, all addresses are tried, and those of one
family take turns, so that a headless Service spreads. Connecting happens in tasks of its own and is no hot path.
"""

import asyncio
import errno
import itertools
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.call import Origin
from gateway.upstream.connection import Connection

TLS_CLOSE_S = 1.0  # a server that does not answer our goodbye holds the socket no longer

# The machine's limits, not the upstream's state.
_OUR_FAULT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


@dataclass(frozen=True, slots=True)
class Address:
    family: int  # socket.AF_INET or AF_INET6
    host: str  # numeric


Resolver = Callable[[str, int], Awaitable[Sequence[Address]]]  # (name, port); raises OSError


async def system_resolver(host: str, port: int) -> Sequence[Address]:
    """As the operating system resolves names, in a thread of the loop's pool."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(Address(int(family), str(name[0])) for family, _, _, _, name in infos))


class NameCache:
    """A resolver that remembers for a while, and asks once where many want the same name."""

    def __init__(self, resolver: Resolver, clock: Callable[[], float], ttl_s: float) -> None:
        self._resolver = resolver
        self._clock = clock
        self._ttl_s = ttl_s
        self._known: dict[tuple[str, int], tuple[float, Sequence[Address]]] = {}
        self._lookups: dict[tuple[str, int], asyncio.Future[Sequence[Address]]] = {}

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """At least one address. Raises: OSError."""
        try:
            literal = ip_address(host)
        except ValueError:
            pass
        else:
            return [Address(socket.AF_INET if literal.version == 4 else socket.AF_INET6, host)]
        key = (host, port)
        until, addresses = self._known.get(key, (0.0, ()))
        if addresses and self._clock() < until:
            return addresses
        lookup = self._lookups.get(key)
        if lookup is None:
            lookup = asyncio.ensure_future(self._resolver(host, port))
            self._lookups[key] = lookup
            lookup.add_done_callback(lambda done: self._looked_up(key, done))
        found = await asyncio.shield(lookup)  # who leaves must not take the others' answer along
        if not found:
            raise OSError("the name has no address")
        return found

    def close(self) -> None:
        for lookup in self._lookups.values():
            lookup.cancel()

    def _looked_up(self, key: tuple[str, int], lookup: asyncio.Future[Sequence[Address]]) -> None:
        del self._lookups[key]
        if not lookup.cancelled() and lookup.exception() is None:
            self._known[key] = (self._clock() + self._ttl_s, lookup.result())


class Dialer:
    """Makes connections."""

    def __init__(self, names: NameCache, clock: Callable[[], float], ssl_context: ssl.SSLContext | None) -> None:
        self._names = names
        self._clock = clock
        self._ssl_context = ssl_context
        self._turns = itertools.count()

    async def connect(self, origin: Origin, make: Callable[[], Connection], give_up_at: float) -> Connection:
        """A new connection; with several addresses, each gets its share of the time that is left.

        Raises: AttemptError (UNREACHABLE, CONNECT_TIMEOUT, INTERNAL).
        """
        try:
            addresses = in_turn(await self._names.resolve(origin.host, origin.port), next(self._turns))
        except OSError as error:
            message = f"cannot resolve {origin.host}: {error.strerror or error}"
            raise AttemptError(Failure(FailureKind.UNREACHABLE, message)) from None
        while True:
            address = addresses.pop(0)
            share_s = (give_up_at - self._clock()) / (len(addresses) + 1) if addresses else None
            try:
                async with asyncio.timeout(share_s):
                    return await self._connect(origin, address, make)
            except OSError as error:
                if not addresses or isinstance(error, ssl.SSLCertVerificationError):
                    raise AttemptError(failure_of(error, origin)) from None

    def close(self) -> None:
        self._names.close()

    async def _connect(self, origin: Origin, address: Address, make: Callable[[], Connection]) -> Connection:
        loop = asyncio.get_running_loop()
        if origin.scheme == "http":
            _, plain = await loop.create_connection(make, address.host, origin.port, family=address.family)
            return plain
        if self._ssl_context is None:
            self._ssl_context = ssl.create_default_context()  # reads the system's certificates: some 20 ms, once
            self._ssl_context.set_alpn_protocols(["http/1.1"])
        _, secured = await loop.create_connection(
            make,
            address.host,
            origin.port,
            family=address.family,
            ssl=self._ssl_context,
            server_hostname=origin.host.removesuffix("."),
            ssl_shutdown_timeout=TLS_CLOSE_S,
        )
        return secured


def in_turn(addresses: Sequence[Address], turn: int) -> list[Address]:
    """The addresses as they are tried: those of the preferred family beginning at the turn's, then the others."""
    preferred = [address for address in addresses if address.family == addresses[0].family]
    others = [address for address in addresses if address.family != addresses[0].family]
    first = turn % len(preferred)
    return preferred[first:] + preferred[:first] + others


def failure_of(error: OSError, origin: Origin) -> Failure:
    """What an error while connecting means."""
    host, where = origin.host, f"{origin.host}:{origin.port}"
    match error:
        case ssl.SSLCertVerificationError():
            return Failure(FailureKind.UNREACHABLE, f"the certificate of {host} is not valid: {error.verify_message}")
        case ssl.SSLError():
            reason = getattr(error, "reason", None) or "no reason given"  # only OpenSSL's own errors have one
            return Failure(FailureKind.UNREACHABLE, f"TLS with {where} failed: {reason}")
        case TimeoutError():
            return Failure(FailureKind.CONNECT_TIMEOUT, f"{where} did not accept a connection in time")
        case _ if error.errno in _OUR_FAULT:
            return Failure(FailureKind.INTERNAL, f"this machine cannot open another connection: {error.strerror}")
        case _:
            return Failure(FailureKind.UNREACHABLE, f"cannot connect to {where}: {error.strerror or error}")
