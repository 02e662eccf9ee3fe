"""Tickets of the scoring page: what a scorer hands back with a verdict. To its holder a ticket is noise.

A ticket is encrypted and authenticated (Fernet) under a secret that all replicas of the monitor share, so that any of
them understands it. It names the pair by its decision's id, which a scorer must not know: the gateway's page tells
which endpoint answered it. On which side the lower tier's answer stands is not in it, but follows from the secret.
"""

import base64
import hmac

import msgspec

SECRET_BYTES = 32
LIFE_S = 3600  # longer than any pair is held: a late verdict is still a blind one


class TicketError(Exception):
    """The ticket cannot be taken; the message says why and what to do."""


class ForgedTicketError(TicketError):
    """Nobody here made this ticket."""


class LapsedTicketError(TicketError):
    """The ticket is too old, or its pair is gone."""


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    decision: str
    scorer: str


class Tickets:
    """Makes and reads tickets under one secret of `SECRET_BYTES`."""

    def __init__(self, secret: bytes) -> None:
        # Here and not above: it weighs 7 MiB, which a monitor without scorers shall not carry.
        from cryptography.fernet import Fernet, InvalidToken

        self._invalid = InvalidToken
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(secret, b"ticket")))
        self._order = _derived(secret, b"order")

    def sealed(self, ticket: Ticket, now_s: float) -> str:
        return self._fernet.encrypt_at_time(msgspec.json.encode(ticket), int(now_s)).decode()

    def read(self, sealed: str, now_s: float) -> Ticket:
        """Raises ForgedTicketError, LapsedTicketError."""
        try:
            token = sealed.encode("ascii")
            made_s = self._fernet.extract_timestamp(token)
            ticket = msgspec.json.decode(self._fernet.decrypt(token), type=Ticket)
        except (self._invalid, UnicodeEncodeError):
            raise ForgedTicketError("'ticket' is none of this monitor's; GET api/evaluation/next gives one") from None
        if now_s - made_s > LIFE_S:
            raise LapsedTicketError(f"the ticket is older than {LIFE_S // 60} minutes; ask for the next pair")
        return ticket

    def lower_is_left(self, ticket: Ticket) -> bool:
        """A fair coin for each pair and scorer that always falls the same way, here and at any replica."""
        return hmac.digest(self._order, msgspec.json.encode(ticket), "sha256")[0] % 2 == 0


def _derived(secret: bytes, use: bytes) -> bytes:
    """A key of its own for each use."""
    return hmac.digest(secret, use, "sha256")
