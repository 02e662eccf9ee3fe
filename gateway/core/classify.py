"""What kind of work a prompt asks for, and how hard it looks: phrases, one pass, no model.

Owns the walk over the prompt: clip, lower, one Aho-Corasick pass for all phrases of all rules, word boundaries on the
matches, and the arithmetic from matches to a task, a confidence and a difficulty. The phrases themselves are data
(`task_rules`); the user's own rules come from the configuration. Refuses to know routes, tiers and requests, and
never looks at more than the clip: the time of one call is bounded whatever the prompt's length.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from hashlib import blake2b

from ahocorasick_rs import AhoCorasick, Implementation

from gateway.core.value import Note, Value

FALLBACK_TASK = "chat"

HEAD_CHARS = 800  # what people ask stands first ...
TAIL_CHARS = 300  # ... or last, after what they pasted
SYSTEM_CHARS = 400
LEAD_CHARS = 240  # matches up to here weigh in full; later ones are likelier to be pasted material
LATER_FACTOR = 0.5
SYSTEM_FACTOR = 0.4
MAX_REASONS = 8

_NEVER = -1_000_000  # an end that nothing is near to
_WORTH_A_TASK = 0.75  # less evidence than this is chat
_BASE_DIFFICULTY = 0.3
_ARITHMETIC_SHARE = 0.15  # of digits and operators, from which a prompt reads as a sum
_CODE_SHARE = 0.02  # of braces, semicolons and equal signs; English prose stays under 0.005

_DIGITS = b"0123456789"
_OPERATORS = b"+*/^=<>\\$%"
_CODE_MARKS = b"{};="
_NO_SIGNS = bytes(set(range(256)) - {*_DIGITS, *_OPERATORS, *_CODE_MARKS})
# Of the scripts that put spaces between words: Latin, Greek, Cyrillic.
_WORD_CHARS = frozenset(c for c in map(chr, range(0x530)) if c.isalnum() or c == "_")


@dataclass(frozen=True, slots=True)
class TaskPhrases:
    """Phrases that speak for a task, each with the same weight (3 decides, 2 is strong, 1 is a hint).

    A phrase is matched in lower case and as whole words; a leading newline ties it to the start of a line, a trailing
    `*` makes it a stem. Scripts without spaces (Chinese) match anywhere.
    """

    task: str
    weight: float
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordGroup:
    """Words that mean little alone and much in a `Pair`."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A word of `first` followed within `within_chars` by a word of `second` speaks for `task` ("write … function")."""

    first: str
    second: str
    task: str
    weight: float
    within_chars: int = 70


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Phrases that make a prompt harder (positive weight) or easier (negative)."""

    weight: float
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskRules:
    """A whole set of rules. `base_difficulty` is what a task starts from (0.3 where it names none)."""

    phrases: tuple[TaskPhrases, ...]
    groups: tuple[WordGroup, ...] = ()
    pairs: tuple[Pair, ...] = ()
    difficulty: tuple[Difficulty, ...] = ()
    base_difficulty: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class UserRule:
    """A rule from the configuration: all conditions it states must hold, any one phrase is enough.

    `regex` is searched in the clipped prompt in its original case; have it checked by `check_user_regex` first.
    """

    task: str
    regex: re.Pattern[str] | None = None
    phrases: tuple[str, ...] = ()


class Opinion(Value):
    """What a learned model says of a prompt at one step between tiers.

    `score` has no unit and no bounds: the higher, the more the prompt needs the higher tier; `as_good` is the
    probability that the lower tier's answer is as good; `needed` of the `neighbours` most similar judged prompts needed
    the higher one.
    """

    score: float
    as_good: float
    neighbours: int
    needed: int


class Classification(Value):
    """`confidence` and `difficulty` are in [0, 1]; `reasons` are the phrases that spoke for the task, for people."""

    task: str
    confidence: float
    difficulty: float
    reasons: tuple[str, ...]
    decided: bool = False  # by a rule of the configuration or by the request itself: nobody asks a model
    opinion: Opinion | None = None  # where the configuration asks for a learned model


class Clip(Value):
    """The part of a prompt and its system text that is looked at."""

    prompt: str  # in its original case, for the user's expressions
    text: str  # "\n" prompt "\n" [system "\n"] in lower case: every character of a phrase has a neighbour
    tail_at: int  # in `text`: from here to `system_at`, matches weigh in full again
    system_at: int


def clip(prompt: str, system: str = "") -> Clip:
    """What is looked at: the first 800 and last 300 characters of the prompt, the first 400 of the system text."""
    if len(prompt) > HEAD_CHARS + TAIL_CHARS:
        seen = f"{prompt[:HEAD_CHARS].lstrip()}\n{prompt[-TAIL_CHARS:].rstrip()}"
    else:
        seen = prompt.strip()
    text = f"\n{seen}\n".lower()
    system_at = len(text)
    if system:
        text += f"{system[:SYSTEM_CHARS]}\n".lower()
    return Clip(seen, text, max(0, system_at - TAIL_CHARS), system_at)


# Plain tuples, since a match is read in the time that one look-up of an attribute takes.
_Votes = tuple[tuple[int, float], ...]  # slot of the task, weight
_PairOf = tuple[int, int, int, int, float, str]  # own number, first group, within characters, slot, weight, reason
_Links = tuple[tuple[int, ...], tuple[_PairOf, ...]]  # groups a word belongs to, pairs it completes
_More = tuple[float, tuple[int, ...]]  # difficulty, user rules
_Pattern = tuple[bool, bool, str, _Votes, _Links | None, _More | None]  # edges, phrase, what it says


class _Meaning:
    """What a match of one phrase says, while the rules are compiled."""

    def __init__(self) -> None:
        self.votes: list[tuple[int, float]] = []
        self.groups: list[int] = []
        self.pairs: list[_PairOf] = []
        self.difficulty = 0.0
        self.user_rules: list[int] = []

    def pattern(self, phrase: str) -> _Pattern:
        """Its final form: what most phrases do not say is None, so that the pass need not look for it."""
        links = (tuple(self.groups), tuple(self.pairs)) if self.groups else None
        more = (self.difficulty, tuple(self.user_rules)) if self.difficulty or self.user_rules else None
        return (*_edges(phrase), phrase.strip(), tuple(self.votes), links, more)


class _Tally(Note):
    """What one pass adds up."""

    scores: list[float]  # by slot
    last_end: list[int]  # where each group's last word ended
    said: list[tuple[int, str]] = []
    paired: set[int] = set()
    user_rules: set[int] = set()
    hardness: float = 0.0


class Classifier:
    """Compiled rules. Immutable; one instance serves every request of one configuration."""

    __slots__ = ("_automaton", "_base", "_groups", "_patterns", "_slots", "_tasks", "_user_rules", "fingerprint")

    def __init__(self, rules: TaskRules, tasks: tuple[str, ...], user_rules: tuple[UserRule, ...]) -> None:
        self.fingerprint = blake2b(repr(rules).encode(), digest_size=4).hexdigest()  # of the built-in rules
        self._tasks = tasks
        self._user_rules = user_rules
        self._slots = {task: slot for slot, task in enumerate(tasks)}
        self._base = dict(rules.base_difficulty)
        self._groups = len(rules.groups)
        meanings = self._compile_phrases(rules)
        self._patterns = tuple(meaning.pattern(phrase) for phrase, meaning in meanings.items())
        texts = [phrase.removesuffix("*") for phrase in meanings]
        self._automaton = AhoCorasick(texts, implementation=Implementation.ContiguousNFA)

    @classmethod
    def compile(cls, rules: TaskRules, tasks: tuple[str, ...], user_rules: tuple[UserRule, ...] = ()) -> "Classifier":
        """Build the automaton: some milliseconds. Raises ValueError for tasks or rules that cannot work.

        Built-in phrases of tasks that are not listed are left out.
        """
        if FALLBACK_TASK not in tasks:
            raise ValueError(f"tasks must include {FALLBACK_TASK!r}, the task of prompts that match nothing")
        unknown = sorted({rule.task for rule in user_rules} - set(tasks))
        if unknown:
            raise ValueError(f"rules name tasks that are not listed: {', '.join(unknown)} (listed: {', '.join(tasks)})")
        if any(not phrase.strip() for rule in user_rules for phrase in rule.phrases):
            raise ValueError("a rule has an empty phrase")
        return cls(rules, tasks, user_rules)

    def classify(self, prompt: str, system: str = "") -> Classification:
        """Task, confidence and difficulty of the last user message; the system text is weak evidence for the task."""
        seen = clip(prompt, system)
        tally = self._pass_over(seen)
        rule = self._first_user_rule(seen, tally)
        if rule is not None:
            task = self._user_rules[rule].task
            difficulty = self._difficulty(task, tally, len(prompt))
            return Classification(task, 1.0, difficulty, (f"classify.rules[{rule}]",), decided=True)
        self._add_surface(seen.prompt, tally)
        slot, confidence = _decide(tally.scores)
        if slot is None:
            return Classification(FALLBACK_TASK, confidence, self._difficulty(FALLBACK_TASK, tally, len(prompt)), ())
        task = self._tasks[slot]
        reasons = [phrase for said_for, phrase in tally.said if said_for == slot]
        difficulty = self._difficulty(task, tally, len(prompt))
        return Classification(task, confidence, difficulty, tuple(reasons[:MAX_REASONS]))

    def _compile_phrases(self, rules: TaskRules) -> dict[str, _Meaning]:
        meanings: defaultdict[str, _Meaning] = defaultdict(_Meaning)
        for entry in rules.phrases:
            slot = self._slots.get(entry.task)
            if slot is not None:
                for phrase in entry.phrases:
                    meanings[phrase].votes.append((slot, entry.weight))
        for grade in rules.difficulty:
            for phrase in grade.phrases:
                meanings[phrase].difficulty += grade.weight
        for number, rule in enumerate(self._user_rules):
            for phrase in rule.phrases:
                meanings[phrase.strip().lower()].user_rules.append(number)
        self._compile_groups(rules, meanings)
        return meanings

    def _compile_groups(self, rules: TaskRules, meanings: defaultdict[str, _Meaning]) -> None:
        numbers = {group.name: number for number, group in enumerate(rules.groups)}
        completed: dict[str, list[_PairOf]] = {name: [] for name in numbers}
        for number, pair in enumerate(rules.pairs):
            slot = self._slots.get(pair.task)
            if slot is not None:
                reason = f"{pair.first} … {pair.second}"
                row = (number, numbers[pair.first], pair.within_chars, slot, pair.weight, reason)
                completed[pair.second].append(row)
        for group in rules.groups:
            for word in group.words:
                meanings[word].groups.append(numbers[group.name])
                meanings[word].pairs.extend(completed[group.name])

    def _pass_over(self, seen: Clip) -> _Tally:
        text, tail_at, system_at = seen.text, seen.tail_at, seen.system_at
        lead_until = min(LEAD_CHARS, system_at)
        tally = _Tally([0.0] * len(self._tasks), [_NEVER] * self._groups)
        scores, said = tally.scores, tally.said  # looked up once: the loop is the hot path
        patterns = self._patterns
        met: set[int] = set()
        for index, start, end in self._automaton.find_matches_as_indexes(text, True):
            left, right, phrase, votes, links, more = patterns[index]
            is_new = index not in met
            if not is_new and links is None:
                continue
            if (left and text[start - 1] in _WORD_CHARS) or (right and text[end] in _WORD_CHARS):
                continue
            factor = 1.0 if start < lead_until else _factor(start, tail_at, system_at)
            if links is not None:
                _link(links, (start, end), factor, tally)
            if is_new:
                met.add(index)
                for slot, weight in votes:
                    scores[slot] += weight * factor
                    said.append((slot, phrase))
                if more is not None and start < system_at:
                    tally.hardness += more[0]
                    tally.user_rules.update(more[1])
        return tally

    def _first_user_rule(self, seen: Clip, tally: _Tally) -> int | None:
        for number, rule in enumerate(self._user_rules):
            if rule.phrases and number not in tally.user_rules:
                continue
            if rule.regex is None or rule.regex.search(seen.prompt):
                return number
        return None

    def _add_surface(self, prompt: str, tally: _Tally) -> None:
        """What the characters themselves say, counted at C speed."""
        raw = prompt.encode("ascii", "ignore")
        signs = raw.translate(None, _NO_SIGNS)
        if len(signs) >= 2:  # not in most prose
            self._add_signs(raw, signs, tally)
        if raw.endswith(b"?"):
            self._vote("factual", 0.8, "?", tally)

    def _add_signs(self, raw: bytes, signs: bytes, tally: _Tally) -> None:
        digits = len(signs) - len(signs.translate(None, _DIGITS))
        operators = len(signs) - len(signs.translate(None, _OPERATORS))
        marks = len(signs) - len(signs.translate(None, _CODE_MARKS))
        if digits >= 2 and operators and digits + operators > _ARITHMETIC_SHARE * len(raw):
            self._vote("math", 1.5, "digits and operators", tally)
        if marks > 4 and marks > _CODE_SHARE * len(raw) and b"\\" not in signs:  # a formula in LaTeX has braces too
            self._vote("code", 1.5, "brackets and semicolons", tally)
        if digits >= 2:
            self._vote("math", 0.6, "numbers", tally)

    def _vote(self, task: str, weight: float, reason: str, tally: _Tally) -> None:
        slot = self._slots.get(task)
        if slot is not None:
            tally.scores[slot] += weight
            tally.said.append((slot, reason))

    def _difficulty(self, task: str, tally: _Tally, prompt_chars: int) -> float:
        """base(task) + 0.4 h/(2+|h|) + 0.15 min(1, chars/4000) in [0, 1]; h sums the difficulty phrases' weights.

        The saturating term keeps a pile of hard words from counting without end, and the task as what mostly decides.
        """
        hardness = tally.hardness
        length = prompt_chars / 4000 if prompt_chars < 4000 else 1.0  # a comparison costs a third of `min`
        score = self._base.get(task, _BASE_DIFFICULTY) + 0.4 * hardness / (2 + abs(hardness)) + 0.15 * length
        if score < 0.0:
            return 0.0
        return min(1.0, score)


def _link(links: _Links, at: tuple[int, int], factor: float, tally: _Tally) -> None:
    """Count the pairs that a word completes, and remember where it ended."""
    groups, pairs = links
    start, end = at
    last_end = tally.last_end
    for number, first, within_chars, slot, weight, reason in pairs:
        if start - last_end[first] <= within_chars and number not in tally.paired:
            tally.paired.add(number)
            tally.scores[slot] += weight * factor
            tally.said.append((slot, reason))
    for group in groups:
        last_end[group] = end


def _factor(start: int, tail_at: int, system_at: int) -> float:
    """What a match behind the lead weighs."""
    if start >= system_at:
        return SYSTEM_FACTOR
    return 1.0 if start >= tail_at else LATER_FACTOR


def _edges(phrase: str) -> tuple[bool, bool]:
    """Whether the match of a phrase must start and end where a word does."""
    return phrase[0] in _WORD_CHARS, phrase[-1] in _WORD_CHARS


def _decide(scores: list[float]) -> tuple[int | None, float]:
    """The slot with the highest score and how far it leads; None when no score is worth a task.

    Confidence = share of the winner among the best two, times how much evidence there is at all.
    """
    ranked = sorted(scores)
    top = ranked[-1]
    if top < _WORTH_A_TASK:
        return None, 0.4
    second = ranked[-2] if len(ranked) > 1 else 0.0
    return scores.index(top), top / (top + second) * top / (top + 0.5)
