"""What a key is that is no plain text: a JSON document tells by its fields whose it is; or a cloud is named."""

import json
from collections.abc import Mapping

from gateway.core.credential import Credential
from gateway.edge.credentials import aws, entra, google
from gateway.edge.credentials.minted import Mint

Source = Credential | tuple[str, Mint] | None
"""What can be used as it is; or who lends, for people, and how to ask; or nothing."""


def of_text(text: str, environ: Mapping[str, str]) -> Source:
    """A key as it stands in a file or variable; None for a document that is nobody's."""
    if not text.startswith("{"):
        return text
    try:
        document = json.loads(text)
    except ValueError:
        return text  # a key may begin as it likes
    if document.get("type") in google.TYPES:
        return "Google", google.of_document(document)
    if entra.is_document(document):
        return "Entra ID", entra.of_document(document, environ)
    return aws.of_document(document)


def of_machine(cloud: str, environ: Mapping[str, str]) -> tuple[str, Mint]:
    """The workload's own identity at a cloud."""
    match cloud:
        case "aws":
            return "AWS", aws.of_machine(environ)
        case "azure":
            return "Entra ID", entra.of_machine(environ)
        case _:
            return "Google", google.of_machine()
