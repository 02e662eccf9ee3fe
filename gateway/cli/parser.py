"""The options of `pointsman` and their help. What the commands do is in `main`."""

import argparse
from typing import Any

from gateway import VERSION
from gateway.core.decision import Outcome
from gateway.edge.commands import add_command

SETTINGS = ("host", "port", "admin_port", "monitor_port", "config", "state_dir", "catalog")
"""Fields of `Settings` that options set, by the same names."""


def parser_of_pointsman() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pointsman",
        description="Sends every LLM request to the cheapest healthy model that is good enough.",
        epilog="pointsman COMMAND --help tells more, with examples. Settings are POINTSMAN_* variables too.",
    )
    parser.add_argument("--version", action="version", version=f"pointsman {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    _add_run(commands)
    _add_process(commands, "gateway", "the gateway alone, as a container runs it")
    _add_process(commands, "monitor", "the monitor alone, as a container runs it")
    _add_check(commands)
    _add_explain(commands)
    _add_decisions(commands)
    _add_top(commands)
    _add_models(commands)
    add_command(commands, "schema", "the JSON Schema of pointsman.yaml", "pointsman schema > pointsman.schema.json")
    _add_import(commands)
    _add_replay(commands)
    _add_tune(commands)
    _add_experiment(commands)
    _add_evaluations(commands)
    return parser


def _add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    helps = {
        "host": "address to listen on",
        "port": "port of the client API; 0: any free one",
        "admin_port": "port of metrics and health",
        "monitor_port": "port of the monitor's metrics and health",
        "config": "the configuration (default: ./pointsman.yaml, else built-in defaults)",
        "state_dir": "directory that monitor and gateway share",
        "catalog": "a catalog instead of the packaged one",
    }
    for name in names:
        kind = int if name.endswith("port") else str
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, type=kind, help=f"{helps[name]}")


def _add_run(commands: Any) -> None:
    example = "pointsman run\n  pointsman run --config pointsman.yaml --port 8000\n  OPENAI_API_KEY=… pointsman run"
    what = "gateway and monitor on this machine; with no provider key, simulated providers too"
    parser = add_command(commands, "run", what, example)
    _add_settings(parser, *SETTINGS)


def _add_process(commands: Any, name: str, what: str) -> None:
    parser = add_command(commands, name, what, f"pointsman {name} --config pointsman.yaml")
    _add_settings(parser, *SETTINGS)


def _add_check(commands: Any) -> None:
    example = "pointsman check pointsman.yaml\n  helm template … | yq .data | pointsman check -"
    parser = add_command(commands, "check", "everything that is wrong with a configuration file", example)
    parser.add_argument("file", metavar="FILE", help="the file, or - for standard input")
    _add_settings(parser, "catalog")


def _add_explain(commands: Any) -> None:
    example = (
        "pointsman explain request.json\n"
        """  echo '{"model":"auto","messages":[{"role":"user","content":"hi"}]}' | pointsman explain\n"""
        "  pointsman explain request.json --header 'x-pointsman-sensitivity: pii'"
    )
    parser = add_command(commands, "explain", "where a request would go, and why; nothing is sent upstream", example)
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="a chat completion's JSON; - is stdin")
    parser.add_argument("--url", help="the running gateway (default: this machine's, else none is needed)")
    _add_settings(parser, "config", "catalog")
    parser.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="sent along; repeatable")


def _add_decisions(commands: Any) -> None:
    what = "what was decided, paid and saved, request by request"
    parser = commands.add_parser("decisions", help=what, description=f"{what[0].upper()}{what[1:]}.")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    example = (
        "pointsman decisions tail --outcome failed\n"
        "  pointsman decisions tail decisions.jsonl --route support --once -n 100\n"
        "  kubectl logs -f deploy/pointsman-gateway | pointsman decisions tail -\n\n"
        "a gateway that is asked tells some fifty decisions a second at most; its file has them all"
    )
    tail = add_command(actions, "tail", "decisions as they are made, a line each", example)
    _add_source(tail)
    tail.add_argument("--route", metavar="NAME")
    tail.add_argument("--outcome", choices=[outcome.value for outcome in Outcome])
    tail.add_argument("--endpoint", metavar="ID", help="that was tried, e.g. openai/gpt-4o")
    tail.add_argument("-n", "--lines", type=_count, default=10, metavar="N", help="earlier ones (default %(default)s)")
    tail.add_argument("--once", action="store_true", help="end after the earlier ones")
    example = "pointsman decisions show 3923db011270e294\n  pointsman decisions show 3923db011270e294 decisions.jsonl"
    show = add_command(actions, "show", "one decision whole, its attempts on a time axis", example)
    show.add_argument("id", metavar="ID", help="from the header x-pointsman-decision, or from tail")
    _add_source(show)


def _add_source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("file", metavar="FILE", nargs="?", help="a file of decision records; - is standard input")
    source.add_argument("--url", metavar="ADMIN", help="a gateway's admin port (default: that of this machine)")


