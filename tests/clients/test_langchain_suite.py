"""LangChain's standard suites: through the gateway they pass exactly what they pass directly."""

import re
import shutil
from pathlib import Path

import yaml

from tests.clients.support.environments import SCRIPTS
from tests.clients.support.matrix import keep, run
from tests.clients.support.third_parties import llmock, row
from tests.support.running_gateway import running_gateway

LINE = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) \S*?::(\w+::\S+)", re.MULTILINE)


async def outcomes(python: Path, home: Path, url: str, anthropic_url: str) -> dict[str, str]:
    """Test → outcome, of a run against these."""
    suite = Path(shutil.copy(SCRIPTS / "suite" / "standard_suite.py", home))  # away from the project's own conftest
    options = ["-p", "no:cacheprovider", "-p", "no:benchmark", "-rA", "-q", "--tb=no", "-o", "asyncio_mode=auto"]
    rooted = ["--rootdir", str(suite.parent), "-c", "/dev/null"]
    ended = await run(
        [python, "-m", "pytest", str(suite), *options, *rooted], home, SUITE_URL=url, SUITE_ANTHROPIC_URL=anthropic_url
    )
    found = {name: outcome for outcome, name in LINE.findall(ended.out)}
    assert len(found) > 60, ended.out[-2_000:] + ended.err[-2_000:]
    return found


async def test_passes_exactly_what_passes_directly(clients_python: Path, tmp_path: Path) -> None:
    async with llmock(clients_python.parent, tmp_path) as url:
        directly = await outcomes(clients_python, tmp_path, url, url + "/anthropic")
        providers = {
            "open": row("openai", url + "/v1", "gpt-4o"),
            "claude": row("anthropic", url + "/anthropic/v1", "claude-sonnet-4-5"),
        }
        async with running_gateway(yaml.safe_dump({"providers": providers})) as running:
            through = await outcomes(clients_python, tmp_path, running.url, running.url)
    differing = {name: (was, through.get(name)) for name, was in directly.items() if through.get(name) != was}
    for kind in ("TestChatOpenAI", "TestChatAnthropic"):
        passed = [sum(at == "PASSED" for name, at in each.items() if kind in name) for each in (directly, through)]
        differ = sum(kind in name for name in differing)
        text = f"{passed[0]} pass directly, {passed[1]} through the gateway, {differ} differ"
        keep(f"other-langchain-{kind}", {"proof": f"langchain-tests, {kind[4:]}, upstream llmock", "result": text})
    assert differing == {}
