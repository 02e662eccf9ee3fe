"""What one asking for a credential gave, and the ways it can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.core.credential import Credential


class MintError(Exception):
    """No credential was to be had; the message says why, in words that may be shown and never hold a secret."""


@dataclass(frozen=True, slots=True, repr=False)
class Minted:
    credential: Credential
    life_s: float | None  # None: until its source changes


Mint = Callable[[], Minted]
"""Asks for a credential; may take seconds. Raises `MintError`."""
