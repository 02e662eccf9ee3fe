"""What a Dockerfile says, as values: the part of the language that ours uses, and an error for all the rest.

Owns instructions, stages, variables and `.dockerignore`. Runs and copies nothing.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


class DockerfileError(Exception):
    """The file says something that is not understood here; the message names it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A command line for the shell, and folders that persist between builds: one build has them at a time, no image."""

    command: str
    caches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Copy:
    """`stage` is None for files of the build's context."""

    sources: tuple[str, ...]
    target: str
    stage: str | None = None


@dataclass(slots=True)
class Stage:
    """One `FROM` and what follows. `steps` are in order; a step's environment is that of its whole stage."""

    base: str
    name: str | None
    steps: list[Run | Copy] = field(default_factory=list)
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    user: str = ""
    ports: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)


def stages_of(text: str, arguments: Mapping[str, str]) -> list[Stage]:
    """The stages, in order; `arguments` are what `--build-arg` would give."""
    reader = _Reader(arguments)
    for word, rest in _instructions(text):
        reader.take(word, rest)
    if not reader.stages:
        raise DockerfileError("there is no FROM")
    return reader.stages


def ignores(patterns: str, path: str) -> bool:
    """Whether `.dockerignore` keeps that path (relative, with `/`) out of the build's context: the last fit decides."""
    ignored = False
    for line in patterns.splitlines():
        pattern = line.strip()
        if pattern and not pattern.startswith("#") and _fits(pattern.lstrip("!").strip("/"), path):
            ignored = not pattern.startswith("!")
    return ignored


def _fits(pattern: str, path: str) -> bool:
    """Whether the pattern names the path or a folder above it."""
    parts = path.split("/")
    ways = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    if pattern.startswith("**/"):
        return any(fnmatchcase(part, pattern[3:]) for part in parts)
    return any(fnmatchcase(way, pattern) and way.count("/") == pattern.count("/") for way in ways)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    """(INSTRUCTION, the rest) with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    for line in joined.splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word.upper(), rest.strip()


class _Reader:
    """Takes instruction after instruction."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self.stages: list[Stage] = []
        self._given = arguments
        self._outer: dict[str, str] = {}  # ARGs before the first FROM
        self._inner: dict[str, str] = {}  # ARGs of the stage

    def take(self, word: str, rest: str) -> None:
        if word == "ARG":
            self._arg(rest)
        elif word == "FROM":
            self._from(rest)
        elif not self.stages:
            raise DockerfileError(f"{word} before the first FROM")
        elif word in ("RUN", "COPY"):
            # Of a command line, the shell expands the variables.
            self.stages[-1].steps.append(_run(rest) if word == "RUN" else _copy(self._expanded(rest)))
        else:
            self._set(self.stages[-1], word, rest)

    def _set(self, stage: Stage, word: str, rest: str) -> None:
        match word:
            case "WORKDIR":
                stage.workdir = self._expanded(rest)
            case "ENV":
                stage.env |= self._pairs(rest)
            case "LABEL":
                stage.labels |= self._pairs(rest)
            case "USER":
                stage.user = rest
            case "EXPOSE":
                stage.ports += rest.split()
            case "ENTRYPOINT":
                stage.entrypoint = _words(word, rest)
            case "CMD":
                stage.cmd = _words(word, rest)
            case _:
                raise DockerfileError(f"{word} is not understood here")

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        scope = self._inner if self.stages else self._outer
        scope[name] = self._given.get(name, default or self._outer.get(name, ""))

    def _from(self, rest: str) -> None:
        words = _expand(rest, self._outer).split()
        if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
            raise DockerfileError(f"FROM {rest}")
        self.stages.append(Stage(base=words[0], name=words[2] if len(words) == 3 else None))
        self._inner = {}

    def _expanded(self, text: str) -> str:
        return _expand(text, self._inner | self.stages[-1].env)

    def _pairs(self, rest: str) -> dict[str, str]:
        pairs = dict(part.split("=", 1) for part in shlex.split(rest))
        return {name: self._expanded(value) for name, value in pairs.items()}


def _expand(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], ""), text)


def _words(word: str, rest: str) -> list[str]:
    if not rest.startswith("["):
        raise DockerfileError(f"{word} must be a JSON list: anything else needs a shell in the image")
    words: list[str] = json.loads(rest)
    return words


def _run(rest: str) -> Run:
    caches = []
    while found := re.match(r"--mount=(\S+)\s+", rest):
        options = dict(part.split("=", 1) for part in found[1].split(","))
        if options != {"type": "cache", "target": options.get("target"), "sharing": "locked"}:
            raise DockerfileError(f"RUN --mount={found[1]}")
        caches.append(options["target"])
        rest = rest[found.end() :]
    return Run(rest, tuple(caches))


def _copy(rest: str) -> Copy:
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    paths = words[len(options) :]
    stages = [option.removeprefix("--from=") for option in options if option.startswith("--from=")]
    if len(stages) != len(options) or len(paths) < 2:
        raise DockerfileError(f"COPY {rest}")
    return Copy(tuple(paths[:-1]), paths[-1], stages[0] if stages else None)
