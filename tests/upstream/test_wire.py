"""The bytes of a request, and what cannot become one."""

import pytest

from gateway.core.failure import AttemptError, Failure, FailureKind
from gateway.upstream.call import Call, Origin
from gateway.upstream.wire import CACHED_PREFIXES, JOINED_BODY, Requests

A = Origin("https", "a.com", 443)


def render(call: Call) -> tuple[bytes, ...]:
    return Requests().render(call)


def refusal(call: Call) -> Failure:
    with pytest.raises(AttemptError) as caught:
        render(call)
    return caught.value.failure


def test_joins_head_and_small_body_into_one_write() -> None:
    assert render(Call(A, "POST", "/x?a=b", (("X-Key", "k"),), b"{}")) == (
        b"POST /x?a=b HTTP/1.1\r\nhost: a.com\r\naccept-encoding: identity\r\nX-Key: k\r\ncontent-length: 2\r\n\r\n{}",
    )


def test_does_not_copy_a_large_body() -> None:
    body = bytes(JOINED_BODY + 1)
    head, sent = render(Call(A, "POST", "/", (), body))
    assert sent is body
    assert head.endswith(b"\r\ncontent-length: 65537\r\n\r\n")


@pytest.mark.parametrize(
    ("method", "end"),
    [("GET", b"identity\r\n\r\n"), ("DELETE", b"identity\r\n\r\n"), ("POST", b"identity\r\ncontent-length: 0\r\n\r\n")],
)
def test_gives_an_empty_body_a_length_only_where_one_is_expected(method: str, end: bytes) -> None:
    (request,) = render(Call(A, method, "/", (), b""))
    assert request.endswith(end)


def test_names_the_port_where_it_is_not_the_scheme_s_own() -> None:
    (request,) = render(Call(Origin("http", "::1", 8000), "GET", "/", (), b""))
    assert b"\r\nhost: [::1]:8000\r\n" in request


def test_headers_of_one_request_alone_follow_what_is_kept() -> None:
    requests = Requests()
    for value in (b"1", b"2"):
        call = Call(A, "POST", "/x", (("a", "b"),), b"{}", (("traceparent", value.decode()),))
        (request,) = requests.render(call)
        assert request.endswith(b"identity\r\na: b\r\ntraceparent: " + value + b"\r\ncontent-length: 2\r\n\r\n{}")
    (plain,) = requests.render(Call(A, "POST", "/x", (("a", "b"),), b"{}"))
    assert plain == request.replace(b"traceparent: 2\r\n", b"")
    assert "line break" in refusal(Call(A, "POST", "/x", (), b"", (("tracestate", "a=b\r\nx: y"),))).message


def test_keeps_what_requests_have_in_common_and_tells_them_apart() -> None:
    requests = Requests()
    for body in (b"1", b"22", b"1"):
        call = Call(A, "POST", "/x", (("a", "b"),), body)
        assert requests.render(call) == render(call)
    for other in (
        Call(A, "POST", "/y", (("a", "b"),), b"1"),
        Call(A, "PUT", "/x", (("a", "b"),), b"1"),
        Call(A, "POST", "/x", (("a", "c"),), b"1"),
        Call(Origin("https", "b.com", 443), "POST", "/x", (("a", "b"),), b"1"),
    ):
        assert requests.render(other) == render(other)


def test_forgets_prefixes_rather_than_keep_one_per_request() -> None:
    requests = Requests()
    for number in range(3 * CACHED_PREFIXES):
        requests.render(Call(A, "POST", "/", (("traceparent", str(number)),), b""))
    assert len(requests._prefixes) <= CACHED_PREFIXES


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "a\x00b", "a\x7f", "a\x1b", "\u2028", "ключ"])
def test_refuses_values_that_end_a_header(value: str) -> None:
    assert refusal(Call(A, "POST", "/", (("x-a", value),), b"")) == Failure(
        FailureKind.INTERNAL, "the header 'x-a' holds a line break or another character it must not"
    )


def test_blames_a_key_that_cannot_be_a_header_on_the_credential() -> None:
    assert refusal(Call(A, "POST", "/", (("Authorization", "Bearer s3cret\n"),), b"")) == Failure(
        FailureKind.CREDENTIAL, "the header 'authorization' holds a line break or another character it must not"
    )


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "ä", "a\x00"])
def test_refuses_names_that_are_no_token(name: str) -> None:
    assert refusal(Call(A, "POST", "/", ((name, "v"),), b"")).kind is FailureKind.INTERNAL


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "connection", "Accept-Encoding", "expect"]
)
def test_lets_nobody_else_set_the_framing(name: str) -> None:
    assert refusal(Call(A, "POST", "/", ((name, "1"),), b"")).kind is FailureKind.INTERNAL


@pytest.mark.parametrize("path", ["", "x", "/a b", "/a\r\nb", "/\x00", "/é", "http://b.com/"])
def test_refuses_paths_that_end_the_request_line(path: str) -> None:
    assert refusal(Call(A, "POST", path, (), b"")).kind is FailureKind.INTERNAL


@pytest.mark.parametrize("method", ["HEAD", "CONNECT", "post", "GET /x", ""])
def test_refuses_methods_whose_answers_are_framed_otherwise(method: str) -> None:
    assert refusal(Call(A, method, "/", (), b"")).kind is FailureKind.INTERNAL
