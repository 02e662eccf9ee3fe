"""Keys: the providers', read from files and variables, and the clients', known by their hashes alone.

A key may be a plain text, a cloud's key file (JSON), or what this workload is at a cloud; the last two give tokens and
signing keys, which `credentials` renews beside the requests. A provider's key never leaves here without the origin it
is for: a caller that would send it elsewhere gets an error instead. Values are masked wherever they could be printed.
What is done with a key is `upstream`'s business.
"""

import hmac
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from gateway.config.keys import read_key
from gateway.core.catalog import KeyRef, Provider
from gateway.core.credential import Credential
from gateway.core.policy import ClientKey
from gateway.edge.credentials import document
from gateway.edge.credentials.minted import Mint
from gateway.edge.credentials.minter import Minter, Renewal

LOOK_EVERY_S = 2.0  # how stale a rotated key may be; a stat per request would cost more than routing it
_DEFAULT_PORTS = {"http": 80, "https": 443}


class WrongOrigin(Exception):
    """A key was asked for on behalf of an origin that it is not for."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A provider's key, bound to its origin."""

    _value: Credential
    origin: str

    def for_origin(self, origin: str) -> Credential:
        """The key, to be sent to `origin` (`https://host[:port]`). Raises `WrongOrigin` where it is for another."""
        if origin != self.origin and origin_of(origin) != self.origin:
            raise WrongOrigin(f"the key is for {self.origin}")
        return self._value

    def __repr__(self) -> str:
        return f"Secret(…, {self.origin!r})"

    def __str__(self) -> str:
        return repr(self)


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, in lower case, the port always written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)}"


_Stamp = tuple[int, int, int] | None


def _stamp(path: str | None) -> _Stamp:
    """What changes when the file's content does: also where a ConfigMap's or Secret's symlink is swapped."""
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@dataclass(slots=True)
class _Held:
    ref: KeyRef
    origin: str
    look_at_s: float
    stamp: _Stamp
    secret: Secret | None
    renewal: Renewal | None = None  # who has the secret, where it does not stay the same
    renewed_by: Hashable = None  # the minter's name for it
    asked_by: str = ""  # the origin as the caller spells it, once it was found to be the right one


@dataclass(frozen=True, slots=True)
class _Reader:
    environ: Mapping[str, str]
    minter: Minter

    def hold(self, provider: Provider, now_s: float) -> _Held:
        origin = origin_of(provider.base_url)
        held = _Held(provider.key, origin, now_s + LOOK_EVERY_S, _stamp(provider.key.file), None)
        self.refresh(held)
        return held

    def refresh(self, held: _Held) -> None:
        """Read anew what is written; and ask who lends, where that is what is written."""
        held.secret = held.renewal = held.renewed_by = None
        if held.ref.identity is not None:
            lender = document.of_machine(held.ref.identity, self.environ)
            self._renewing(held, held.ref.identity, lender)
            return
        text = read_key(held.ref, self.environ)
        source = None if text is None else document.of_text(text, self.environ)
        if isinstance(source, tuple):
            self._renewing(held, text, source)
        elif source is not None:
            held.secret = Secret(source, held.origin)

    def _renewing(self, held: _Held, key: Hashable, lender: tuple[str, Mint]) -> None:
        held.renewed_by = key
        held.renewal = self.minter.renewal(key, *lender)

    def lent(self, held: _Held, now_s: float) -> Secret | None:
        """What a renewal has now."""
        credential = held.renewal.credential(now_s) if held.renewal else None
        if credential is None:
            held.secret = None
        elif held.secret is None or held.secret.for_origin(held.origin) is not credential:
            held.secret = Secret(credential, held.origin)
        return held.secret


class SecretStore:
    """The keys of all providers; files are looked at again every two seconds, by whoever asks first."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        now_s: Callable[[], float],
        environ: Mapping[str, str] | None = None,
        minter: Minter | None = None,
    ) -> None:
        """`minter`: the process's own, so that a new configuration goes on with the tokens there are."""
        self._now_s = now_s
        self._minter = minter or Minter(now_s)
        self._reader = _Reader(os.environ if environ is None else environ, self._minter)
        now = now_s()
        self._held = {name: self._reader.hold(provider, now) for name, provider in providers.items()}
        self._forget()
        self._missing = self._without_key()
        self._look_at_s = now + LOOK_EVERY_S

    def get(self, provider: str, origin: str) -> Credential | None:
        """What requests of `provider` are authorised with, for `origin` alone; None: it has nothing, or needs none.

        Raises:
            WrongOrigin: the key is bound to another origin.
            KeyError: there is no such provider.
        """
        held = self._held[provider]
        now = self._now_s()
        if now >= held.look_at_s:
            self._look(held, now)
        if held.renewal is not None:
            self._reader.lent(held, now)
        if held.secret is None:
            return None
        if origin != held.asked_by:
            held.secret.for_origin(origin)
            held.asked_by = origin
        return held.secret.for_origin(held.origin)

    def missing(self) -> frozenset[str]:
        """Providers that need a key and have none."""
        now = self._now_s()
        if now >= self._look_at_s:
            self._look_at_s = now + LOOK_EVERY_S
            for held in self._held.values():
                self._look(held, now)
            missing = self._without_key()
            if missing != self._missing:  # the same object while nothing changes: it is part of a cache's key
                self._missing = missing
        return self._missing

    def problems(self) -> dict[str, str]:
        """Why providers whose credentials are lent have none, in words for people."""
        renewals = {name: held.renewal for name, held in self._held.items() if held.renewal is not None}
        return {name: renewal.problem for name, renewal in renewals.items() if renewal.problem is not None}

    def _look(self, held: _Held, now: float) -> None:
        held.look_at_s = now + LOOK_EVERY_S
        stamp = _stamp(held.ref.file)
        if stamp != held.stamp:
            held.stamp = stamp
            self._reader.refresh(held)
            self._forget()

    def _forget(self) -> None:
        """What nobody uses any more is not renewed."""
        self._minter.keep(held.renewed_by for held in self._held.values())

    def _without_key(self) -> frozenset[str]:
        now = self._now_s()
        for held in self._held.values():
            if held.renewal is not None:
                self._reader.lent(held, now)
        return frozenset(name for name, held in self._held.items() if held.secret is None and not held.ref.none)


class KeyRing:
    """The clients' keys. Every hash is compared, in constant time each, so that timing tells nothing.

    A token that was right is remembered, since a hash costs 3 µs: who has it already learns nothing from being faster,
    and whoever guesses is compared with it only where all 64 bits of a keyed hash (Python's, of strings) are the same.
    """

    __slots__ = ("_keys", "_known")

    def __init__(self, keys: Iterable[ClientKey]) -> None:
        self._keys = tuple(keys)
        self._known: dict[str, str] = {}  # right tokens and the ids of their keys: never more than there are keys

    def identify(self, token: str) -> str | None:
        """Id of the key that `token` is, or None."""
        known = self._known.get(token)
        return known if known is not None else self._compared(token)

    def _compared(self, token: str) -> str | None:
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key.id
        if found is not None:
            self._known[token] = found
        return found
