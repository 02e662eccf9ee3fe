"""What a request to a provider is authorised with, as a value. Where it comes from is the edge's business."""

from gateway.core.value import Value


class Bearer(Value):
    """A token lent for an hour or so. It goes into `Authorization`, whatever the wire format does with keys."""

    token: str

    def __repr__(self) -> str:
        return "Bearer(…)"


class AwsKeys(Value):
    """Keys that sign each request (Signature Version 4) and are never sent themselves."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "AwsKeys(…)"


Credential = str | Bearer | AwsKeys
"""A plain text is a key that stays the same, put where the wire format wants it."""
