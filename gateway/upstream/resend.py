"""When a request may be sent a second time to the same upstream: only when the first provably never arrived.

A server may close an idle connection at the very moment the next request is written to it. From above, that looks
like a server that took the request, began to generate (and to bill) and died. The transport knows the difference:
a peer that had closed before our bytes came acknowledges none of them, while a peer that took them did, with its
closing segment at the latest. Time is no evidence, nor is silence. Where the kernel gives no account (it is Linux's
TCP_INFO) or was not asked, because the connection had hardly been idle, nothing is sent twice.

What is left: a peer behind a proxy is judged by the proxy, which makes the answer "arrived" and so errs on the safe
side; and a peer reset between taking the last byte and its delayed acknowledgement (at most 40 ms) with input still
unread cannot have read the whole request.
"""

import socket
import struct
from typing import Protocol

_TCP_INFO = struct.Struct("=120xQ")  # linux/include/uapi/linux/tcp.h: tcpi_bytes_acked is the u64 at 120


class Socket(Protocol):
    """What asyncio hands out as a transport's socket."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def acked_bytes(sock: Socket) -> int | None:
    """What the peer has acknowledged since the connection began; None where the kernel does not say."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return None
    try:
        (acked,) = _TCP_INFO.unpack(sock.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO.size))
    except (OSError, struct.error):
        return None
    return int(acked)


def never_arrived(before: int | None, after: int | None) -> bool:
    """Whether a request that got no byte of response provably never reached its peer.

    Args:
        before: `acked_bytes` just before the request was written, on a connection that has already carried one; None
            for a new connection, whose end says something about the upstream and not about a race.
        after: `acked_bytes` after the connection ended.
    """
    return before == after and bool(before)  # 0 after a whole exchange: this kernel does not count
