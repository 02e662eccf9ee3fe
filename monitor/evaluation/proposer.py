"""Proposals with their diff of the configuration's file, as it is in force.

Whatever fails here hides proposals and nothing else. Runs in a thread: it reads the file, and loads every changed text
as a gateway would before it is shown.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from gateway.config.edit import CannotEdit, Change, edited, unified
from gateway.config.here import known_here, read_config
from gateway.config.load import ConfigText, generation_of, load_config
from gateway.config.problems import ConfigError
from gateway.core.policy import Policy
from monitor.evaluation.certify import State
from monitor.evaluation.pairs import Drawn, Judged
from monitor.evaluation.proposals import SEEN_S, Proposed, Seen, proposals

DRAWN_MOST = 20_000  # requests that money is estimated from
TEXT_MOST = 100_000  # bytes of a file that is edited here: finding places in it takes 10 µs a byte
DIFF_MOST = 4_000  # characters that are shown
NAME = "pointsman.yaml"  # where it lies in the monitor's container says nothing to who reads the page

log = logging.getLogger(__name__)


class Draws(Protocol):
    """What is asked of the store."""

    def drawn(self, since_s: float, at_most: int) -> list[Drawn]: ...


@dataclass(frozen=True, slots=True)
class ConfigPlace:
    """Where the configuration is from; None: the built-in one, the packaged catalog."""

    config: Path | None = None
    catalog: Path | None = None


class Proposer:
    """Mutable; one per process."""

    def __init__(self, place: ConfigPlace) -> None:
        self._place = place
        self._policy: Policy | None = None
        self._made: dict[tuple[str, Change], tuple[str, str]] = {}  # diff and words, by generation and change
        self._told = ""

    @property
    def generation(self) -> str:
        """Of the configuration that is to be changed."""
        return "" if self._policy is None else self._policy.generation

    def reconfigure(self, policy: Policy) -> None:
        self._policy = policy

    def propose(self, store: Draws, judged: Sequence[Judged], state: State, now_s: float) -> tuple[Proposed, ...]:
        """What there is now; nothing where that fails."""
        policy = self._policy
        if policy is None:
            return ()
        try:
            drawn = store.drawn(now_s - SEEN_S, DRAWN_MOST)
            found = proposals(Seen(policy, state, judged, drawn, now_s))
            today = datetime.fromtimestamp(now_s, UTC).date()
            written = {one.change: self._written(one.change, policy.generation, today) for one in found}
            self._made = {(policy.generation, change): both for change, both in written.items()}
        except Exception as error:  # certificates must not suffer from what merely might be proposed
            if self._told != (problem := f"{type(error).__name__}: {error}"):
                self._told = problem
                log.warning("nothing is proposed, since that fails: %s", problem)
                log.debug("proposing", exc_info=error)
            return ()
        return tuple(Proposed(one, *written[one.change]) for one in found)

    def _written(self, change: Change, generation: str, today: date) -> tuple[str, str]:
        """A diff, or words."""
        made = self._made.get((generation, change))
        if made is not None and made[0]:
            return made
        words = f"{'.'.join(map(str, change.place))}: {change.written}"
        source = self._source(generation)
        if source is None:
            return "", words
        try:
            text = edited(source.text, [change], NAME)
            known = known_here(self._place.catalog, today, os.environ)
            load_config(ConfigText(text, NAME), known)
        except (CannotEdit, ConfigError) as error:
            log.debug("%s", error)
            return "", words
        diff = unified(source.text, text, NAME)
        return (diff, "") if len(diff) <= DIFF_MOST else ("", words)

    def _source(self, generation: str) -> ConfigText | None:
        """The file, if it is small enough and still what is in force."""
        if self._place.config is None:
            return None
        try:
            source = read_config(self._place.config)
        except ConfigError:
            return None
        fits = len(source.text) <= TEXT_MOST and generation_of(source.text) == generation
        return source if fits else None
