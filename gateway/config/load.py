"""From bytes to an accepted configuration, in one call: read, validate, compile.

Everything wrong is reported together: names are checked even where some values are malformed, as far as the sections
that define those names could be read.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.config.compile import Compiled, compile_file
from gateway.config.known import Known
from gateway.config.model import File
from gateway.config.problems import ConfigError, Findings
from gateway.config.source import read_document
from gateway.config.validate import validated, without_faults


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A configuration file's bytes, and the name it has in messages."""

    text: bytes
    name: str = "pointsman.yaml"


def load_config(source: ConfigText, known: Known) -> Compiled:
    """Raises `ConfigError`, whatever the bytes."""
    document = read_document(source.text, source.name)
    findings = Findings(source.name, document.lines)
    file = validated(document.data, findings)
    if file is None:
        _check_names_too(document.data, known, findings)
        raise ConfigError(findings.problems)
    return compile_file(file, known, findings, generation_of(source.text))


def generation_of(text: bytes) -> str:
    """What a configuration is known by: `Policy.generation` of a file with these bytes."""
    return sha256(text).hexdigest()[:12]


def load_defaults(known: Known) -> Compiled:
    """The built-in configuration: every catalog provider whose key is present, one route."""
    return compile_file(File(), known, Findings("defaults", {}), "defaults")


def _check_names_too(data: dict[str, Any], known: Known, findings: Findings) -> None:
    """Add what `compile` finds in the rest of a malformed file."""
    rest = without_faults(data, findings.faults)
    file = None if rest is None else validated(rest, Findings(findings.file, {}))
    if file is None:
        return
    found = Findings(findings.file, findings.lines)
    try:
        compile_file(file, known, found, "")
    except ConfigError:
        findings.problems.extend(found.problems)
