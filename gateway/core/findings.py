"""What the scanner finds, and what a detector is: the words that `scan` and its detectors share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What was found; the value is the word used in records."""

    EMAIL = "email"
    CARD = "card"
    IBAN = "iban"
    US_SSN = "us_ssn"
    PHONE = "phone"
    API_KEY = "api_key"
    PRIVATE_KEY = "private_key"
    URL_CREDENTIALS = "url_credentials"
    ASSIGNED_SECRET = "assigned_secret"  # noqa: S105 -- the name of a kind, not a secret


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `start` and `end` are offsets into `Scanner.plain(text)`."""

    kind: FindingKind
    start: int
    end: int


Detector = Callable[[str], Iterator[Finding]]  # tells the findings of one kind, by position


@dataclass(frozen=True, slots=True)
class DetectorGroup:
    """Detectors that share a prefilter: `worth` is cheap and says whether any of them could find something."""

    worth: Callable[[str], bool]
    detectors: tuple[Detector, ...]
