"""When a request may be sent a second time to the same upstream: only when the first provably never arrived.

A server may close an idle connection at the very moment the next request is written to it. From above, that looks
like a server that took the request, began to generate (and to bill) and died. The transport knows the difference:
a peer that had closed before our bytes came acknowledges none of them, while a peer that took them did, with its
closing segment at the latest. Time is no evidence, nor is silence. Where the kernel gives no account (it is Linux's
TCP_INFO), nothing is sent twice.

What is left: a peer behind a proxy is judged by the proxy, which makes the answer "arrived" and so errs on the safe
side; and a peer reset between taking the last byte and its delayed acknowledgement (at most 40 ms) with input still
unread cannot have read the whole request.
"""

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

TCP_ESTABLISHED = 1  # linux/include/net/tcp_states.h

# struct tcp_info of linux/include/uapi/linux/tcp.h: tcpi_state is its first byte, tcpi_bytes_acked the u64 at 120.
_TCP_INFO = struct.Struct("=B119xQ")


class Socket(Protocol):
    """What asyncio hands out as a transport's socket."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class TcpView:
    """What the kernel knows about a connection."""

    established: bool  # False as soon as the peer has closed, even if no one has read that far
    acked: int  # bytes the peer has acknowledged since the connection began


def tcp_view(sock: Socket) -> TcpView | None:
    """The kernel's account; None where it gives none."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO.size)
        state, acked = _TCP_INFO.unpack(info)
    except (OSError, struct.error):
        return None
    return TcpView(state == TCP_ESTABLISHED, acked)


def never_arrived(before: TcpView | None, after: TcpView | None) -> bool:
    """Whether a request that got no byte of response provably never reached its peer.

    Args:
        before: the view just before the request was written, on a connection that has already carried one; None for a
            new connection, whose end says something about the upstream and not about a race.
        after: the view after the connection ended.
    """
    if before is None or after is None or before.acked == 0:  # 0 after a whole exchange: this kernel does not count
        return False
    return after.acked == before.acked
