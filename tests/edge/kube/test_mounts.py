"""Configuration and keys as the kubelet mounts them: symlinks into a directory that is swapped whole."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from gateway.edge.files import Change, DirectoryWatch
from loadtest.control import RunningVendor
from tests.support.running_gateway import WAIT_S, config_of, gateway_child, until, vendors_of

BODY: dict[str, Any] = {"model": "auto", "max_tokens": 60, "messages": [{"role": "user", "content": "Count to 9"}]}


class Volume:
    """A ConfigMap's or Secret's volume; every version is written as kubernetes' atomic writer does it."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        self._version = 0

    def hold(self, **files: str) -> None:
        """`__` in a name stands for a dot."""
        self._version += 1
        fresh = self.path / f"..2026_11_25_07_00_{self._version:02}.123"
        fresh.mkdir()
        named = {name.replace("__", "."): text for name, text in files.items()}
        for name, text in named.items():
            (fresh / name).write_text(text)
        data = self.path / "..data"
        before = data.readlink() if data.is_symlink() else None
        (self.path / "..data_tmp").symlink_to(fresh.name)
        os.replace(self.path / "..data_tmp", data)
        for name in named:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
        for link in self.path.iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink()
        if before is not None:
            shutil.rmtree(self.path / before)


def test_sees_keys_of_a_volume_change_come_and_go(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "state")
    watch = DirectoryWatch(volume.path, lambda name: name.endswith(".json"))
    volume.hold(a__json="1", note="x")
    first = watch.look()
    volume.hold(a__json="1", b__json="2")
    second = watch.look()
    volume.hold(b__json="2")
    third = watch.look()
    assert (first, second) == ([Change("a.json", b"1")], [Change("a.json", b"1"), Change("b.json", b"2")])
    assert third == [Change("a.json", None, "No such file or directory"), Change("b.json", b"2")]


def with_key(vendors: list[RunningVendor], key: Path) -> str:
    config = yaml.safe_load(config_of(vendors))
    for provider in config["providers"].values():
        provider["key"] = {"file": str(key)}
    return yaml.safe_dump(config)


def keys_sent(vendor: RunningVendor) -> list[str]:
    headers = [{name.lower(): value for name, value in one["headers"]} for one in vendor.requests()]
    return [one["authorization"] for one in headers]


async def test_takes_over_a_configuration_and_a_key_that_are_swapped(tmp_path: Path) -> None:
    routing, secret = Volume(tmp_path / "routing"), Volume(tmp_path / "secret")
    secret.hold(key="first")
    async with vendors_of(["sim-cheap", "sim-fast"]) as vendors:
        key = secret.path / "key"
        routing.hold(pointsman__yaml=with_key(vendors[:1], key))
        environ = {"POINTSMAN_CONFIG": str(routing.path / "pointsman.yaml")}
        async with gateway_child(tmp_path, "{}", environ) as child, aiohttp.ClientSession() as http:

            async def answered_by() -> str:
                async with http.post(child.url + "/v1/chat/completions", json=BODY) as response:
                    return response.headers["x-pointsman-endpoint"]

            assert await answered_by() == "sim-cheap/open-8b"
            routing.hold(pointsman__yaml="providers: [broken]")
            await until(lambda: "refused, the old one stays" in child.log_text, "the refusal")
            assert await answered_by() == "sim-cheap/open-8b"
            routing.hold(pointsman__yaml=with_key(vendors[1:], key))
            await until(lambda: "is in force" in child.log_text, "the new configuration")
            secret.hold(key="second")
            async with asyncio.timeout(WAIT_S):
                while "Bearer second" not in keys_sent(vendors[1]):
                    assert await answered_by() == "sim-fast/open-8b"
        assert set(keys_sent(vendors[0])) == {"Bearer first"}
        assert keys_sent(vendors[1])[-1] == "Bearer second"
