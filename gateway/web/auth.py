"""Who may come in: client keys from the configuration (CONTRACT §3, `auth`)."""

from collections.abc import Callable, Mapping
from typing import Protocol

from gateway.core.refusal import Refusal, RefusalKind, Refused


class Ring(Protocol):
    """The accepted keys."""

    def identify(self, token: str) -> str | None:
        """Id of the key, or None where it is not accepted."""


class Door:
    """Checks each request's key. `ring` gives the keys of the current configuration; None: the API is open."""

    def __init__(self, ring: Callable[[], Ring | None], turned_away: Callable[[], None]) -> None:
        self._ring = ring
        self._turned_away = turned_away

    def enter(self, headers: Mapping[str, str]) -> str | None:
        """The id of the client's key; None where the API is open.

        Args:
            headers: lower-cased names. The key is a bearer token or `x-api-key`, on every surface.

        Raises:
            Refused: there is no key, or a wrong one; its value is never repeated.
        """
        ring = self._ring()
        if ring is None:
            return None
        token = _token(headers)
        key_id = None if token is None else ring.identify(token)
        if key_id is None:
            self._turned_away()
            how = "send it as `Authorization: Bearer KEY` or as `x-api-key`"
            what = "no key was given" if token is None else "the key is not valid here"
            raise Refused(Refusal(RefusalKind.UNAUTHORIZED, f"{what}; {how}"))
        return key_id


def _token(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None
