"""The queries by which a log becomes a table of numbers. A record's fields are those of `core.record`."""

import json
from collections.abc import Sequence

from gateway.core.signals import AGAIN_AT_MOST, AGAIN_WITHIN_S

LONGEST_BYTES = 64 << 20  # a record that keeps texts holds a body of 32 MiB at most, twice

_RECORD = {
    "type": "VARCHAR", "decision": "VARCHAR", "score": "DOUBLE", "id": "VARCHAR", "time": "VARCHAR",
    "surface": "VARCHAR", "model": "VARCHAR", "route": "VARCHAR", "variant": "VARCHAR", "key_id": "VARCHAR",
    "task": "VARCHAR", "tier_required": "VARCHAR", "escalated": "BOOLEAN", "panic": "BOOLEAN",
    "sensitivity": ["VARCHAR"], "excluded": "MAP(VARCHAR, BIGINT)", "plan": ["VARCHAR"],
    "candidates": [
        {"endpoint": "VARCHAR", "eligible": "BOOLEAN", "reasons": ["VARCHAR"], "estimated_cost": "DOUBLE"}
    ],
    "attempts": [{"endpoint": "VARCHAR", "cost_usd": "DOUBLE", "ttft_ms": "DOUBLE"}],
    "endpoint": "VARCHAR", "outcome": "VARCHAR", "baseline": "VARCHAR", "estimated_input_tokens": "BIGINT",
    "usage": {
        "units": "DOUBLE", "input": "BIGINT", "cached_input": "BIGINT", "cache_write": "BIGINT", "output": "BIGINT",
        "reasoning": "BIGINT",
    },
    "session_hash": "VARCHAR", "prompt_hash": "VARCHAR", "prompt_chars": "BIGINT", "latency_ms": "DOUBLE",
    "format_ok": "BOOLEAN", "cost_usd": "DOUBLE", "saved_usd": "DOUBLE", "learned": {"certificate": "VARCHAR"},
}  # fmt: skip

_KIND = """
    to_json({
        'surface': surface, 'model': model, 'route': route, 'variant': variant, 'key_id': key_id, 'task': task,
        'tier': tier_required, 'escalated': coalesce(escalated, false), 'panic': coalesce(panic, false),
        'certified': learned.certificate is not null, 'labels': coalesce(sensitivity, []),
        'excluded': coalesce(excluded, MAP {}),
        'able': list_sort([c.endpoint for c in coalesce(candidates, []) if c.eligible]),
        'out': list_sort([{'endpoint': c.endpoint, 'reasons': c.reasons}
                          for c in coalesce(candidates, []) if not c.eligible]),
        'tops': [c.endpoint for c in coalesce(candidates, []) if c.eligible][1:3],
        'passed_over': case when list_contains(plan, endpoint)
                            then plan[1:list_position(plan, endpoint) - 1] else [] end,
        'first': plan[1], 'answered': endpoint, 'baseline': baseline
    })::VARCHAR
"""

COLUMNS = (
    "number", "tokens", "at_s", "estimate_1", "estimate_2", "estimate_3", "answered", "counted", "input",
    "cached_input", "cache_write", "output", "reasoning", "requests", "cost_usd", "failed_usd", "saved_usd", "feedback",
    "form", "asked_again", "broken_off",
)  # fmt: skip


def log_of(paths: Sequence[str]) -> str:
    """The query that reads every path, a parameter each, into the table `log`; a line that is no JSON is a row, too."""
    sources = " union all ".join(map(_source, paths))
    record = json.dumps(_RECORD)
    return f"""
create table log as
with lines as ({sources}),
     records as (select json is null as unreadable, unnest(from_json(json, '{record}')) from lines)
select
    id,
    case when type = 'feedback' then decision end as decision,
    score,
    case when outcome is not null and surface is not null and model is not null then {_KIND} end as kind,
    coalesce(estimated_input_tokens, 1)::DOUBLE as tokens,
    epoch_ms(try_cast(time as timestamptz)) / 1000.0 as at_s,
    [c.estimated_cost for c in candidates if c.eligible][1:3] as estimates,
    endpoint is not null as answered,
    usage.input is not null as counted,
    usage.input as input, usage.cached_input as cached_input, usage.cache_write as cache_write,
    usage.output as output, usage.reasoning as reasoning,
    coalesce(usage.units, case when surface = 'count_tokens' then 0 else 1 end) as requests,
    case when endpoint is not null then attempts[-1].cost_usd end as answer_usd,
    cost_usd, saved_usd,
    attempts[-1].ttft_ms as ttft_ms,
    case when session_hash is not null and prompt_hash is not null and task is not null
         then hash(key_id, session_hash, prompt_hash, prompt_chars) end as same,
    latency_ms, format_ok, outcome = 'ok' as whole, outcome = 'partial' as broken_off, unreadable
from records
"""  # noqa: S608 -- constants; paths are parameters


def _source(path: str) -> str:
    if path.endswith(".parquet"):
        return "select to_json(t) as json from read_parquet(?, union_by_name = true) t"
    read = f"read_ndjson_objects(?, ignore_errors = true, maximum_object_size = {LONGEST_BYTES})"
    return f"select json from {read}"  # noqa: S608 -- constants


KINDS = """
create table kinds as
select row_number() over (order by kind) - 1 as number, kind from (select distinct kind from log where kind is not null)
"""

FEEDBACK = """
create table feedback as select decision as id, avg(score) as score from log where decision is not null group by 1
"""

# A conversation that went on, be it by results of tools, is longer, and so not the same.
AGAIN = f"""
create table again as
select distinct id from (
    select
        id, whole, at_s + coalesce(latency_ms, 0) / 1000.0 as ended_s,
        lead(at_s) over (partition by same order by at_s) as next_s,
        count(*) over (
            partition by same order by at_s range between {AGAIN_WITHIN_S} preceding and {AGAIN_WITHIN_S} following
        ) as times
    from log where same is not null and at_s is not null
)
where whole and next_s between ended_s and ended_s + {AGAIN_WITHIN_S} and times <= {AGAIN_AT_MOST + 1}
"""  # noqa: S608 -- constants

ROWS = """
create table requests as
select
    k.number, l.tokens, coalesce(l.at_s, 0.0) as at_s,
    coalesce(l.estimates[1], 'nan'::DOUBLE) as estimate_1,
    coalesce(l.estimates[2], 'nan'::DOUBLE) as estimate_2,
    coalesce(l.estimates[3], 'nan'::DOUBLE) as estimate_3,
    l.answered, l.counted,
    coalesce(l.input, 0)::DOUBLE as input, coalesce(l.cached_input, 0)::DOUBLE as cached_input,
    coalesce(l.cache_write, 0)::DOUBLE as cache_write, coalesce(l.output, 0)::DOUBLE as output,
    coalesce(l.reasoning, 0)::DOUBLE as reasoning, l.requests::DOUBLE as requests,
    coalesce(l.answer_usd, 'nan'::DOUBLE) as cost_usd,
    greatest(coalesce(l.cost_usd, 0) - coalesce(l.answer_usd, 0), 0)::DOUBLE as failed_usd,
    coalesce(l.saved_usd, 'nan'::DOUBLE) as saved_usd,
    coalesce(f.score, 'nan'::DOUBLE) as feedback,
    coalesce(l.format_ok::INTEGER::DOUBLE, 'nan'::DOUBLE) as form,
    a.id is not null as asked_again,
    coalesce(l.broken_off, false) as broken_off,
    l.ttft_ms
from log l join kinds k on l.kind = k.kind left join feedback f on l.id = f.id left join again a on l.id = a.id
order by k.number
"""
