"""POST to one place, blocking, over a connection that is kept: for a courier's thread.

Owns what an answer means for a batch: arrived, to be tried again, or refused for good. Certificates are verified
(OpenSSL's own variables SSL_CERT_FILE and SSL_CERT_DIR add authorities); redirects are not followed, since a key would
go along. No message holds a key, a body or what the other side wrote.
"""

import gzip
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from gateway import VERSION
from gateway.edge.courier import Undelivered
from gateway.formats.horizon import retry_after_s

TIMEOUT_S = 10.0  # for each wait, as OTEL_EXPORTER_OTLP_TIMEOUT's default
ANSWER_BYTES = 64 * 1024  # of an answer that is read; who says more loses the connection
GZIP_FROM_BYTES = 1024  # less does not become smaller than a packet
TRANSIENT = frozenset({408, 425, 429})  # and all from 500
USER_AGENT = f"pointsman/{VERSION}"


def gzipped(body: bytes, headers: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Body and headers as they travel: compressed where that saves something."""
    if len(body) < GZIP_FROM_BYTES:
        return body, dict(headers)
    return gzip.compress(body, compresslevel=3, mtime=0), {**headers, "Content-Encoding": "gzip"}


class Answered(Undelivered):
    """The other side answered, and not with a success."""

    def __init__(self, status: int, retry_after_s: float | None, final: bool) -> None:
        super().__init__(f"answered {status}", retry_after_s, final)
        self.status = status


class Post:
    """One place. Not for several threads at once."""

    def __init__(
        self,
        base_url: str,
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        epoch_s: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            base_url: http or https, host, and what stands before every path.
            timeout_s: for each wait for the other side.
            tls: None for the machine's own authorities.
            epoch_s: the clock, for dates in Retry-After.
        """
        self._connection: HTTPConnection | None = None
        parts = urlsplit(base_url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout_s = timeout_s
        self._tls = tls
        self._epoch_s = epoch_s

    def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The answer's body, of a success. Raises `Undelivered` for everything else, `Answered` where it was told."""
        try:
            answer, said = self._exchange(self._prefix + path, body, {"User-Agent": USER_AGENT, **headers})
        except TimeoutError:
            self.close()
            raise Undelivered(f"no answer within {self._timeout_s:g} s", None, final=False) from None
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise Undelivered(f"the certificate is not trusted ({error.verify_message})", None, final=False) from None
        except (OSError, HTTPException) as error:
            self.close()
            raise Undelivered(f"cannot be reached ({_why(error)})", None, final=False) from None
        if 200 <= answer.status < 300:
            return said
        transient = answer.status in TRANSIENT or answer.status >= 500
        wait_s = self._wait_s(answer) if transient else None
        raise Answered(answer.status, wait_s, final=not transient)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[HTTPResponse, bytes]:
        kept = self._connection
        if kept is not None:
            try:
                return self._ask(kept, path, body, headers)
            except (ConnectionError, HTTPException):  # closed while nothing was sent, which is nobody's fault
                self.close()
        self._connection = fresh = self._connect()
        return self._ask(fresh, path, body, headers)

    def _connect(self) -> HTTPConnection:
        if not self._secure:
            return HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        self._tls = self._tls or ssl.create_default_context()
        return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)

    def _ask(
        self, connection: HTTPConnection, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        connection.request("POST", path or "/", body, dict(headers))
        answer = connection.getresponse()
        said = answer.read(ANSWER_BYTES)
        if answer.will_close or not answer.isclosed():  # the latter: there is more, which nobody will read
            self.close()
        return answer, said

    def _wait_s(self, answer: HTTPResponse) -> float | None:
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return retry_after_s(headers, self._epoch_s())


def _why(error: Exception) -> str:
    """Of an error of the system its words, else its kind: an HTTPException's words may be the other side's."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