def _add_top(commands: Any) -> None:
    example = "pointsman top\n  pointsman top --url http://10.0.0.7:9090\n  pointsman top --json | jq .requests_per_s"
    what = "a running gateway at a glance, again each second; piped, one snapshot"
    parser = add_command(commands, "top", what, example)
    parser.add_argument("--url", metavar="ADMIN", help="the gateway's admin port (default: that of this machine)")


def _count(text: str) -> int:
    if (number := int(text)) < 0:
        raise argparse.ArgumentTypeError("must be at least 0")
    return number


def _add_import(commands: Any) -> None:
    what = "the configuration of another gateway as a pointsman.yaml"
    parser = commands.add_parser("import", help=what, description=f"{what[0].upper()}{what[1:]}.")
    formats = parser.add_subparsers(required=True, metavar="FORMAT", dest="format")
    for name, of, file in (("litellm", "LiteLLM's proxy", "config.yaml"), ("portkey", "Portkey", "config.json")):
        command = f"pointsman import {name} {file}"
        example = f"{command} > pointsman.yaml\n  {command} --json | jq .notes"
        reader = add_command(formats, name, f"a configuration of {of}, and by line what has no equivalent", example)
        reader.add_argument("file", metavar="CONFIG", help="the file, or - for standard input")
        reader.add_argument("--output", metavar="FILE", help="a new file to write (default: standard output)")
        _add_settings(reader, "catalog")


def _add_log_command(commands: Any, name: str, what: str, example: str) -> argparse.ArgumentParser:
    """One that plans recorded traffic anew."""
    parser = add_command(commands, name, what, example)
    parser.add_argument("logs", metavar="LOG", nargs="+", help="JSON lines, .gz or .parquet; here or in a bucket")
    _add_settings(parser, "config", "catalog")
    return parser


def _add_replay(commands: Any) -> None:
    example = (
        "pointsman replay decisions.jsonl --config new.yaml\n"
        "  pointsman replay 's3://logs/2026-11-*.parquet' --config new.yaml --json | jq .total.cost\n"
        "  pointsman replay decisions.jsonl.gz --config new.yaml --prices 2026-12-01"
    )
    what = "what another configuration would have done with recorded traffic, and what it would have cost"
    parser = _add_log_command(commands, "replay", what, example)
    prices = "prices of this day (at the request's time of day), or a file of prices as the monitor publishes it"
    parser.add_argument("--prices", metavar="DATE|FILE", help=f"{prices} (default: those of each request's time)")
    health = "recorded: who failed or was out then is ill (default); well: nobody is"
    parser.add_argument("--health", choices=["recorded", "well"], default="recorded", help=health)


def _add_tune(commands: Any) -> None:
    example = (
        "pointsman tune decisions.jsonl\n"
        "  pointsman evaluations export > judged.jsonl\n"
        "  pointsman tune 'decisions-*.jsonl.gz' --evaluations judged.jsonl\n"
        "  pointsman tune decisions.jsonl --evaluations judged.jsonl --json | jq -r .diff | patch -p0"
    )
    what = "changes of the configuration that recorded traffic and judged pairs speak for, as a diff with its evidence"
    parser = _add_log_command(commands, "tune", what, example)
    judged = "judged pairs, as `pointsman evaluations export` writes them; without them nothing is certified"
    parser.add_argument("--evaluations", metavar="FILE", help=judged)
    parser.add_argument("--write", action="store_true", help="change the file, once the result was checked")


def _add_experiment(commands: Any) -> None:
    example = "pointsman experiment support decisions.jsonl\n  pointsman experiment support --url http://10.0.0.7:9090"
    what = "the variants of a route's split beside each other, with intervals that hold whenever you look"
    parser = add_command(commands, "experiment", what, example)
    parser.add_argument("route", metavar="ROUTE")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("logs", metavar="LOG", nargs="*", default=[], help="JSON lines, or .gz, in the order of time")
    source.add_argument("--url", metavar="ADMIN", help="a gateway's admin port: its last decisions alone")
    _add_settings(parser, "config", "catalog")
    confidence = "of all intervals together (default %(default)s)"
    parser.add_argument("--confidence", type=_share, default=0.95, help=confidence)
    tolerance = "how much more often the better one may fail, as a share (default %(default)s)"
    parser.add_argument("--tolerance", type=_share, default=0.02, help=tolerance)


def _add_evaluations(commands: Any) -> None:
    """Its options and its help are the monitor's: nothing that is given to it is an option here."""
    what = "pairs of blind evaluation: export, import, purge, progress"
    parser = commands.add_parser("evaluations", help=what, add_help=False, prefix_chars="\0")
    parser.add_argument("arguments", nargs="*")


def _share(text: str) -> float:
    if not 0 < (number := float(text)) < 1:
        raise argparse.ArgumentTypeError("must lie between 0 and 1")
    return number


def _add_models(commands: Any) -> None:
    example = "pointsman models\n  pointsman models --json | jq '.[] | select(.usable) | .id'"
    parser = add_command(commands, "models", "every endpoint, its price, and whether it can be used here", example)
    parser.add_argument(
        "--configured", action="store_true", help="only those of the configuration, without the rest of the catalog"
    )
    _add_settings(parser, "config", "catalog")
