"""Which base URLs a provider may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.urls import checked_base_url
from gateway.upstream.call import Origin


@pytest.mark.parametrize(
    ("given_url", "kept"),
    [
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("http://vllm.models.svc:8000/v1", "http://vllm.models.svc:8000/v1"),
        ("http://10.0.0.7", "http://10.0.0.7"),
        ("http://localhost:1", "http://localhost:1"),
        ("HTTPS://Host.example./a/b%20c", "HTTPS://Host.example./a/b%20c"),
        ("http://[fd00::1]:8000/v1", "http://[fd00::1]:8000/v1"),
        ("http://my_container:80", "http://my_container:80"),
    ],
)
def test_accepts_plain_urls_without_their_last_slash(given_url: str, kept: str) -> None:
    assert checked_base_url(given_url) == kept


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://host", "must begin with http:// or https://"),
        ("host:8000", "must begin with http:// or https://"),
        ("http://user:secret@host", "must not carry credentials; use key:"),
        ("http://host?a=b", "must not carry a query or fragment"),
        ("http://host#a", "must not carry a query or fragment"),
        ("http://", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://ho st", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://höst", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://host:0", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://host:65536", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://-host-", "has no valid host, like https://host:8000/v1"),
        ("http://a..b", "has no valid host, like https://host:8000/v1"),
        ("http://127.1", "has a host that is neither a name nor a plain IP address"),
        ("http://2852039166", "has a host that is neither a name nor a plain IP address"),
        ("http://0xa9fea9fe/", "has a host that is neither a name nor a plain IP address"),
        ("http://[::g]", "is not a URL in plain ASCII, like https://host:8000/v1"),
        ("http://[1:2]", "has a host that is neither a name nor a plain IP address"),
    ],
)
def test_refuses_what_could_be_read_in_two_ways(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace(".", r"\.") + "$"):
        checked_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://169.254.1.1",
        "http://[fe80::1]",
        "http://[::ffff:169.254.169.254]",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
        "http://metadata.google.internal/v1",
        "http://METADATA.google.internal.",
    ],
)
def test_refuses_addresses_that_hand_out_credentials(url: str) -> None:
    with pytest.raises(ValueError, match="link-local or metadata address"):
        checked_base_url(url)


@given(st.from_regex(r"https?://[a-z0-9A-Z.:\[\]_/%@x-]{0,30}", fullmatch=True))
def test_accepts_nothing_that_the_dialler_would_refuse(url: str) -> None:
    try:
        kept = checked_base_url(url)
    except ValueError:
        return
    Origin.parse(kept)
