"""What `pointsman run` is going to start, decided before anything is: ports, directory, simulated providers or not."""

import secrets
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from gateway.cli.local_http import url_of
from gateway.config.known import Known
from gateway.config.load import load_defaults
from gateway.edge.shared_token import VARIABLE as TOKEN
from gateway.settings import PREFIX, Settings

PRICE_URLS = ("PRICES_OPENROUTER_URL", "PRICES_MODELSDEV_URL", "PRICES_LITELLM_URL", "PRICES_HUGGINGFACE_URL")
TOKEN_BYTES = 32
STREAMS_S = 45.0  # at the end, for streams; those that last longer are told so by the gateway before it has to go
_PORTS = {"port": "--port", "admin_port": "--admin-port", "monitor_port": "--monitor-port"}


class RunError(Exception):
    """The run cannot start, or went wrong; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    settings: Settings  # without port 0
    state_dir: Path
    own_state: bool  # the directory is temporary and goes with us
    simulate: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(TOKEN_BYTES), repr=False)
    """What gateway and monitor of this run know each other by, where the operator gave them nothing."""

    @property
    def url(self) -> str:
        return url_of(self.settings.host, self.settings.port)

    @property
    def admin_url(self) -> str:
        return url_of(self.settings.host, self.settings.admin_port)

    @property
    def monitor_url(self) -> str:
        return url_of(self.settings.host, self.settings.monitor_port)

    @property
    def decisions(self) -> str:
        """A file on a laptop, where stdout is for people; whatever the operator said, where they did."""
        said = self.settings.decisions
        return said if "decisions" in self.settings.model_fields_set else str(self.state_dir / "decisions.jsonl")

    def environ(self, inherited: Mapping[str, str], config: Path | None) -> dict[str, str]:
        """The environment of gateway and monitor: what we have, and what we decided."""
        decided = {
            "HOST": self.settings.host,
            "PORT": str(self.settings.port),
            "ADMIN_PORT": str(self.settings.admin_port),
            "MONITOR_PORT": str(self.settings.monitor_port),
            "STATE_DIR": str(self.state_dir),
            "DECISIONS": self.decisions,
            "GATEWAYS": self.admin_url,
            "MONITOR_URL": self.monitor_url,
            "KUBERNETES": "off",
            "DRAIN_S": f"{min(self.settings.drain_s, STREAMS_S):g}",
        }
        if config is not None:
            decided["CONFIG"] = str(config.absolute())
        if self.simulate:  # then nothing leaves this machine, and no list knows the prices
            decided |= dict.fromkeys(PRICE_URLS, "")
        token = inherited.get(TOKEN) or self.token
        return {**inherited, **{f"{PREFIX}{name}": value for name, value in decided.items()}, TOKEN: token}


def plan_run(settings: Settings, known: Known, here: Path) -> Plan:
    """Simulated providers where neither a configuration nor a key is there; a state directory in any case.

    Raises:
        RunError: there is nothing to route to, or a port is taken.
    """
    simulate = settings.config_path() is None and not load_defaults(known).policy.catalog.providers
    if simulate and find_spec("loadtest") is None:
        raise RunError(
            "there is no provider key in the environment and no pointsman.yaml; set a key, e.g. OPENAI_API_KEY, "
            "or write a configuration"
        )
    settings = _with_ports(settings)
    if settings.state_dir is not None:
        return Plan(settings, settings.state_dir.absolute(), own_state=False, simulate=simulate)
    if (here / "pyproject.toml").is_file() and (here / "loadtest").is_dir():
        return Plan(settings, here.absolute() / ".state", own_state=False, simulate=simulate)
    return Plan(settings, Path(tempfile.mkdtemp(prefix="pointsman-")), own_state=True, simulate=simulate)


def _with_ports(settings: Settings) -> Settings:
    """Every port free at this moment; ports 0 become real ones now, since the processes must agree on them."""
    held: list[socket.socket] = []
    ports: dict[str, int] = {}
    try:
        for name, option in _PORTS.items():
            held.append(_listen(settings.host, getattr(settings, name), option))
            ports[name] = held[-1].getsockname()[1]
    finally:
        for one in held:
            one.close()
    return settings.model_copy(update=ports)


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise RunError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with {option}"
        ) from None
