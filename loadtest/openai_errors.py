"""OpenAI's refusals that its surfaces share."""

from collections.abc import Mapping
from typing import Any

from loadtest.asks import ApiError
from loadtest.vendors import Model, Vendor

Json = Any  # a parsed JSON value


def invalid(message: str, code: str | None = None, param: str | None = None) -> ApiError:
    return ApiError(400, message, "invalid_request_error", code, param)


def known_model(body: Mapping[str, Json], vendor: Vendor) -> Model:
    """The vendor's row for `body["model"]`, or OpenAI's 400 and 404."""
    model_id = body.get("model")
    if not isinstance(model_id, str):
        raise invalid("you must provide a model parameter", param="model")
    model = vendor.model(model_id)
    if model is None:
        message = f"The model `{model_id}` does not exist or you do not have access to it."
        raise ApiError(404, message, "invalid_request_error", "model_not_found", "model")
    return model
