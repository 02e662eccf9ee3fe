"""Which servers are up: nginx for the whole run, each gateway anew for every round.

How a process's memory is laid out is settled when it starts, and stays: gateways that are the same to the byte differ
by a tenth. So one process proves nothing, and the median over several says what the code costs.
"""

from dataclasses import dataclass, field

from loadtest.bench.rig import Rig, Server
from loadtest.bench.workloads import YARDSTICK


@dataclass(slots=True)
class Stand:
    """Starts servers by their names in rows; the rig ends them."""

    rig: Rig
    nginx_path: str
    upstream_port: int
    _up: dict[str, Server] = field(default_factory=dict)

    def server(self, name: str) -> Server:
        """As it runs; started where it does not."""
        return self._up.get(name) or self.anew(name)

    def anew(self, name: str) -> Server:
        """A gateway in a new process, which takes the place of the one before; nginx as it runs.

        Raises:
            BenchError: it did not start.
        """
        before = self._up.get(name)
        if name == YARDSTICK:
            started = before or self.rig.start_nginx(self.nginx_path, self.upstream_port)
        else:
            if before is not None:
                self.rig.stop(before)
            started = self.rig.start_gateway(name, self.upstream_port)
        self._up[name] = started
        return started
