"""What /config shows."""

import json
from pathlib import Path

from gateway.config.effective import effective, key_source
from gateway.core.catalog import KeyRef
from tests.support.configs import defaults, load

EXAMPLE = (Path(__file__).parent / "contract_example.yaml").read_text()


def test_is_json_and_names_keys_by_their_place_alone() -> None:
    shown = effective(load(EXAMPLE).policy)
    assert json.loads(json.dumps(shown)) == shown
    assert shown["auth"] == {"keys": [{"id": "kb-search", "sha256": "e3b0c442…"}]}
    assert shown["providers"]["corp-vllm"]["key"] == "file /var/run/secrets/vllm/key"
    assert "e3b0c44298fc" not in json.dumps(shown)


def test_names_tiers_and_labels() -> None:
    shown = effective(load(EXAMPLE).policy)
    assert shown["classify"]["task_tiers"]["code"] == "large"
    assert shown["sensitivity"]["pii"] == {
        "require": {"trains_on_data": False, "retention_days": 0},
        "detect": True,
        "content": "never",
    }
    assert [(route["name"], route.get("tier"), route.get("escalate")) for route in shown["routes"]] == [
        ("support-bot", {"min": "small", "max": "medium"}, None),
        ("default", None, {"share": 0.2, "to": "large", "by": "score"}),
    ]
    assert shown["providers"]["corp-vllm"]["models"] == [
        {
            "id": "corp-vllm/qwen2.5-72b",
            "upstream_id": "Qwen/Qwen2.5-72B-Instruct",
            "api": "openai",
            "base_model": "gpt-4o",
            "operation": "chat",
            "tier": "medium",
            "context": 131072,
            "max_output": 8192,
            "caps": ["json_schema", "tools"],
        }
    ]


def test_says_that_the_api_is_open() -> None:
    assert effective(defaults().policy)["auth"] is None


def test_names_every_place_a_key_is_looked_for() -> None:
    assert key_source(KeyRef(file="/a", env="B")) == "file /a, else variable B"
    assert key_source(KeyRef(none=True)) == "none"


def test_shows_what_escalation_by_feedback_goes_by() -> None:
    escalate = "strategy: {escalate: {share: 0.2, to: large, by: feedback, bad: {code: 0.1}}}"
    (route,) = effective(load(f"routes: [{{name: default, {escalate}}}]").policy)["routes"]
    assert route["escalate"] == {"share": 0.2, "to": "large", "by": "feedback", "bad": {"code": 0.1}}
