"""What holds where `pointsman.yaml` is silent: tiers, the table of tasks, the labels.

`pii` is defined but not put on by detection: with it on, every prompt with an e-mail address would be refused by the
providers that keep requests for 30 days, which is most of them; an operator turns it on with open eyes.
"""

from gateway.core.policy import Label, Requirement

TIERS = ("small", "medium", "large")
TASK_TIERS = {
    "code": "large",
    "math": "large",
    "reasoning": "large",
    "creative": "medium",
    "email": "small",
    "summarization": "small",
    "classification": "small",
    "extraction": "small",
    "translation": "small",
    "factual": "small",
    "chat": "small",
}
LABELS = (
    Label("public"),
    Label("internal", Requirement(trains_on_data=False), content_allowed=False),
    Label("pii", Requirement(trains_on_data=False, retention_days=0), content_allowed=False),
    Label("eu-only", Requirement(regions=frozenset({"eu"})), content_allowed=False),
)
KEY_DIRECTORY = "/var/run/secrets/pointsman"
"""Provider keys are files below it: `<provider>/key` (CONTRACT §3)."""

DEFAULT_ROUTE = "default"
