"""Evidence that a request never arrived, and what is none."""

import socket
import struct

import pytest

from gateway.upstream.resend import TcpView, never_arrived, tcp_view

USED = TcpView(established=True, acked=501)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(USED, TcpView(established=False, acked=501), True, id="the peer acknowledged nothing of it"),
        pytest.param(USED, TcpView(established=False, acked=502), False, id="the peer acknowledged a byte"),
        pytest.param(None, TcpView(established=False, acked=1), False, id="a new connection"),
        pytest.param(USED, None, False, id="the kernel says nothing"),
        pytest.param(TcpView(True, 0), TcpView(False, 0), False, id="the kernel does not count"),
    ],
)
def test_is_only_sure_of_unacknowledged_bytes_on_a_used_connection(
    before: TcpView | None, after: TcpView | None, expected: bool
) -> None:
    assert never_arrived(before, after) is expected


@pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="this system has no TCP_INFO")
def test_sees_in_the_kernel_what_the_peer_took_and_that_it_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as ours:
        theirs, _ = server.accept()
        ours.sendall(bytes(100))
        assert theirs.recv(200) == bytes(100)
        used = tcp_view(ours)
        theirs.close()
        closed = tcp_view(ours)
        ours.sendall(bytes(50))
        refused = tcp_view(ours)
    assert used is not None
    assert used.established
    assert closed == TcpView(established=False, acked=used.acked)
    assert never_arrived(used, refused)


class BrokenSocket:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        raise self.error


@pytest.mark.parametrize("error", [OSError(9, "Bad file descriptor"), struct.error("short")])
def test_takes_an_error_for_no_account(error: Exception) -> None:
    assert tcp_view(BrokenSocket(error)) is None


def test_has_no_account_where_the_system_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_INFO", raising=False)
    assert tcp_view(BrokenSocket(AssertionError())) is None
