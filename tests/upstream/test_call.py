"""Base URLs that are taken, those that are refused, and what is shown of a call."""

import pytest

from gateway.upstream.call import Call, Origin, OriginError


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://api.openai.com/v1", Origin("https", "api.openai.com", 443), "/v1"),
        ("HTTPS://API.OpenAI.com/v1/", Origin("https", "api.openai.com", 443), "/v1"),
        ("http://vllm.models.svc:8000/v1", Origin("http", "vllm.models.svc", 8000), "/v1"),
        ("http://vllm.models.svc.cluster.local.", Origin("http", "vllm.models.svc.cluster.local.", 80), ""),
        ("http://my_vllm:8000", Origin("http", "my_vllm", 8000), ""),
        ("http://127.0.0.1:11434/", Origin("http", "127.0.0.1", 11434), ""),
        ("http://[::1]:8000/v1", Origin("http", "::1", 8000), "/v1"),
        ("https://[2001:DB8:0::1]/a/b", Origin("https", "2001:db8::1", 443), "/a/b"),
        ("https://x.azure.com/openai/a%20b", Origin("https", "x.azure.com", 443), "/openai/a%20b"),
    ],
)  # fmt: skip
def test_reads_a_base_url(url: str, origin: Origin, prefix: str) -> None:
    assert Origin.parse(url) == (origin, prefix)


@pytest.mark.parametrize(
    "url",
    [
        "", "api.openai.com/v1", "ftp://a.com", "file:///etc/passwd", "unix:/run/x", "https://", "https:///v1",
        "//a.com/v1",
        "https://user:pw@a.com", "https://a.com@evil.com", "https://a.com?x=1", "https://a.com/v1#f",
        "http://0x7f.1", "http://127.1", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1", "http://127.0.0.01",
        "http://1.2.3.4.", "http://1.2.3.256", "http://a.0x", "http://[::g]", "http://[127.0.0.1]", "http://[fe80::1%eth0]",
        "http://a.com:0", "http://a.com:65536", "http://a.com:99999", "http://a.com:", "http://a.com:-1", "http://a.com:8o",
        "http://a..b", "http://.a", "http://-a.com", "http://" + "a" * 64 + ".com", "http://" + "a." * 127 + "com", "http://.",
        "http://a.com\\@evil.com", "http://a.com/\r\nx: y", "http://a.com/ b", " http://a.com", "http://a.com\n", "http://a.com/é",
        "http://bücher.de", "http://a,b.com", "http://a.com/\x00",
    ],
)  # fmt: skip
def test_refuses_what_another_parser_could_read_differently(url: str) -> None:
    with pytest.raises(OriginError):
        Origin.parse(url)


def test_never_repeats_a_password() -> None:
    with pytest.raises(OriginError) as caught:
        Origin.parse("https://user:s3cret@a.com")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("origin", "authority", "text"),
    [
        (Origin("https", "a.com", 443), "a.com", "https://a.com"),
        (Origin("http", "a.com", 443), "a.com:443", "http://a.com:443"),
        (Origin("http", "::1", 80), "[::1]", "http://[::1]"),
        (Origin("https", "::1", 8443), "[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_names_its_authority(origin: Origin, authority: str, text: str) -> None:
    assert (origin.authority, str(origin)) == (authority, text)


def test_shows_neither_headers_nor_query_nor_body() -> None:
    call = Call(Origin("https", "a.com", 443), "POST", "/v1/x?key=s3cret", (("authorization", "s3cret"),), b"s3cret")
    assert repr(call) == "Call(POST https://a.com/v1/x, 1 headers, 6 bytes)"
