"""Evidence that a request never arrived, and what is none."""

import socket
import struct

import pytest

from gateway.upstream.resend import acked_bytes, never_arrived


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(501, 501, True, id="the peer acknowledged nothing of it"),
        pytest.param(501, 502, False, id="the peer acknowledged a byte"),
        pytest.param(None, 1, False, id="a new connection"),
        pytest.param(501, None, False, id="the kernel says nothing afterwards"),
        pytest.param(None, None, False, id="the kernel says nothing at all"),
        pytest.param(0, 0, False, id="the kernel does not count"),
    ],
)
def test_is_only_sure_of_unacknowledged_bytes_on_a_used_connection(
    before: int | None, after: int | None, expected: bool
) -> None:
    assert never_arrived(before, after) is expected


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="this system has no TCP_INFO")
def test_sees_in_the_kernel_what_the_peer_took() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        new = acked_bytes(ours)
        theirs, _ = server.accept()
        ours.sendall(bytes(100))
        assert theirs.recv(200) == bytes(100)
        used = acked_bytes(ours)
        theirs.close()
        ours.sendall(bytes(50))
        refused = acked_bytes(ours)
    assert new is not None
    assert (used, refused) == (new + 100, new + 100)


class BrokenSocket:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        raise self.error


@pytest.mark.parametrize("error", [OSError(9, "Bad file descriptor"), struct.error("short")])
def test_takes_an_error_for_no_account(error: Exception) -> None:
    assert acked_bytes(BrokenSocket(error)) is None


def test_has_no_account_where_the_system_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_INFO", raising=False)
    assert acked_bytes(BrokenSocket(AssertionError())) is None
