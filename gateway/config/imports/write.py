"""A configuration as YAML text: short mappings on one line, and nothing that a reader could take for another type."""

from collections.abc import Iterable
from typing import Any

import yaml

from gateway.config.imports.notes import Note
from gateway.config.source import plain_scalar

WIDTH = 140


class _Dumper(yaml.SafeDumper):
    """Our reader follows YAML 1.2, PyYAML 1.1: what either takes for a number or a truth value is quoted."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None if isinstance(plain_scalar(value), str) and "\n" not in value else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def written(config: dict[str, Any], head: str, notes: Iterable[Note]) -> str:
    """`config` as text; `head` and the notes stand above it as comments."""
    lines = [head, *(str(note) for note in notes)]
    comments = "".join(f"# {' '.join(line.split())}\n" for line in lines)
    sections = [
        yaml.dump({name: value}, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=WIDTH,
                  allow_unicode=True)
        for name, value in config.items()
    ]  # fmt: skip
    return "\n".join([*([comments] if comments else []), *sections])
