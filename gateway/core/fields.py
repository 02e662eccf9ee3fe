"""Reads the fields of a foreign JSON object, each with the type it must have.

Owns the sentence that says what is wrong and where. Used for what other programs, or other releases of this one, have
written; unknown fields are nobody's business here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

LARGEST = 1e300  # of numbers: beyond it lie infinity, and integers no float can hold
LARGEST_COUNT = 2**53  # what every reader of JSON can hold to the last digit, and most writers can write


class FieldError(ValueError):
    """A field is missing or not of its type; the message names it."""


class Fields:
    """One JSON object. Every getter raises `FieldError` where the field is absent or of another type."""

    __slots__ = ("_fields", "_where")

    def __init__(self, value: Any, where: str) -> None:
        """`where` names the object in messages."""
        if not isinstance(value, Mapping):
            raise FieldError(f"{where} is not an object")
        self._fields = value
        self._where = where

    def get(self, name: str) -> Any:
        """The field as it is, or None where it is absent."""
        return self._fields.get(name)

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._fields.get(name) is not None

    def text(self, name: str) -> str:
        value = self.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def count(self, name: str) -> int:
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
            raise self._wrong(name, "a whole number from 0 to 2^53")
        return value

    def number(self, name: str) -> float:
        """A number from 0, neither infinite nor NaN."""
        value = self.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LARGEST:
            raise self._wrong(name, "a finite number from 0")
        return value

    def sequence(self, name: str) -> Sequence[Any]:
        value = self.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def instant(self, name: str) -> float:
        """Unix seconds of an ISO 8601 text that says its offset from UTC."""
        text = self.text(name)
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise self._wrong(name, "an ISO 8601 time") from error
        if instant.tzinfo is None:
            raise self._wrong(name, "an ISO 8601 time with an offset")
        return instant.timestamp()

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.get(name)
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object")
        return value

    def _wrong(self, name: str, wanted: str) -> FieldError:
        return FieldError(f"{self._where}: {name} is not {wanted}")
