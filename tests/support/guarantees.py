"""What providers guarantee and labels demand, made up; and which satisfies which, not told by the code under test."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from gateway.core.catalog import Privacy
from gateway.core.policy import Requirement
from tests.support.builders import EPOCH_S

TODAY = datetime.fromtimestamp(EPOCH_S, UTC).date()

regions = st.frozensets(st.sampled_from(["eu", "us"]), min_size=1)
facts = st.builds(
    Privacy,
    trains_on_data=st.none() | st.booleans(),
    retention_days=st.none() | st.integers(0, 30),
    regions=st.none() | regions,
    certifications=st.none() | st.frozensets(st.sampled_from(["iso", "soc2"])),
    expires=st.none() | st.integers(-2, 2).map(lambda days: TODAY + timedelta(days=days)),
)
demands = st.builds(
    Requirement,
    trains_on_data=st.sampled_from([None, False]),
    retention_days=st.none() | st.integers(0, 30),
    regions=st.none() | regions,
    certifications=st.none() | st.frozensets(st.sampled_from(["iso", "soc2"]), min_size=1),
)


def guarantees(privacy: Privacy, demand: Requirement, today: date) -> bool:
    if demand == Requirement():
        return True
    if privacy.expires is not None and privacy.expires <= today:
        return False
    days, places, papers = privacy.retention_days, privacy.regions, privacy.certifications
    return (
        (demand.trains_on_data is None or privacy.trains_on_data is False)
        and (demand.retention_days is None or (days is not None and days <= demand.retention_days))
        and (demand.regions is None or (bool(places) and set(places or ()) <= demand.regions))
        and (demand.certifications is None or set(papers or ()) >= demand.certifications)
    )
