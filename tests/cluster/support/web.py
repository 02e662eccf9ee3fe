"""HTTP to addresses of the cluster, by the standard library: short looks, not load."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

Json = Any  # a value made of JSON's types
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the cluster is no proxy's business


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers` have lower-case names."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Json:
        return json.loads(self.text)


def call(url: str, body: Json = None, *, method: str | None = None, timeout_s: float = 20.0) -> Reply:
    """One request; any status is a reply. Raises `OSError` where there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
    try:
        with OPENER.open(request, timeout=timeout_s) as answer:
            return _reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return _reply(error.code, error.headers, error.read())


def _reply(status: int, headers: Any, data: bytes) -> Reply:
    return Reply(status, {name.lower(): value for name, value in headers.items()}, data.decode())


def metrics(url: str) -> dict[str, float]:
    """The samples at `url`/metrics, by name with labels as written."""
    lines = call(f"{url}/metrics").text.splitlines()
    found = (re.fullmatch(r"(\S+(?:\{.*\})?) (\S+)(?: \S+)?", line) for line in lines if not line.startswith("#"))
    return {match[1]: float(match[2]) for match in found if match}


def total(url: str, name: str, **labels: str) -> float:
    """The sum of a metric over all series that have these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(
        value for series, value in metrics(url).items()
        if series.partition("{")[0] == name and all(each in series for each in wanted)
    )  # fmt: skip
