"""`pointsman check FILE`: would the gateway accept this file, and what would it make of it?"""

from typing import Any

from gateway.cli.output import print_json
from gateway.config.compile import Compiled
from gateway.config.known import Known
from gateway.config.load import ConfigText, load_config
from gateway.config.problems import ConfigError, Problem


def check(source: ConfigText, known: Known, *, as_json: bool) -> int:
    """Print every problem and warning; 0 if the file is accepted, else 1."""
    try:
        compiled = load_config(source, known)
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "problems": [_json(problem) for problem in error.problems]})
        else:
            print(error)
            print(f"refused: {_counted(len(error.problems), 'problem')}")
        return 1
    if as_json:
        warnings = [_json(warning) for warning in compiled.warnings]
        print_json({"ok": True, "problems": [], "warnings": warnings, "summary": _summary(compiled)})
        return 0
    for warning in compiled.warnings:
        print(f"warning: {warning}")
    counts = _summary(compiled)
    print(
        f"ok: {_counted(counts['providers'], 'provider')}, {_counted(counts['endpoints'], 'endpoint')}, "
        f"routes: {', '.join(counts['routes'])}"
    )
    return 0


def _summary(compiled: Compiled) -> dict[str, Any]:
    policy = compiled.policy
    return {
        "providers": len(policy.catalog.providers),
        "endpoints": len(policy.catalog.endpoints),
        "routes": [route.name for route in policy.routes],
        "labels": list(policy.labels),
        "generation": policy.generation,
    }


def _json(problem: Problem) -> dict[str, Any]:
    return {"file": problem.file, "line": problem.line, "path": problem.path, "message": problem.message}


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
