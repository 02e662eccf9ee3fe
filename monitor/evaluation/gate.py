"""Who may hand over halves: whoever knows the token that the gateways share, and where there is none, programs on this
machine alone.

A half that somebody made up weighs like one of the traffic, and certificates follow from them.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.edge.shared_token import HEADER, VARIABLE, proves
from gateway.edge.sinks.keys import SinkKey

HERE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
"""No other of 127.0.0.0/8: meshes hand over under some of them what came from elsewhere."""

PASSED_ON = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via")  # by a proxy on this machine
BROWSERS = ("Origin", "Sec-Fetch-Site")  # no gateway is one, and a page may come from anywhere

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Gate:
    token: SinkKey
    _told: bool = False

    def announce(self) -> None:
        """Say once where everybody else is refused."""
        if not self._told and self.token.read() is None:
            self._told = True
            log.warning(
                "pairs are taken from gateways on this machine alone, since there is no token that they share with the "
                "monitor: give both the file %s, or %s",
                self.token.file, VARIABLE,
            )  # fmt: skip

    def refusal(self, remote: str | None, headers: Mapping[str, str]) -> str | None:
        """Why whoever asks from that address may not; None: they may."""
        token = self.token.read()
        if token is not None:
            return None if proves(headers.get(HEADER, ""), token) else "send the token that gateways and monitor share"
        if remote in HERE and not any(name in headers for name in (*PASSED_ON, *BROWSERS)):
            return None
        return f"this monitor has no {VARIABLE}, and without one it takes pairs from programs on its own machine alone"
