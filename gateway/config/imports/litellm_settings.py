"""LiteLLM's settings outside its model list: what has a place here, and a note for each that has none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from gateway.config.imports.draft import Json, duration
from gateway.config.imports.notes import Notes
from gateway.config.imports.source_values import mapping, number, sequence, text, texts, variable_of, whole
from gateway.config.problems import Path

_OBJECTIVES: Mapping[str, str | None] = {
    "simple-shuffle": None, "cost-based-routing": "cost", "latency-based-routing": "latency",
}  # fmt: skip
_SECTIONS = (
    "model_list", "litellm_settings", "router_settings", "general_settings", "environment_variables", "credential_list",
)  # fmt: skip
_FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks", "default_fallbacks")
_TAKEN = frozenset({
    *_FALLBACKS, "num_retries", "timeout", "stream_timeout", "request_timeout", "allowed_fails", "cooldown_time",
    "routing_strategy", "model_group_alias",
})  # fmt: skip
_ITSELF = "the gateway does so by itself"
_KEYS = "keys of teams and users, their budgets and their limits are not kept here: client keys stand in auth:"
_RECORDS = "records go to stdout, a file or a collector by settings of the process: see docs/configuration.md"
_STORE = "there is no database and no shared store: each process stands for itself"
_CACHE = "there is no cache of answers; prompt caches of the providers are kept warm"
_HINTS: Mapping[str, str] = {
    **dict.fromkeys(("drop_params", "modify_params", "enable_pre_call_checks", "set_verbose", "json_logs"), _ITSELF),
    **dict.fromkeys(("cache", "cache_params", "enable_caching_on_provider_specific_optional_params"), _CACHE),
    **dict.fromkeys(("success_callback", "failure_callback", "callbacks", "service_callbacks", "audit_log_callbacks",
                     "langfuse_default_tags", "alerting", "alerting_threshold", "alert_types"), _RECORDS),
    **dict.fromkeys(("redis_host", "redis_port", "redis_password", "redis_url", "database_url", "store_model_in_db",
                     "database_connection_pool_limit", "use_redis_transaction_buffer"), _STORE),
    **dict.fromkeys(("max_budget", "budget_duration", "default_team_settings", "default_internal_user_params",
                     "max_internal_user_budget", "custom_auth", "enable_jwt_auth", "litellm_jwtauth",
                     "provider_budget_config"), _KEYS),
    **dict.fromkeys(("turn_off_message_logging", "redact_user_api_key_info", "redact_messages_in_exceptions"),
                    "records hold no texts unless a route says record: full"),
    **dict.fromkeys(("retry_policy", "model_group_retry_policy", "allowed_fails_policy", "retry_after"),
                    "what is tried again is fixed for each kind of failure; Retry-After is honoured"),
    **dict.fromkeys(("enable_tag_filtering", "tag_filtering_match_any"),
                    "tags do not choose deployments: match a header in a route instead"),
    "disable_cooldowns": "endpoints that fail are always left alone for a while: see breaker:",
    "background_health_checks": "the monitor probes by itself: see probe: of a provider",
    "health_check_interval": "see probe: {every: …} of a provider",
    "content_policy_fallbacks": "a refusal by a provider's content policy is its answer: nobody else is asked",
    "global_max_parallel_requests": "see max_in_flight of each provider",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    answer: str | None = None  # timeouts of every provider, as durations
    first_token: str | None = None
    max_in_flight: int | None = None
    retries: int | None = None
    objective: str | None = None
    fallbacks: Mapping[str, list[str]] = field(default_factory=dict)
    context_fallbacks: Mapping[str, list[str]] = field(default_factory=dict)
    default_fallbacks: list[str] = field(default_factory=list)
    fallbacks_at: Path = ()
    rest: Mapping[str, Json] = field(default_factory=dict)


def settings_of(data: Mapping[str, Any], notes: Notes) -> Settings:
    """Everything but the model list; the router's settings win over the library's, as they do there."""
    library, router = mapping(data.get("litellm_settings")), mapping(data.get("router_settings"))
    general = mapping(data.get("general_settings"))
    _note_the_rest(data, notes)
    both = library | router

    def at(name: str) -> Path:
        return ("router_settings" if name in router else "litellm_settings", name)

    timeout = next((found for name in ("timeout", "request_timeout") if (found := number(both.get(name)))), None)
    stream = number(both.get("stream_timeout")) or timeout
    most = whole(general.get("max_parallel_requests"))
    context = _groups(both.get("context_window_fallbacks"))
    if context:
        words = "these fallbacks serve after any failure here, and for prompts that are too long without a try"
        notes.add(at("context_window_fallbacks"), words)
    return Settings(
        answer=None if timeout is None else duration(timeout),
        first_token=None if stream is None else duration(stream),
        max_in_flight=most if most is not None and 0 < most <= 1_000_000 else None,
        retries=_retries(both, at, notes),
        objective=_objective(both, at, notes),
        fallbacks=_groups(both.get("fallbacks")),
        context_fallbacks=context,
        default_fallbacks=texts(both.get("default_fallbacks")),
        fallbacks_at=next((at(name) for name in _FALLBACKS if name in both), ()),
        rest=_rest(both, general, notes),
    )


def _groups(value: Any) -> dict[str, list[str]]:
    """`[{group: [names]}, …]`."""
    found: dict[str, list[str]] = {}
    for one in map(mapping, sequence(value)):
        for group, names in one.items():
            given = texts(names) if isinstance(names, list) else [name for name in [text(names)] if name is not None]
            found.setdefault(str(group), []).extend(given)
    return found


def _retries(both: Mapping[str, Any], at: Any, notes: Notes) -> int | None:
    retries = whole(both.get("num_retries"))
    if retries is None or retries < 0:
        return None
    words = "limits.attempts counts all tries of a request; no endpoint is asked twice for one"
    notes.add(at("num_retries"), words)
    return retries


def _objective(both: Mapping[str, Any], at: Any, notes: Notes) -> str | None:
    strategy = text(both.get("routing_strategy"))
    if strategy is None:
        return None
    if strategy not in _OBJECTIVES:
        words = "has no equivalent: the cheapest deployment that is well is taken, of equal ones each session its own"
        notes.add(at("routing_strategy"), words)
    elif _OBJECTIVES[strategy] is None:
        words = "deployments are shuffled only where they have weights; else the cheapest that is well is taken"
        notes.add(at("routing_strategy"), words)
    return _OBJECTIVES.get(strategy)


def _rest(both: Mapping[str, Any], general: Mapping[str, Any], notes: Notes) -> dict[str, Json]:
    rest: dict[str, Json] = {}
    fails, cooldown = whole(both.get("allowed_fails")), number(both.get("cooldown_time"))
    breaker: dict[str, Json] = {}
    if fails is not None and 0 <= fails < 1_000_000:
        breaker["failures"] = fails + 1
    if cooldown is not None and (open_for := duration(cooldown)) is not None:
        breaker["open_for"] = open_for
        if cooldown > 300:
            breaker["open_for_max"] = open_for
    if breaker:
        rest["breaker"] = breaker
    key = general.get("master_key")
    if key is not None:
        rest |= _auth(key, notes)
    return rest | {"compat": ["litellm"]}


def _auth(key: Any, notes: Notes) -> dict[str, Json]:
    """The master key by its hash, where it stands in the file; an API that was closed must not open in silence."""
    at: Path = ("general_settings", "master_key")
    name, given = variable_of(key), text(key)
    if name is not None or given is None:
        where = f"from the variable {name} " if name else ""
        words = (
            f"THE API IS OPEN until you add the hash of this key: auth: {{keys: [{{id: master, sha256: …}}]}}, "
            f"made {where}by: printf %s KEY | sha256sum"
        )
        notes.add(at, words)
        return {}
    notes.add(at, "clients go on with this key: its SHA-256 was written, never the key; give each client its own")
    return {"auth": {"keys": [{"id": "master", "sha256": sha256(given.encode("utf-8", "replace")).hexdigest()}]}}


def _note_the_rest(data: Mapping[str, Any], notes: Notes) -> None:
    for section, value in data.items():
        if section not in _SECTIONS:
            notes.add((section,), "has no equivalent: it was left out")
        elif section == "environment_variables" and value:
            notes.add((section,), "set these in the environment of the process; none was copied")
        elif section in ("litellm_settings", "router_settings", "general_settings"):
            for name in mapping(value):
                _note_setting(section, name, notes)


def _note_setting(section: str, name: str, notes: Notes) -> None:
    taken = ("master_key", "max_parallel_requests") if section == "general_settings" else _TAKEN
    if name not in taken or name in _HINTS:
        notes.add((section, name), _HINTS.get(name, "has no equivalent: it was left out"))
