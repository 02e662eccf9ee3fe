"""Which processes a measurement asks: gateways that are new in every round, and one nginx."""

from dataclasses import dataclass, field
from pathlib import Path

from loadtest.bench.rig import Rig, Server
from loadtest.bench.stand import Stand


@dataclass(slots=True)
class Told(Rig):
    """Starts nothing, and keeps what it was told."""

    told: list[tuple[str, int]] = field(default_factory=list)  # what, and the process's number

    def start_nginx(self, path: str, upstream_port: int) -> Server:
        return self._started("nginx")

    def start_gateway(self, name: str, upstream_port: int) -> Server:
        return self._started(name)

    def stop(self, server: Server) -> None:
        self.told.append((f"stop {server.name}", server.pid))

    def _started(self, name: str) -> Server:
        self.told.append((name, len(self.told)))
        return Server(name, 8080, len(self.told) - 1)


def test_puts_a_new_gateway_in_the_place_of_the_last_and_lets_nginx_run() -> None:
    rig = Told(Path("unused"))
    stand = Stand(rig, "/usr/sbin/nginx", 9)
    asked = [stand.anew(name) for name in ("nginx", "gateway", "gateway", "gateway+detect", "nginx")]
    assert rig.told == [("nginx", 0), ("gateway", 1), ("stop gateway", 1), ("gateway", 3), ("gateway+detect", 4)]
    assert [server.pid for server in asked] == [0, 1, 3, 4, 0]


def test_takes_what_runs_where_no_new_one_is_asked_for() -> None:
    rig = Told(Path("unused"))
    stand = Stand(rig, "/usr/sbin/nginx", 9)
    asked = [stand.server("gateway"), stand.server("gateway"), stand.anew("gateway"), stand.server("gateway")]
    assert [server.pid for server in asked] == [0, 0, 2, 2]
