"""The wishes of a request in every language that the operator lets clients speak, as one `Extras`.

Our own words and OpenRouter's are always understood (`core.extras`); LiteLLM's and Portkey's where `compat:` says so.
Two words for the same thing are refused by name, since there is no telling which was meant; of two limits the
tighter one holds.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from gateway.core.chat import Json
from gateway.core.compat.foreign import LITELLM, NOTHING, PORTKEY, Foreign, bounded_tags
from gateway.core.compat.litellm import read_litellm
from gateway.core.compat.portkey import CONFIG, METADATA, Asked, metadata_headers, read_portkey
from gateway.core.extras import BadExtra, Extras, read_extras
from gateway.core.policy import Policy


def read_wishes(
    body: Mapping[str, Json], headers: Mapping[str, str], policy: Policy, request_id: str, path: str
) -> tuple[Extras, dict[str, Json]]:
    """As `read_extras`, in the other languages too.

    Args:
        body, headers, policy: as there.
        request_id: what a load balancer's draw depends on where the request names no session.
        path: of the surface, for conditions on it.
    """
    if not policy.compat:
        return read_extras(body, headers, policy)
    litellm = portkey = NOTHING
    rest = body
    if LITELLM in policy.compat:
        litellm, rest = read_litellm(rest)
    extras, rest = read_extras(rest, headers, policy)
    if PORTKEY in policy.compat:
        portkey, rest = read_portkey(headers, Asked(rest, policy, extras.session or request_id, path))
    if litellm is NOTHING and portkey is NOTHING:
        return extras, dict(rest)
    return _joined(extras, litellm, portkey), dict(rest)


def matched_headers(headers: Mapping[str, str], policy: Policy) -> Mapping[str, str]:
    """The headers that routes are matched against; what Portkey's metadata say counts where no header says it.

    Raises:
        BadExtra: the metadata cannot be read.
    """
    if PORTKEY not in policy.compat or METADATA not in headers:
        return headers
    return {**metadata_headers(headers), **headers}


def _joined(extras: Extras, litellm: Foreign, portkey: Foreign) -> Extras:
    said = {"models": extras.models, "fallbacks": litellm.fallbacks, CONFIG: portkey.fallbacks}
    given = [name for name, models in said.items() if models]
    if len(given) > 1:
        raise BadExtra(given[1], f"cannot stand beside {given[0]}: both say what to try next")
    models = next((models for models in said.values() if models), ())
    retries = _least(litellm.retries, portkey.retries)
    deadline_s = _least(extras.deadline_s, _least(litellm.deadline_s, portkey.deadline_s))
    return replace(
        extras,
        models=models,
        tries=None if retries is None else 1 + int(retries),
        deadline_s=deadline_s,
        tags=bounded_tags((*extras.tags, *litellm.tags, *portkey.tags), "tags"),
        only_after=portkey.only_after,
    )


def _least(one: float | None, other: float | None) -> float | None:
    """The tighter of two limits, where any is stated."""
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)
