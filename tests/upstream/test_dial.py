"""Names, addresses, and what an error on the way to a connection means."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence

import pytest

from gateway.core.failure import Failure, FailureKind
from gateway.upstream.call import Origin
from gateway.upstream.dial import Address, NameCache, failure_of, in_turn, system_resolver
from tests.upstream import loopback
from tests.upstream.loopback import LIMITS, OK, Clock, client, post, replying, serving

A, B, C = (Address(socket.AF_INET, f"127.0.0.{n}") for n in (1, 2, 3))
SIX = Address(socket.AF_INET6, "::1")
ORIGIN = Origin("https", "a.test", 443)


class Names:
    """A resolver that answers when it may, and counts."""

    def __init__(self, *addresses: Address) -> None:
        self.addresses = addresses
        self.asked = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, _host: str, _port: int) -> Sequence[Address]:
        self.asked += 1
        await self.go.wait()
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.addresses


@pytest.mark.parametrize(
    ("turn", "expected"), [(0, [A, B, C, SIX]), (1, [B, C, A, SIX]), (2, [C, A, B, SIX]), (3, [A, B, C, SIX])]
)
def test_addresses_of_the_preferred_family_take_turns(turn: int, expected: list[Address]) -> None:
    assert in_turn([A, B, SIX, C], turn) == expected


async def test_remembers_a_name_for_its_time() -> None:
    clock, names = Clock(), Names(A, B)
    cache = NameCache(names, clock, ttl_s=10.0)
    for passing_s in (0.0, 9.9, 0.2, 5.0):
        clock.now_s += passing_s
        assert await cache.resolve("a.test", 80) == (A, B)
    assert names.asked == 2


async def test_asks_once_for_all_who_want_the_same_name() -> None:
    names = Names(A)
    names.go.clear()
    cache = NameCache(names, Clock(), ttl_s=10.0)
    wanted = [asyncio.ensure_future(cache.resolve("a.test", 80)) for _ in range(3)]
    await asyncio.sleep(0)
    wanted[0].cancel()  # which must not take the others' answer along
    await asyncio.sleep(0)
    names.go.set()
    assert [await one for one in wanted[1:]] == [(A,), (A,)]
    assert wanted[0].cancelled()
    assert names.asked == 1


async def test_does_not_remember_a_failure() -> None:
    names = Names()
    cache = NameCache(names, Clock(), ttl_s=10.0)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await cache.resolve("a.test", 80)
    names.addresses = (A,)
    assert await cache.resolve("a.test", 80) == (A,)


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", A), ("::1", SIX)])
async def test_asks_nobody_for_a_numeric_host(host: str, expected: Address) -> None:
    names = Names()
    assert await NameCache(names, Clock(), ttl_s=10.0).resolve(host, 80) == [expected]
    assert names.asked == 0


async def test_takes_no_addresses_for_an_error() -> None:
    async def none(_host: str, _port: int) -> Sequence[Address]:
        return ()

    with pytest.raises(OSError, match="no address"):
        await NameCache(none, Clock(), ttl_s=10.0).resolve("a.test", 80)


async def test_the_system_knows_localhost() -> None:
    assert A in await system_resolver("localhost", 80)


async def test_an_unknown_name_is_unreachable() -> None:
    async with client(resolver=Names()) as upstream:
        assert await loopback.failure_of(upstream.open(post(ORIGIN), LIMITS)) == Failure(
            FailureKind.UNREACHABLE, "cannot resolve a.test: Name or service not known"
        )


async def test_tries_all_addresses_of_a_name() -> None:
    async with serving(replying(OK)) as there, client(resolver=Names(C, B, A)) as upstream:
        origin = Origin("http", "a.test", there.port)  # where only 127.0.0.1 listens
        assert await (await upstream.open(post(origin), LIMITS)).read(10) == b"hi"


async def test_spreads_connections_over_the_addresses_of_a_name() -> None:
    hosts = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hosts.append(writer.get_extra_info("sockname")[0])
        await loopback.closing_after(OK)(reader, writer)

    server = await asyncio.start_server(handle, "0.0.0.0", 0)
    async with server, client(resolver=Names(A, B)) as upstream:
        origin = Origin("http", "a.test", server.sockets[0].getsockname()[1])
        for _ in range(4):
            await (await upstream.open(post(origin), LIMITS)).read(10)
            await loopback.until(lambda: upstream.stats()[origin].idle == 0)
    assert hosts == ["127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2"]


async def test_nobody_listening_is_unreachable() -> None:
    async with serving(replying(OK)) as origin:
        pass
    async with client() as upstream:
        failure = await loopback.failure_of(upstream.open(post(origin), LIMITS))
    assert failure.kind is FailureKind.UNREACHABLE
    assert failure.message.startswith(f"cannot connect to 127.0.0.1:{origin.port}: ")


def certificate_error() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "expired"
    return error


def tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (certificate_error(), FailureKind.UNREACHABLE, "the certificate of a.test is not valid: expired"),
        (tls_error(), FailureKind.UNREACHABLE, "TLS with a.test:443 failed: WRONG_VERSION_NUMBER"),
        (ssl.SSLError(), FailureKind.UNREACHABLE, "TLS with a.test:443 failed: no reason given"),
        (TimeoutError(), FailureKind.CONNECT_TIMEOUT, "a.test:443 did not accept a connection in time"),
        (OSError(errno.ETIMEDOUT, "x"), FailureKind.CONNECT_TIMEOUT, "a.test:443 did not accept a connection in time"),
        (OSError(errno.ECONNREFUSED, "refused"), FailureKind.UNREACHABLE, "cannot connect to a.test:443: refused"),
        (OSError("odd"), FailureKind.UNREACHABLE, "cannot connect to a.test:443: odd"),
        (OSError(errno.EMFILE, "many"), FailureKind.INTERNAL, "this machine cannot open another connection: many"),
    ],
)  # fmt: skip
def test_says_what_an_error_means(error: OSError, kind: FailureKind, message: str) -> None:
    assert failure_of(error, ORIGIN) == Failure(kind, message)
