"""What may be sent to a cheaper tier, and on what grounds: the monitor's certificates, as the gateway reads them.

A certificate says: on this route (and for this task), requests whose score lies below `threshold` may go one tier lower
than the rules ask, and with probability 1 - `delta` that costs no more than `alpha` of quality on average. It holds for
the model that made the scores alone, and until a date. Owns the JSON of `certificates.json` and the choice among
certificates; how one comes about is `core.guarantee`'s business.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from gateway.core.value import Value

VERSION = 1
KEY = "certificates.json"


class Certificate(Value):
    """Times are epoch seconds; shares and losses lie in [0, 1] and [-1, 1]."""

    id: str
    route: str
    task: str | None  # None: whatever the task
    step: int  # from tier number `step` + 1 to `step`
    threshold: float  # of the score; what lies below may go lower
    alpha: float
    delta: float
    judged: int  # pairs that it rests on
    share: float  # of them that lie below the threshold
    loss: float  # what was lost on average over all of them, measured
    model: str  # fingerprint of the learned model that made the scores
    since_s: float
    until_s: float
    without: tuple[str, ...] = ()  # tasks that one for the whole route does not speak of: they have, or had, their own


class Certificates(Value):
    """All that are in force."""

    version: int
    as_of_s: float
    certificates: tuple[Certificate, ...] = ()


class CertificateError(Exception):
    """The text is no file of certificates; the message says why."""


NONE = Certificates(VERSION, 0.0)


def decode_certificates(data: bytes) -> Certificates:
    """Raises CertificateError for anything but a whole file of this version."""
    try:
        found = msgspec.json.decode(data, type=Certificates)
    except msgspec.MsgspecError as error:
        raise CertificateError(f"is no file of certificates: {error}") from None
    except RecursionError:
        raise CertificateError("is nested too deeply") from None
    if found.version != VERSION:
        raise CertificateError(f"is of version {found.version}; this program reads {VERSION}")
    return found


def encode_certificates(certificates: Certificates) -> bytes:
    return msgspec.json.encode(certificates)


class Grounds:
    """The certificates of one learned model, by what they are about."""

    def __init__(self, certificates: Iterable[Certificate], model: str) -> None:
        self._found = {(one.route, one.task, one.step): one for one in certificates if one.model == model}

    def of(self, route: str, task: str, step: int, now_s: float) -> Certificate | None:
        """The one that is in force for the task, else for the whole route, where that speaks of the task."""
        for what in (task, None):
            found = self._found.get((route, what, step))
            if found is not None and found.since_s <= now_s < found.until_s and task not in found.without:
                return found
        return None

    def shown(self) -> Mapping[str, Any]:
        """For people, by id."""
        return {one.id: msgspec.to_builtins(one) for one in self._found.values()}

    def __bool__(self) -> bool:
        return bool(self._found)
