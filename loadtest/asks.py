"""What a simulated vendor is asked, whichever wire format it came in; and the errors it answers with.

Owns the neutral values between reading a request and composing an answer. The formats' files fill them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtest import tokens
from loadtest.vendors import Model

Json = Any  # a parsed JSON value

TURN_TOKENS = (
    4  # what each message costs beside its text: role and separators, as in OpenAI's published counting recipe
)
IMAGE_TOKENS = 85  # OpenAI's price of a low-detail image


class ApiError(Exception):
    """The vendor refuses, with the fields of its wire format's error body."""

    def __init__(self, status: int, message: str, kind: str, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind  # the body's `type`
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True)
class Turn:
    role: str
    text: str
    images: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    schema: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Tools:
    """`choice` is "none", "auto", "required" or the one tool's name after "named:"."""

    offered: tuple[Tool, ...] = ()
    choice: str = "auto"
    parallel: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for one answer."""

    model: Model
    turns: tuple[Turn, ...]
    tools: Tools = Tools()
    schema: Mapping[str, Json] | None = None  # the answer must be JSON of this schema; {} for any object
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    reasons: bool = False  # think aloud before the answer
    marked_turns: int | None = None  # Anthropic's cache_control: the prefix of so many turns is written to the cache
    choices: int = 1
    echo: bool = False  # legacy completions: repeat the prompt first

    @property
    def question(self) -> str:
        """The last text a person wrote."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def prompt(self) -> str:
        """Everything the model reads, tool declarations first: what is counted and cached."""
        return prefix_text(self.tools.offered, self.turns)

    @property
    def input_tokens(self) -> int:
        images = sum(turn.images for turn in self.turns)
        return tokens.count(self.prompt) + TURN_TOKENS * len(self.turns) + IMAGE_TOKENS * images


def prefix_text(offered: tuple[Tool, ...], turns: tuple[Turn, ...]) -> str:
    declared = [f"{tool.name} {tool.schema}" for tool in offered]
    return "\n".join([*declared, *(turn.text for turn in turns)])
