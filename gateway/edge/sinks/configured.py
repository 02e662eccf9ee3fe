"""The sinks that are asked for by name, each with what it needs from variables and key files.

A sink without what it needs ends the start: that nobody receives the records would be noticed too late.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.config.defaults import KEY_DIRECTORY
from gateway.edge.courier import Courier, Rules
from gateway.edge.lines import Row
from gateway.edge.sinks import helicone
from gateway.edge.sinks.keys import SinkKey
from gateway.edge.sinks.otlp import Collector, Unusable, target_of
from gateway.edge.sinks.post import Post
from gateway.edge.sinks.rows import weigh
from gateway.edge.sinks.webhook import Webhook

Sending = tuple[Callable[[Sequence[Row]], None], Rules]  # what a courier delivers by


@dataclass(frozen=True, slots=True)
class Here:
    """What sinks are made from."""

    environ: Mapping[str, str] = field(repr=False)
    resource: Callable[[], Mapping[str, str]]  # who speaks, as OpenTelemetry's attributes; raises Unusable
    directory: str = KEY_DIRECTORY

    def key(self, sink: str, name: str, variable: str) -> SinkKey:
        return SinkKey(sink, name, variable, self.environ, self.directory)

    def url(self, variables: Sequence[str], default: str | None) -> str:
        """Of the first variable that has one."""
        for variable in variables:
            if given := self.environ.get(variable, "").strip():
                return _checked(given, variable)
        if default is None:
            raise Unusable(f"{variables[0]}: must be set")
        return default


def couriers_of(names: Sequence[str], here: Here) -> list[Courier[Row]]:
    """A running courier for each sink of `SINKS`.

    Raises:
        Unusable: what the first sink lacks that lacks something.
    """
    sendings = {name: SINKS[name](here) for name in names}  # first all of them, then their threads
    return [Courier(name, deliver, rules, weigh) for name, (deliver, rules) in sendings.items()]


def _otlp_logs(here: Here) -> Sending:
    target = target_of(here.environ, "logs")
    if target is None:
        raise Unusable(
            "POINTSMAN_SINKS: otlp_logs needs OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
        )
    from gateway.edge.sinks.otlp_logs import OtlpLogs  # protobuf is loaded only where there is something to write

    return OtlpLogs(Collector(target), here.resource()).deliver, Rules()


def _langfuse(here: Here) -> Sending:
    from gateway.edge.sinks import langfuse  # as above

    public = here.key("langfuse", "public-key", "LANGFUSE_PUBLIC_KEY")
    secret = here.key("langfuse", "secret-key", "LANGFUSE_SECRET_KEY")
    _demand("langfuse", public, secret)
    url = here.url(("LANGFUSE_HOST", "LANGFUSE_BASE_URL"), langfuse.DEFAULT_URL)
    return langfuse.Langfuse(Post(url), public, secret, here.resource()).deliver, langfuse.RULES


def _helicone(here: Here) -> Sending:
    key = here.key("helicone", "api-key", "HELICONE_API_KEY")
    _demand("helicone", key)
    url = here.url(("HELICONE_BASE_URL",), helicone.DEFAULT_URL)
    return helicone.Helicone(lambda: Post(url), key).deliver, helicone.RULES


def _webhook(here: Here) -> Sending:
    url = here.url(("POINTSMAN_WEBHOOK_URL",), None)
    token = here.key("webhook", "token", "POINTSMAN_WEBHOOK_TOKEN")
    signing = here.key("webhook", "signing-key", "POINTSMAN_WEBHOOK_SIGNING_KEY")
    return Webhook(url, token, signing, time.time).deliver, Rules()


SINKS: Mapping[str, Callable[[Here], Sending]] = {
    "otlp_logs": _otlp_logs,
    "langfuse": _langfuse,
    "helicone": _helicone,
    "webhook": _webhook,
}


def _demand(sink: str, *keys: SinkKey) -> None:
    for key in keys:
        if key.read() is None:
            raise Unusable(f"POINTSMAN_SINKS: {sink} needs {key.variable}, or the file {key.file}")


def _checked(url: str, variable: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(f"{variable}: must be a URL that begins with http:// or https://")
    if "@" in parts.netloc:
        raise Unusable(f"{variable}: must hold no user name or password")
    return url
