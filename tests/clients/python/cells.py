"""What the scripts of Python clients share: questions, what the simulated providers answer, the run of all cells.

Runs in the clients' own environment: it imports nothing of the project.
"""

import json
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

warnings.simplefilter("ignore")
TOLD = json.loads(sys.argv[1])
URL = TOLD["url"]
STALLS, REFUSES, REFUSAL = TOLD["stalls"], TOLD["refuses"], TOLD["refusal"]
MATH = "What is 12 * 12?"
PARIS = "Use get_weather for Paris"
BOTH = "Use get_weather in parallel for Paris and Rome"
ADA = "Extract: Ada is 36"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ALWAYS = ("plain", "stream")
SIMULATED = ("tools", "parallel", "structured", "image")  # random weights call no tool and fill no schema
_NAMES = {"parallel": "parallel tools", "structured": "structured output"}


class ByDesign(Exception):
    """The cell is as it should be, though not as everybody would expect; says why."""


class Person(BaseModel):
    name: str
    age: int


def check_said(text: str | None, model: str) -> None:
    """The simulated provider's words, signed; of llama.cpp anything at all."""
    vendor, _, name = model.partition("/")
    if vendor == "llama":
        assert text, "nothing was said"
    else:
        assert text == f"12 * 12 = 144.\n— {name} at {vendor}", text


def check_calls(calls: list[tuple[str, Any]], cities: list[str]) -> None:
    """Calls of get_weather as (name, arguments), one a city."""
    assert [name for name, _ in calls] == ["get_weather"] * len(cities), calls
    values = [json.loads(given) if isinstance(given, str) else given for _, given in calls]
    assert [value["city"] for value in values] == cities, values


def check_vectors(vectors: list[list[float]], model: str) -> None:
    assert [len(one) for one in vectors] == [64 if "llama" in model else 256] * 2, [len(one) for one in vectors]


def check_refused(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], Any]) -> None:
    """The client raises its own error of that kind, with the provider's words."""
    try:
        call()
    except kind as error:
        if REFUSAL not in str(error):
            raise
        return
    raise AssertionError("no error")


def _say(feature: str, backend: str, detail: str, ok: bool) -> None:
    print(json.dumps({"feature": feature, "backend": backend, "ok": ok, "detail": detail}), flush=True)


def _cell(client: Any, method: str, backend: str, model: str) -> None:
    try:
        getattr(client, method)(model)
    except ByDesign as reason:
        _say(_NAMES.get(method, method), backend, str(reason), ok=True)
    except Exception as error:  # noqa: BLE001 - whatever a client raises is its cell's result
        traceback.print_exc()
        _say(_NAMES.get(method, method), backend, f"{type(error).__name__}: {error}"[:400], ok=False)
    else:
        _say(_NAMES.get(method, method), backend, "", ok=True)


def run(client: Any) -> None:
    """Every method of the client that is a feature, against every backend that has it."""
    for backend, model in TOLD["backends"].items():
        methods = getattr(client, "ON_LLAMA", ALWAYS) if backend == "llama" else (*ALWAYS, *SIMULATED)
        for method in methods:
            if hasattr(client, method):
                _cell(client, method, backend, model)
    if hasattr(client, "embeddings"):
        for backend, model in TOLD["embeddings"].items():
            _cell(client, "embeddings", backend, model)
    for method, model in (("error", REFUSES), ("cancel", STALLS)):
        if hasattr(client, method):
            _cell(client, method, "openai", model)
