"""The secret that gateways and their monitor share: by it the monitor tells who may hand over halves of pairs.

Both read it from the same places, and again whenever it is needed, so that it can be replaced while they run. It is
never shown.
"""

import hmac
from collections.abc import Mapping

from gateway.edge.sinks.keys import SinkKey

HEADER = "Authorization"
VARIABLE = "POINTSMAN_EVALUATIONS_TOKEN"
_SCHEME = "Bearer "


def shared_token(environ: Mapping[str, str]) -> SinkKey:
    """Where it stands: in the file evaluations/token beside the other keys, else in a variable."""
    return SinkKey("evaluations", "token", VARIABLE, environ)


def bearer(token: str) -> str:
    """The value of `HEADER` that proves that its sender knows the token."""
    return _SCHEME + token


def proves(value: str, token: str) -> bool:
    """Whether a value of `HEADER`, "" for none, is the one of this token; how long it takes tells nothing of it."""
    return hmac.compare_digest(value.encode("utf-8", "surrogateescape"), bearer(token).encode())
