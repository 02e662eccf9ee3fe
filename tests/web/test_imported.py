"""Configurations of other gateways, imported and served: their clients ask on as they did."""

import json
from typing import Any

import yaml

from loadtest.faults import Fault
from tests.support.imports import from_litellm, from_portkey
from tests.support.running_gateway import running_gateway, vendors_of

DOWN = Fault(status=503)


async def test_litellms_groups_fallbacks_and_key_go_on() -> None:
    async with vendors_of(["sim-pro", "sim-private"]) as (pro, private):
        rows = [
            {"model_name": "best", "litellm_params": {"model": "hosted_vllm/pro-1", "api_base": pro.base_url}},
            {"model_name": "spare", "litellm_params": {"model": "openai/open-70b", "api_base": private.base_url,
                                                       "api_key": "none"}},
        ]  # fmt: skip
        source = {
            "model_list": rows, "litellm_settings": {"num_retries": 0}, "general_settings": {"master_key": "sk-1234"},
            "router_settings": {"fallbacks": [{"best": ["spare"]}], "model_group_alias": {"gpt-4": "best"}},
        }  # fmt: skip
        async with running_gateway(from_litellm(yaml.safe_dump(source)).text) as running:
            await pro.fault(DOWN)
            key = {"authorization": "Bearer sk-1234"}
            for name in ("best", "gpt-4"):
                async with running.chat(model=name, headers=key) as response:
                    assert (response.status, (await response.json())["model"]) == (200, "spare")
            async with running.chat(model="best", headers=key, num_retries=0, fallbacks=["nobody"]) as response:
                assert response.status == 404
            async with running.chat(model="pro-1", headers=key) as response:
                assert response.status == 404
            async with running.chat(model="best") as response:
                assert response.status == 401
        tried = [[one["endpoint"].partition("/")[2] for one in row["attempts"]] for row in running.rows.kept[:2]]
        assert tried == [["best", "spare"], ["gpt-4", "spare"]]


async def test_portkeys_conditions_and_fallbacks_go_on() -> None:
    async with vendors_of(["sim-pro", "sim-private"]) as (pro, private):

        def target(vendor: Any, model: str) -> dict[str, Any]:
            return {"provider": "openai", "custom_host": vendor.base_url, "override_params": {"model": model}}

        condition = {"query": {"metadata.plan": {"$eq": "paid"}}, "then": "paid"}
        source = {
            "strategy": {"mode": "conditional", "conditions": [condition], "default": "free"},
            "targets": [
                {"name": "paid", "strategy": {"mode": "fallback"},
                 "targets": [target(pro, "pro-1"), target(private, "open-400b")]},
                {"name": "free", **target(private, "open-70b")},
            ],
        }  # fmt: skip
        async with running_gateway(from_portkey(json.dumps(source)).text) as running:
            served = []
            for plan in ("paid", "free", "paid"):
                metadata = {"x-portkey-metadata": json.dumps({"plan": plan})}
                async with running.chat(model="gpt-4", headers=metadata) as response:
                    served.append((response.status, (await response.json())["model"]))
                await pro.fault(DOWN)
        assert served == [(200, "pro-1"), (200, "open-70b"), (200, "open-400b")]
