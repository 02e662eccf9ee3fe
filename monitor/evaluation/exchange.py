"""The store as rows of JSON, and back: to keep a copy, to move to another database, to work with elsewhere.

The first row says what the others are. Claims, holds and secrets are not among them: they are of their store alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, select

from gateway.core.evaluation import Header
from gateway.core.policy import NOTHING_REQUIRED, Requirement
from monitor.evaluation.database import Database
from monitor.evaluation.pairs import By, Judgement, Verdict
from monitor.evaluation.rows import judgement_row, names_of, terms_of
from monitor.evaluation.store_errors import RowError
from monitor.evaluation.tables import judgements, pairs, spending, states, texts

VERSION = 1
AT_ONCE = 200  # pairs that are read together: their texts may be large
BEGINS = 'an export begins with {"kind":"evaluations","version":1}'
OWN_WORD = "secret"  # the last word of a state's key that is nobody else's business

Count = Annotated[int, Meta(ge=0, le=1 << 31)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]


class _Line(Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    pass


class Head(_Line, frozen=True, tag="evaluations"):
    version: int


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    scorer: str
    by: By
    verdict: Verdict
    time_s: float


class PairLine(_Line, frozen=True, tag="pair"):
    decision: str
    time_s: float
    route: str
    task: str
    step: Count
    score: float
    model: str
    probability: float
    certificate: str | None
    lower: bool
    surface: str
    endpoint: str
    cost_usd: float | None
    others: list[str]
    judges: list[str]
    budget_usd_per_day: float
    keep_s: float
    added_s: float
    state: Literal["waiting", "complete", "given_up"]
    state_s: float
    why: str | None
    second_endpoint: str | None
    second_cost_usd: float | None
    wanted: Count
    judgements: list[Said]
    labels: list[str] | None = None
    require: Requirement = NOTHING_REQUIRED
    # Texts, where they are still there.
    request: dict[str, Any] | None = None
    headers: list[Header] | None = None
    answer: str | None = None
    prompt: str | None = None
    first: str | None = None
    second: str | None = None


class Spent(_Line, frozen=True, tag="spending"):
    route: str
    day: Day
    usd: float


class State(_Line, frozen=True, tag="state"):
    key: str
    value: bytes  # base64 in JSON


Line = Head | PairLine | Spent | State

TEXTS = ("request", "headers", "answer", "prompt", "first", "second")
COLUMNS = tuple(name for name in PairLine.__struct_fields__ if name not in (*TEXTS, "judgements"))


def exported(connection: Connection) -> Iterator[dict[str, Any]]:
    yield _plain(Head(VERSION))
    for line in _pairs(connection):
        yield _plain(line)
    for row in connection.execute(select(spending).order_by(spending.c.day, spending.c.route)):
        yield _plain(Spent(row.route, row.day, row.usd))
    for row in connection.execute(select(states).order_by(states.c.key)):
        if row.key.split()[-1:] != [OWN_WORD]:
            yield _plain(State(row.key, row.value))


def imported(connection: Connection, database: Database, rows: Iterable[Mapping[str, Any]]) -> int:
    """How many pairs were new. Raises RowError."""
    new = number = 0
    lines = (_read(number, row) for number, row in enumerate(rows, 1))
    while some := list(islice(lines, AT_ONCE)):
        number += len(some)
        new += _take(connection, database, [line for line in some if isinstance(line, PairLine)])
        spent = [asdict(line) for line in some if isinstance(line, Spent)]
        database.added(connection, spending, spent)
        database.added(connection, states, [asdict(line) for line in some if isinstance(line, State)])
    if not number:
        raise RowError(f"there is no line, and {BEGINS}")
    return new


def _pairs(connection: Connection) -> Iterator[PairLine]:
    said = [column.label(f"said_{column.name}") for column in judgements.c if column.name != "decision"]
    found = (
        select(*(pairs.c[name] for name in COLUMNS), *(texts.c[name] for name in TEXTS), *said)
        .outerjoin(texts, texts.c.decision == pairs.c.decision)
        .outerjoin(judgements, judgements.c.decision == pairs.c.decision)
        .order_by(pairs.c.time_s, pairs.c.decision, judgements.c.by, judgements.c.scorer)
    )
    result = connection.execute(found, execution_options={"yield_per": AT_ONCE}).mappings()
    for _, group in groupby(result, key=lambda row: row["decision"]):
        yield _pair(list(group))


def _pair(rows: list[Any]) -> PairLine:
    row = rows[0]
    fields = {name: row[name] for name in (*COLUMNS, *TEXTS)}
    fields["others"], fields["judges"] = list(names_of(row["others"])), list(names_of(row["judges"]))
    terms = terms_of(row)
    fields["labels"], fields["require"] = None if terms.labels is None else list(terms.labels), terms.require
    fields |= {name: None if row[name] is None else msgspec.json.decode(row[name]) for name in ("request", "headers")}
    said = [
        Said(one["said_scorer"], By(one["said_by"]), Verdict(one["said_verdict"]), one["said_time_s"])
        for one in rows
        if one["said_scorer"] is not None
    ]
    return PairLine(**fields, judgements=said)


def _plain(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(line)
    return told


def _read(number: int, row: Mapping[str, Any]) -> Line:
    try:
        line: Line = msgspec.convert(row, type=Line)
    except msgspec.ValidationError as error:
        raise RowError(f"line {number}: {_words(str(error))}") from None
    if number == 1 and not isinstance(line, Head):
        raise RowError(f'line 1: kind: must be "evaluations": {BEGINS}')
    if isinstance(line, Head):
        _check_head(number, line.version)
    if isinstance(line, PairLine) and (problem := _problem(line)) is not None:
        raise RowError(f"line {number}: {problem}")
    return line


def _check_head(number: int, version: int) -> None:
    if number > 1:
        raise RowError(f'line {number}: kind: "evaluations" stands in the first line alone')
    if version != VERSION:
        raise RowError(f"line 1: version: must be {VERSION}: this Pointsman reads no other")


def _problem(line: PairLine) -> str | None:
    """What the fields say together."""
    said = {one.by for one in line.judgements}
    if line.state != "complete":
        return "judgements: must be empty, since the pair is not complete" if said else None
    if By.SAME in said:
        return None
    if line.second_endpoint is None:
        return 'second_endpoint: must be a text: the pair is complete, and no judgement is by "same"'
    here = [text is not None for text in (line.prompt, line.first, line.second)]
    return None if all(here) or not any(here) else "prompt, first, second: must be there all three, or none"


def _take(connection: Connection, database: Database, lines: Sequence[PairLine]) -> int:
    """How many were not there yet."""
    first = {line.decision: line for line in reversed(lines)}
    new = database.added(connection, pairs, [_pair_row(line) for line in first.values()])
    taken = [first[decision] for decision in new]
    written = [row for row in map(_text_row, taken) if any(row[name] is not None for name in TEXTS)]
    if written:
        connection.execute(texts.insert(), written)
    database.added(connection, judgements, [row for line in taken for row in _said_rows(line)])
    return len(new)


def _pair_row(line: PairLine) -> dict[str, Any]:
    row = {name: getattr(line, name) for name in COLUMNS}
    row["others"], row["judges"] = _json(line.others), _json(line.judges)
    row["labels"], row["require"] = None if line.labels is None else _json(line.labels), _json(line.require)
    people = sum(one.by is By.PEOPLE and one.verdict is not Verdict.SKIP for one in line.judgements)
    row["scored"] = people >= line.wanted
    row["settled"] = not line.judges or any(one.by is not By.PEOPLE for one in line.judgements)
    return row


def _text_row(line: PairLine) -> dict[str, Any]:
    row = {name: getattr(line, name) for name in ("decision", *TEXTS)}
    row["request"] = None if line.request is None else _json(line.request)
    row["headers"] = None if line.headers is None else _json(line.headers)
    return row


def _said_rows(line: PairLine) -> Iterator[dict[str, Any]]:
    for one in line.judgements:
        yield judgement_row(Judgement(line.decision, one.scorer, one.by, one.verdict, one.time_s))


_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.+?)`")
_EXPECTED = re.compile(r"Expected `(.+?)`, got `(.+?)`")
_BOUND = re.compile(r"Expected `(.+?)` ([<>]=) (\S+)")
_PATTERNS = {"day": "a day, like 2026-11-25", "value": "bytes in base64"}
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "bytes": "bytes in base64",
}
_ENUMS = {
    "kind": ("evaluations", "pair", "spending", "state"),
    "state": ("waiting", "complete", "given_up"),
    "by": tuple(By),
    "verdict": tuple(Verdict),
}


def _words(said: str) -> str:
    """The decoder's sentence as field, and what would be right."""
    place = _PLACE.search(said)
    where, what = ("", said) if place is None else (place[1], said[: place.start()])
    if (field := _FIELD.match(what)) is not None:
        name = f"{where}.{field[2]}".lstrip(".")
        return f"{name}: is missing" if field[1].startswith("missing") else f"{name}: is no field here; leave it out"
    if (expected := _EXPECTED.match(what)) is not None:
        what = f"must be {_named(expected[1])}, and is {_named(expected[2])}"
    elif (bound := _BOUND.match(what)) is not None:
        what = f"must be {_named(bound[1])} of {'at least' if bound[2] == '>=' else 'at most'} {bound[3]}"
    elif (pattern := _PATTERNS.get(where)) is not None:
        what = f"must be {pattern}"
    elif what.startswith("Invalid ") and (right := _ENUMS.get(where.rpartition(".")[2])) is not None:
        what = f"must be one of {', '.join(right)}"
    else:
        what = f"{what[0].lower()}{what[1:]}"
    return f"{where or 'the line'}: {what}"


def _named(types: str) -> str:
    return " or ".join(_TYPES.get(one, one) for one in types.split(" | "))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
