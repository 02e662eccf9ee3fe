"""A gateway that keeps nothing of its requests: `python -m loadtest.bench.unseen`, the other half of what seeing costs.

The product has no such switch: its metrics are always on. Here the end of a request makes no record, so that nothing is
counted, remembered, written or traced; everything else is `python -m gateway`.
"""

import sys

from gateway.__main__ import main
from gateway.flow.answer import Parts, Walk
from gateway.flow.run import Run


class Forgetful:
    """What a walk does here at its end."""

    def record(self, run: Run, parts: Parts | None = None) -> None:
        """Nothing."""


if __name__ == "__main__":
    Walk.record = Forgetful.record  # type: ignore[method-assign,assignment]  # this process is made for it
    sys.exit(main())
