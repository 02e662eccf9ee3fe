"""Settings of the process, from POINTSMAN_* environment variables (CONTRACT §3).

Owns where the process listens, reads and writes. Everything about routing is in `pointsman.yaml` and none of it here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "POINTSMAN_"
DEFAULT_CONFIG = Path("pointsman.yaml")
DEFAULT_PORT = 8080


class SettingsError(Exception):
    """A variable has a value that cannot be used; one line per variable, in people's words."""


def _http_url(url: str) -> str:
    """Empty switches off what the URL is for."""
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must be a URL that begins with http:// or https://")
    return url


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _unlinked(value: Any) -> Any:
    """Kubernetes writes POINTSMAN_PORT=tcp://… into pods beside a Service of that name: a link, nobody's setting."""
    return DEFAULT_PORT if isinstance(value, str) and value.startswith("tcp://") else value


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Url = Annotated[str, AfterValidator(_http_url)]
SinkName = Literal["otlp_logs", "langfuse", "helicone", "webhook"]
Word = Annotated[str, Field(min_length=1, max_length=253)]


class Settings(BaseSettings):
    """Read once at start. Port 0 means any free port."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=False)

    host: Word = "127.0.0.1"
    port: Annotated[Port, BeforeValidator(_unlinked)] = DEFAULT_PORT
    admin_port: Port = 9090
    monitor_port: Port = 9091
    config: Path | None = None
    state_dir: Path | None = None  # None: there is no monitor to read from; `run` makes one
    evaluations: SecretStr | None = None  # the monitor's store of them: a file, or a URL; None: in the state directory
    decisions: Word = "stdout"  # or a file's path, or "off"
    monitor_url: Url = ""  # where what is drawn for evaluation goes; empty: nothing is drawn
    sinks: Annotated[tuple[SinkName, ...], NoDecode, BeforeValidator(_listed)] = ()  # where records go besides
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    kubernetes: Annotated[Literal["auto", "on", "off"], BeforeValidator(_lower)] = "auto"
    namespace: str | None = None  # None: that of the pod
    configmap: Word = "pointsman-health"
    pod_name: str | None = None  # of this monitor among its replicas; None: the host's name
    pod_uid: str | None = None  # None: what the monitor leaves in the cluster outlives its pod
    gateway_service: Word = "pointsman"  # whose pods the monitor asks for what they saw
    catalog: Path | None = None  # None: the one in the package
    drain_delay_s: Seconds = 0.0  # after SIGTERM, until new connections are refused
    drain_s: Seconds = 3600.0  # then, for requests to finish: `limits.total`'s default
    gateways: Annotated[tuple[Url, ...], NoDecode, BeforeValidator(_listed)] = ()  # admin URLs, outside a cluster
    # Live price sources; an empty value switches one off.
    prices_openrouter_url: Url = "https://openrouter.ai/api/v1/models"
    prices_modelsdev_url: Url = "https://models.dev/api.json"
    prices_litellm_url: Url = (
        "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
    )
    prices_huggingface_url: Url = "https://router.huggingface.co/v1/models"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments of a command, then the environment, and nothing else: a stray .env must not decide."""
        return init_settings, env_settings

    def config_path(self) -> Path | None:
        """The configuration file: the one named, else ./pointsman.yaml where it exists, else none (the defaults)."""
        if self.config is not None:
            return self.config
        return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


def read_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this process; `given` are values from the command line, by field name, and win.

    Raises:
        SettingsError: one sentence per variable that cannot be used.
    """
    try:
        return Settings(**(given or {}))
    except ValidationError as error:
        sentences = []
        for detail in error.errors(include_url=False):
            name = f"{PREFIX}{str(detail['loc'][0]).upper()}"
            words = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            sentences.append(f'{name}: "{str(detail["input"])[:80]}" cannot be used: it {words[0].lower()}{words[1:]}')
        raise SettingsError("\n".join(sentences)) from None
