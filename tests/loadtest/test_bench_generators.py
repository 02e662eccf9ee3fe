"""Command lines of the load generators, and what their output means."""

from pathlib import Path

import orjson
import pytest

from loadtest.bench.generators import Job, Own, Wrk

WRK_SAID = """\
Running 10m test @ http://127.0.0.1:1/v1/chat/completions
  1 threads and 32 connections
  5321 requests in 3.20s, 3.10MB read
Requests/sec:   1662.81
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job("http://127.0.0.1:1/v1/chat/completions", "pk-1", [b'{"a": 1}', b'{"b": "]]"}'], 7, tmp_path)


def test_gives_wrk_a_script_that_sends_the_bodies_in_turn(job: Job) -> None:
    command = Wrk("/usr/bin/wrk").command(job)
    assert command[:3] == ["/usr/bin/wrk", "-t1", "-c7"]
    assert command[-1] == job.url
    script = Path(command[command.index("-s") + 1]).read_text()
    assert script.startswith('local bodies = {\n[==[{"a": 1}]==],\n[==[{"b": "]]"}]==],\n}\n')
    assert '["Authorization"] = "Bearer pk-1"' in script


@pytest.mark.parametrize(
    ("output", "trouble"),
    [
        (WRK_SAID, None),
        (f"{WRK_SAID}  Non-2xx or 3xx responses: 12\n", "Non-2xx or 3xx responses: 12"),
        (
            f"  Socket errors: connect 0, read 3, write 0, timeout 0\n{WRK_SAID}",
            "Socket errors: connect 0, read 3, write 0, timeout 0",
        ),
        ("load.lua: unexpected symbol", "wrk said: 'load.lua: unexpected symbol'"),
    ],
)
def test_reads_what_wrk_says(output: str, trouble: str | None) -> None:
    assert Wrk("wrk").trouble(output) == trouble


def test_gives_our_own_the_bodies_as_a_file(job: Job) -> None:
    command = Own().command(job)
    assert command[1:3] == ["-m", "loadtest.bench.own_load"]
    assert orjson.loads(Path(command[command.index("--bodies") + 1]).read_bytes()) == [{"a": 1}, {"b": "]]"}]


@pytest.mark.parametrize(
    ("output", "trouble"),
    [
        ('{"requests": 5, "not_2xx": 0, "errors": 0}', None),
        ('{"requests": 5, "not_2xx": 2, "errors": 1}', "2 replies were no 2xx, 1 connections failed"),
        ("", "the generator said: ''"),
    ],
)
def test_reads_what_our_own_says(output: str, trouble: str | None) -> None:
    assert Own().trouble(output) == trouble
