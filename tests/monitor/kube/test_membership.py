"""Replicas know of each other by their Leases, whatever the API does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.edge.kube.ports import Json, KubeError
from monitor.kube.membership import Member, Membership, Surroundings
from monitor.roster import AGREED_S, DURATION_S
from tests.support.builders import EPOCH_S
from tests.support.kube_leases import LeaseApi, Leases

pytestmark = pytest.mark.virtual_time


def a_membership(api: LeaseApi, name: str, uid: str | None = None) -> Membership:
    around = Surroundings(asyncio.get_running_loop().time, lambda: EPOCH_S, lambda: 0.5)
    return Membership(api, Member(name, uid, "llm", "pointsman-health"), around)


@asynccontextmanager
async def kept(membership: Membership) -> AsyncIterator[Membership]:
    task = asyncio.create_task(membership.run())
    try:
        yield membership
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_lease_is_made_for_the_pod_and_goes_with_it() -> None:
    leases = Leases()
    async with kept(a_membership(LeaseApi(leases), "a", uid="u-1")) as membership:
        await asyncio.sleep(11)
        assert (membership.live, membership.fit) == ({"a"}, True)
        assert membership.renewed_ago_s is not None
        assert membership.renewed_ago_s < 11
    assert leases.items["a"] == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "a",
            "namespace": "llm",
            "labels": {"pointsman/snapshot": "pointsman-health"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u-1"}],
            "resourceVersion": "3",
        },
        "spec": {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "renewTime": "2025-11-24T16:00:00.000000Z",
        },
    }


async def test_a_killed_replica_is_missed_after_its_lease_and_one_that_leaves_at_once() -> None:
    leases = Leases()
    async with kept(a_membership(LeaseApi(leases), "a")) as a:
        b = a_membership(LeaseApi(leases), "b")
        async with kept(b):
            await asyncio.sleep(11)
            assert a.live == b.live == {"a", "b"}
        await asyncio.sleep(DURATION_S + 6)  # b was killed
        assert a.live == {"a"}
        async with kept(b):
            await asyncio.sleep(11)
            assert a.live == {"a", "b"}
        await b.leave()
        await asyncio.sleep(5)
        assert a.live == {"a"}


async def test_one_that_is_cut_off_knows_it_and_comes_back() -> None:
    leases = Leases()
    cut = LeaseApi(leases)
    async with kept(a_membership(LeaseApi(leases), "a")) as a, kept(a_membership(cut, "b")) as b:
        await asyncio.sleep(11)
        cut.fault = KubeError(None, "no answer")
        await asyncio.sleep(DURATION_S + 6)
        assert (b.fit, b.live, a.live) == (False, {"a", "b"}, {"a"})
        cut.fault = None
        await asyncio.sleep(16)
        assert (b.fit, b.live, a.live) == (True, {"a", "b"}, {"a", "b"})


async def test_a_lease_that_another_hand_wrote_or_deleted_is_taken_up_again() -> None:
    leases = Leases()
    async with kept(a_membership(LeaseApi(leases), "a")) as membership:
        await asyncio.sleep(11)
        leases.put(leases.items["a"])
        await asyncio.sleep(11)
        assert membership.fit
        del leases.items["a"]
        await asyncio.sleep(11)
        assert membership.fit
        assert "a" in leases.items


async def test_says_that_it_leaves_though_the_answer_to_its_last_renewal_was_lost() -> None:
    leases = Leases()
    membership = a_membership(LeaseApi(leases), "a")
    async with kept(membership):
        await asyncio.sleep(11)
    leases.put(leases.items["a"])

    await membership.leave()

    assert leases.items["a"]["spec"]["holderIdentity"] == ""


async def test_one_renewal_that_gets_no_answer_leaves_it_fit() -> None:
    class Stuck(LeaseApi):
        stuck = False

        async def replace(self, path: str, body: Json) -> Json:
            if self.stuck:
                self.stuck = False
                await asyncio.sleep(1_000)
            return await super().replace(path, body)

    api = Stuck(Leases())
    async with kept(a_membership(api, "a")) as membership:
        await asyncio.sleep(11)
        api.stuck = True
        for _ in range(60):
            await asyncio.sleep(0.5)
            assert membership.fit


async def test_an_api_that_never_answers_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    class Silent(LeaseApi):
        async def get(self, *_: object) -> dict[str, object]:
            await asyncio.sleep(1_000)
            raise AssertionError

    async with kept(a_membership(Silent(Leases()), "a")) as membership:
        await asyncio.sleep(60)
        assert (membership.fit, membership.live) == (False, frozenset())
        assert membership.renewed_ago_s is None
    assert [record.message for record in caplog.records] == [
        "the Lease a cannot be renewed; nothing is published meanwhile: no answer in time"
    ]


async def test_leaving_an_api_that_is_away_is_no_fault() -> None:
    await a_membership(LeaseApi(Leases(), fault=KubeError(None, "no answer")), "a").leave()


async def test_one_that_never_heard_of_the_others_is_alone_after_a_leases_duration_until_it_hears() -> None:
    api = LeaseApi(Leases(), fault=KubeError(None, "no answer"))
    async with kept(a_membership(api, "a")) as membership:
        await asyncio.sleep(DURATION_S - 0.1)
        assert not membership.alone
        await asyncio.sleep(0.2)
        assert (membership.alone, membership.agreed) == (True, False)
        api.fault = None
        await asyncio.sleep(2.1)
        assert (membership.alone, membership.fit, membership.live) == (False, True, frozenset())
        await asyncio.sleep(5)
        assert (membership.live, membership.agreed) == ({"a"}, False)
        await asyncio.sleep(AGREED_S)
        assert membership.agreed


async def test_one_that_hears_of_ever_more_replicas_is_not_alone() -> None:
    leases = Leases()
    async with kept(a_membership(LeaseApi(leases), "a")) as membership:
        for n in range(8):
            leases.put({"metadata": {"name": f"m-{n}"}, "spec": {"holderIdentity": f"m-{n}"}})
            await asyncio.sleep(4.5)
            assert (membership.live, membership.alone) == (frozenset(), False)


async def test_one_that_was_cut_off_after_it_knew_the_others_is_not_alone() -> None:
    api = LeaseApi(Leases())
    async with kept(a_membership(api, "a")) as membership:
        await asyncio.sleep(30)
        assert membership.agreed
        api.fault = KubeError(None, "no answer")
        await asyncio.sleep(60)
        assert (membership.live, membership.alone, membership.agreed) == ({"a"}, False, False)
