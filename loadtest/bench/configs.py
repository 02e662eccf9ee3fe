"""The texts that nginx and the gateway are started with: the same upstream behind both, everything on.

Both files are written for a temporary folder, and hold nothing of the machine but ports and that folder.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# One worker, kept-alive connections on both sides, answers passed on as they come: nginx as one would put it before
# models. keepalive_requests: its default closes a connection after 1,000 requests, which would be counted as errors.
_NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_buffer_size 64k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  upstream models {{
    server 127.0.0.1:{upstream_port};
    keepalive 1024;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://models;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }}
  }}
}}
"""

# provider → its models: tier, USD per million input and output tokens
_MODELS: dict[str, dict[str, tuple[str, float, float]]] = {
    "north": {"swift-8b": ("small", 0.05, 0.08)},
    "east": {"swift-8b": ("small", 0.06, 0.10), "steady-70b": ("medium", 0.60, 0.90)},
    "south": {"grand-400b": ("large", 2.50, 10.0), "ponder": ("large", 1.10, 4.40)},
    "west": {"steady-70b": ("medium", 0.80, 1.20)},
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one server listens and where its upstream does."""

    own: int
    upstream: int


def nginx_conf(folder: Path, ports: Ports) -> str:
    return _NGINX.format(folder=folder, port=ports.own, upstream_port=ports.upstream)


def gateway_yaml(upstream_port: int, client_key: str) -> str:
    """Six endpoints at four providers, client keys, the default classifier; the scanner off, which is the default."""
    return yaml.safe_dump(_gateway(upstream_port, client_key), sort_keys=False)


def scanning_gateway_yaml(upstream_port: int, client_key: str) -> str:
    """The same, and the scanner reads every request (`detect: true`)."""
    scanned = {"require": {"trains_on_data": False, "retention_days": 0}, "detect": True}
    return yaml.safe_dump(_gateway(upstream_port, client_key) | {"sensitivity": {"pii": scanned}}, sort_keys=False)


def _gateway(upstream_port: int, client_key: str) -> dict[str, Any]:
    base_url = f"http://127.0.0.1:{upstream_port}/v1"
    return {
        "providers": {provider: _provider(base_url, models) for provider, models in _MODELS.items()},
        "auth": {"keys": [{"id": "bench", "sha256": hashlib.sha256(client_key.encode()).hexdigest()}]},
    }


def _provider(base_url: str, models: dict[str, tuple[str, float, float]]) -> dict[str, Any]:
    return {
        "api": "openai",
        "base_url": base_url,
        "key": {"none": True},
        "privacy": {"trains_on_data": False, "retention_days": 0},
        "max_in_flight": 100_000,
        "models": [_model(model, *facts) for model, facts in models.items()],
    }


def _model(model: str, tier: str, input_usd: float, output_usd: float) -> dict[str, Any]:
    price = {"input": input_usd, "output": output_usd}
    return {"id": model, "tier": tier, "context": 128_000, "max_output": 8192, "price": price}
