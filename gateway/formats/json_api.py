"""What most APIs of providers over JSON have in common: errors, rate-limit headers, a bearer key, a list of models.

A wire format takes this as its base and says what is its own.
"""

from collections.abc import Mapping

from gateway.core.failure import Failure
from gateway.formats import horizon, upstream_errors


class JsonApi:
    requires_max_tokens = False
    models_path: str | None = "/models"

    def failure(self, status: int, headers: Mapping[str, str], body: bytes, now_s: float) -> Failure:
        return upstream_errors.of_answer(status, headers, body, now_s)

    def horizon_s(self, headers: Mapping[str, str], now_s: float) -> float | None:
        return horizon.exhausted_s(headers, now_s)

    def auth_headers(self, key: str) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {key}"),)
