"""What may differ between recorded requests of Gemini, Bedrock and Cohere and what we write of their meaning."""

import json
from typing import Any

from tests.support.normal import Rule, at, everywhere, without

GEMINI_FREE = ("args", "response", "parametersJsonSchema", "responseJsonSchema")  # the client's own


def _filled(value: dict[str, Any]) -> dict[str, Any]:
    return {key: one for key, one in value.items() if one not in ({}, [], None, "") or key in GEMINI_FREE}


def _result(value: dict[str, Any]) -> dict[str, Any]:
    """A call's result as it was before it became text."""
    answer = value.get("response")
    if not isinstance(answer, dict) or answer.keys() != {"output"} or not isinstance(answer["output"], str):
        return value
    return {**value, "response": json.loads(answer["output"])}


GEMINI_REQUESTS = (
    Rule("what a client cannot say", "text is wanted: the default", [
        everywhere(without("responseModalities"), GEMINI_FREE)]),
    Rule("results of calls", "an object becomes text under one key, since other formats know only text", [
        everywhere(_result, GEMINI_FREE)]),
    Rule("role of the system text", "it has one meaning whatever it says", [at("systemInstruction", without("role"))]),
    Rule("empty fields", "nothing is said by them", [everywhere(_filled, GEMINI_FREE)]),
)  # fmt: skip


def _everywhere_but_schemas(edit: Any) -> Any:
    return everywhere(edit, ("inputSchema", "json"))


def _without_blanks(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [one for one in inner if not _blank(one)] if isinstance(inner, list) else inner
        for key, inner in value.items()
    }


def _blank(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"text"} and not str(value["text"]).strip()


def _not_empty(value: dict[str, Any]) -> dict[str, Any]:
    kept = ("input", "auto", "any")
    return {key: one for key, one in value.items() if one not in ({}, [], None) or key in kept}


BEDROCK_REQUESTS = (
    Rule("status: success", "the default", [_everywhere_but_schemas(without("status", "success"))]),
    Rule("blank texts", "the API refuses them", [_everywhere_but_schemas(_without_blanks)]),
    Rule("empty fields", "nothing is said by them", [_everywhere_but_schemas(_not_empty)]),
)  # fmt: skip

COHERE_REQUESTS: tuple[Rule, ...] = ()
