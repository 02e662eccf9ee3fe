"""One POST, and what its answer means for a batch."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.edge.courier import Undelivered
from gateway.edge.sinks.post import USER_AGENT, Post, gzipped
from tests.support.certificates import self_signed
from tests.support.receiver import HANG_UP, NEVER, Receiver, Reply, receiving

HEADERS = {"Authorization": "Bearer sk-secret", "Content-Type": "application/json"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        found.keeps = True
        yield found


@pytest.fixture
def post(receiver: Receiver) -> Iterator[Post]:
    found = Post(receiver.url + "/base/", epoch_s=lambda: 1_700_000_000.0)
    yield found
    found.close()


def trouble(post: Post) -> tuple[str, float | None, bool]:
    with pytest.raises(Undelivered) as caught:
        post.send("/path", b"{}", HEADERS)
    return str(caught.value), caught.value.retry_after_s, caught.value.final


def test_sends_body_and_headers_and_returns_the_answer(receiver: Receiver, post: Post) -> None:
    receiver.replies = [Reply(202, {}, b"thanks")]
    assert post.send("/path", b'{"a":1}', HEADERS) == b"thanks"
    [sent] = receiver.sent
    assert (sent.path, sent.body) == ("/base/path", b'{"a":1}')
    assert sent.headers == {
        "host": receiver.url.removeprefix("http://"),
        "accept-encoding": "identity",
        "content-length": "7",
        "user-agent": USER_AGENT,
        "authorization": "Bearer sk-secret",
        "content-type": "application/json",
    }


def test_keeps_its_connection(receiver: Receiver, post: Post) -> None:
    for _ in range(3):
        post.send("/path", b"", {})
    assert (len(receiver.sent), receiver.connections) == (3, 1)


def test_begins_a_new_connection_where_the_old_one_was_closed(receiver: Receiver, post: Post) -> None:
    receiver.replies = [Reply(), HANG_UP, Reply()]
    post.send("/path", b"", {})
    post.send("/path", b"", {})
    assert (len(receiver.sent), receiver.connections) == (3, 2)


def test_lets_go_of_a_connection_whose_answer_is_too_long(receiver: Receiver, post: Post) -> None:
    receiver.replies = [Reply(200, {}, b"x" * 200_000)]
    assert len(post.send("/path", b"", {})) == 64 * 1024
    post.send("/path", b"", {})
    assert receiver.connections == 2


@pytest.mark.parametrize(
    ("reply", "wait_s", "final"),
    [
        (Reply(429, {"Retry-After": "17"}), 17.0, False),
        (Reply(503, {"Retry-After": "Tue, 14 Nov 2023 22:14:20 GMT"}), 60.0, False),
        (Reply(500), None, False),
        (Reply(502), None, False),
        (Reply(408), None, False),
        (Reply(400, {}, b"sk-secret was wrong"), None, True),
        (Reply(401, {"Retry-After": "17"}), None, True),
        (Reply(413), None, True),
        (Reply(307, {"Location": "http://127.0.0.1:1/"}), None, True),
    ],
)
def test_tells_what_may_be_tried_again(
    receiver: Receiver, post: Post, reply: Reply, wait_s: float | None, final: bool
) -> None:
    receiver.replies = [reply]
    assert trouble(post) == (f"answered {reply.status}", wait_s, final)


def test_does_not_wait_for_ever(receiver: Receiver) -> None:
    receiver.replies = [NEVER]
    post = Post(receiver.url, timeout_s=0.05)
    assert trouble(post) == ("no answer within 0.05 s", None, False)
    assert len(receiver.sent) == 1  # an answer that is late is no reason to send twice


def test_tries_again_later_where_nobody_listens() -> None:
    with socket.socket() as held:  # bound and not listening: nobody else can have the port
        held.bind(("127.0.0.1", 0))
        post = Post(f"http://127.0.0.1:{held.getsockname()[1]}")
        assert trouble(post) == ("cannot be reached (Connection refused)", None, False)


def test_tries_again_later_where_the_other_side_hangs_up(receiver: Receiver, post: Post) -> None:
    receiver.replies = [HANG_UP]
    assert trouble(post) == ("cannot be reached (RemoteDisconnected)", None, False)


def test_tries_again_later_where_the_answer_is_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        post = Post(f"http://127.0.0.1:{server.getsockname()[1]}")
        server.settimeout(20)
        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(b"sk-secret\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert trouble(post) == ("cannot be reached (BadStatusLine)", None, False)
        thread.join()


def test_compresses_what_is_long_enough() -> None:
    assert gzipped(b"short", {"A": "b"}) == (b"short", {"A": "b"})
    body, headers = gzipped(b"x" * 5_000, {"A": "b"})
    assert headers == {"A": "b", "Content-Encoding": "gzip"}
    assert len(body) < 100


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls") / "both.pem")


def test_trusts_only_known_authorities(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with receiving(tls) as receiver:
        stranger = Post(receiver.url)
        assert trouble(stranger) == ("the certificate is not trusted (self-signed certificate)", None, False)
        known = Post(receiver.url, tls=ssl.create_default_context(cafile=str(certificate)))
        assert known.send("/path", b"", {}) == b""
        known.close()
        assert len(receiver.sent) == 1
