"""Portkey's conditions, judged as its own router judges them."""

from typing import Any

import pytest

from gateway.core.compat.query import holds
from gateway.core.extras import BadExtra

CONTEXT: dict[str, dict[str, Any]] = {
    "metadata": {"plan": "paid", "age": "7", "a.b": 1, "none": None},
    "params": {"model": "gpt-4o", "max_tokens": 100, "stream": True},
    "url": {"pathname": "/v1/chat/completions"},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"metadata.plan": {"$eq": "paid"}}, True),
        ({"metadata.plan": "paid"}, True),
        ({"metadata.plan": "free"}, False),
        ({"metadata.plan": {"$ne": "paid"}}, False),
        ({"metadata.absent": {"$eq": "paid"}}, False),
        ({"metadata.absent": {"$eq": None}}, False),
        ({"metadata.absent": {"$ne": "paid"}}, True),
        ({"metadata.absent": {"$gt": 1}}, False),
        ({"metadata.plan": {"$in": ["free", "paid"]}}, True),
        ({"metadata.plan": {"$in": "paid"}}, False),
        ({"metadata.plan": {"$nin": ["free", "paid"]}}, False),
        ({"metadata.plan": {"$nin": ["free"]}}, True),
        ({"metadata.plan": {"$nin": "free"}}, False),
        ({"metadata.age": {"$gt": 6, "$lt": "8"}}, True),
        ({"metadata.age": {"$gte": 7, "$lte": 7}}, True),
        ({"metadata.plan": {"$gt": 1}}, False),
        ({"params.max_tokens": {"$lt": 100.5}}, True),
        ({"params.max_tokens": 100.0}, True),
        ({"params.stream": 1}, False),
        ({"params.stream": {"$gt": 0}}, False),
        ({"params.stream": True}, True),
        ({"metadata.a.b": 1}, True),
        ({"url.pathname": "/v1/chat/completions", "params.model": {"$eq": "gpt-4o"}}, True),
        ({"$and": [{"metadata.plan": "paid"}, {"params.model": "gpt-4o"}]}, True),
        ({"$and": [{"metadata.plan": "paid"}, {"params.model": "o3"}]}, False),
        ({"$or": [{"metadata.plan": "free"}, {"params.model": "gpt-4o"}]}, True),
        ({"$or": [{"metadata.plan": "free"}], "params.model": "gpt-4o"}, False),
        ({"metadata.plan": {}}, True),
    ],
)
def test_judges(query: dict[str, Any], expected: bool) -> None:
    assert holds(query, CONTEXT, "q") is expected


def nested(depth: int) -> dict[str, Any]:
    query: dict[str, Any] = {"metadata.plan": "paid"}
    for _ in range(depth):
        query = {"$and": [query]}
    return query


def test_follows_queries_as_deep_as_anybody_writes_them() -> None:
    assert holds(nested(8), CONTEXT, "q")
    with pytest.raises(BadExtra):
        holds(nested(9), CONTEXT, "q")


@pytest.mark.parametrize(
    ("query", "param", "words"),
    [
        (None, "q", "must be an object such as"),
        ({}, "q", "must be an object such as"),
        ({"plan": "paid"}, "q.plan", "must be $and, $or or a field of: metadata, params, url"),
        ({"body.plan": "paid"}, "q.body.plan", "must be $and, $or or a field of"),
        ({"$and": []}, "q.$and", "must be a list of queries"),
        ({"$or": [1]}, "q.$or[0]", "must be an object such as"),
        ({"metadata.plan": {"$regex": "^p"}}, "q.metadata.plan", "$regex is not run for callers"),
        ({"metadata.plan": {"$like": 1}}, "q.metadata.plan", "unknown operator '$like'; valid: $eq, $ne"),
        ({"metadata.plan": "free", "x": 1}, "q.x", "must be $and"),
        ({"metadata.plan": {"$eq": "free", "$like": 1}}, "q.metadata.plan", "unknown operator"),
    ],
)
def test_refuses_what_is_no_query_whatever_else_holds(query: Any, param: str, words: str) -> None:
    with pytest.raises(BadExtra) as caught:
        holds(query, CONTEXT, "q")
    assert (caught.value.param, caught.value.message[: len(words)]) == (param, words)
