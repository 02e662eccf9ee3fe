"""A gateway that keeps nothing of its requests: `python -m loadtest.bench.unseen`, the other half of what seeing costs.

The product has no such switch: its metrics are always on. Here whoever takes a request's end drops it, so that nothing
is counted, remembered, written or traced; everything else is `python -m gateway`. That one is replaced and no method of
the walk, since of compiled classes objects can be changed and methods cannot.
"""

import sys

from gateway import serve
from gateway.__main__ import main
from gateway.compose import Gateway, Keeper
from gateway.config.compile import Compiled
from gateway.flow.answer import Ended
from gateway.flow.ports import Clock
from gateway.upstream.client import Upstream


def forgetful(compiled: Compiled, records: Keeper, clock: Clock, upstream: Upstream) -> Gateway:
    """A gateway whose walk tells nobody of the runs that end."""
    gateway = Gateway(compiled, records, clock, upstream)
    gateway.walk._ended = _forget
    return gateway


def _forget(ended: Ended) -> None:
    """Nothing."""


if __name__ == "__main__":
    serve.Gateway = forgetful  # type: ignore[assignment,attr-defined]  # this process is made for it
    sys.exit(main())
