"""The monitor's proposals in Chromium, light and dark, on a desk and on a phone."""

import os
import re
from pathlib import Path

from tests.page.support.browser import SHOTS, drive
from tests.page.support.proposing import proposing

LOOKS = "POINTSMAN_PAGE_LOOKS"  # a folder for pictures of every look, for whoever works on the page


async def test_show_each_with_its_evidence_and_diff_and_apply_nothing(tmp_path: Path) -> None:
    (tmp_path / "stage").mkdir()
    (tmp_path / "browser").mkdir()
    async with proposing(tmp_path / "stage") as monitor:
        asked = {"monitor": monitor, "shots": os.environ.get(SHOTS), "looks": os.environ.get(LOOKS)}
        found = await drive("proposals.mjs", asked, tmp_path / "browser")
    email, waiting = sorted(found["proposals"])
    assert re.match(r"email: large → medium on route default\s+Saves about \$[\d.,]+ a day, 90 % of what", email)
    assert re.search(r"at most \d\.\d % worse with 90 % confidence, 400 judged pairs \(400 by people\)", email)
    assert "Not evaluated: coding." in email
    assert "-    email: large   # to be <b>sure</b>" in email, "text, and no markup"
    assert waiting.startswith("route support-bot: its certificates are honoured")
    assert sorted(found["kinds"]) == [
        "added +      auto: true   # until somebody has looked",
        "added +    email: medium   # to be <b>sure</b>",
        "removed -      auto: false   # until somebody has looked",
        "removed -    email: large   # to be <b>sure</b>",
    ]
    assert (found["elements"], found["controls"]) == (0, 0)
    assert (found["accessibility"], found["width"], found["complaints"]) == ([], [], [])
    assert found["looked"] == ["light", "dark"]
