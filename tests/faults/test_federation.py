"""Two deployments of universities see each other's public events: two whole clusters in network
namespaces of their own, cut and healed, their leaders killed.

Federation promises: every public event of the one enters the other's log once, in order, with its
number there as `originsequence`; nothing else leaves; nothing comes back.
"""

import collections
import json
import pathlib
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "contract"))

from faults import network  # noqa: E402
from faults.deployments import (  # noqa: E402
    await_complete, await_settled, await_writing, Deployment, text, Writing)
from journeys.world import PASSWORD  # noqa: E402
from samverka_client import Problem, Web  # noqa: E402
from servers import wait_for  # noqa: E402

REVOKED_S = 5
HEALED_S = 5  # from a cable that carries again to logs that are complete


@pytest.fixture(scope="module")
def two(make_module_cluster, module_contract):
    reason = network.why_not()
    if reason:
        pytest.skip(reason)
    with network.Joined("lund", "turku") as spaces:
        one, other = (Deployment(name, space, make_module_cluster, module_contract)
                      for name, space in zip(("lund", "turku"), spaces))
        one.start(other)
        other.start(one)
        yield one, other
        for deployment in (one, other):
            deployment.cluster.stop()


@pytest.fixture(scope="module")
def module_contract():
    from samverka_client import Contract
    return Contract()


@pytest.fixture(scope="module")
def officer(two):
    """The address of an officer of the first deployment."""
    one, _ = two
    with one.space.inside():
        one.operator("registry.v1.Accounts/CreateAccount", account("officer"), one.tenant)
    return account("officer")["email"]


def account(name):
    return {"email": f"{name}@lund.example", "displayName": name, "password": PASSWORD,
            "language": "sv", "roles": ["PARTNERSHIP_OFFICER"]}


def numbers_aside(event):
    """The event without what a log adds to it."""
    bare = type(event).FromString(event.SerializeToString())
    for name in ("sequence", "tenantsequence", "originsequence"):
        bare.attributes.pop(name, None)
    return bare


def check(here, there):
    """What `here` has of `there` is exactly what was public, once, in order, unchanged.  Registry
    may tell of a programme meanwhile."""
    complete, log, public = len(there.public()), here.log(), there.public()
    foreign = [event for event in log if text(event, "originsequence")]
    assert complete <= len(foreign) <= len(public)
    for copy, original in zip(foreign, public):
        assert copy.id == original.id
        assert numbers_aside(copy) == numbers_aside(original)
        assert text(copy, "originsequence") == text(original, "sequence")
        assert copy.source == f"{there.root}/tenants/{there.tenant}"
    assert [int(text(event, "tenantsequence")) for event in foreign] == list(
        range(1, len(foreign) + 1))
    repeated = [key for key, count in collections.Counter(
        (event.source, event.id) for event in log).items() if count > 1]
    assert not repeated
    assert set(there.written["public"]) <= {event.id for event in foreign}
    secret = set(there.written["private"] + there.written["internal"] + there.written["shared"])
    assert not secret & {event.id for event in log}


def check_both(one, other):
    await_complete(one, other, 30)
    check(one, other)
    check(other, one)


def await_connected(deployments, connected=1.0, deadline_s=30):
    pairs = list(zip(deployments, reversed(deployments)))
    wait_for(lambda: all(here.metric("federation_connected", peer=there.name) == connected
                         for here, there in pairs), deadline_s, f"connected to be {connected}")


def test_public_events_are_seen_by_both_and_nothing_else_is(two):
    one, other = two
    await_connected(two)
    with Writing(one), Writing(other):
        await_writing(two, 200)
    await_settled(two)
    check_both(one, other)
    for here, there in ((one, other), (other, one)):
        # The copies that come back are looked at, counted, and go no further.
        wait_for(lambda: here.metric("federation_lag_events", peer=there.name) == 0, 10, "no lag")
        wait_for(lambda: here.metric("federation_refused_total", peer=there.name,
                                     reason="forwarded") >= len(here.public()), 10,
                 "what came back to be refused")
        assert here.metric("federation_events_total", peer=there.name) == here.received(there)
        assert here.metric("federation_refused_total", peer=there.name, reason="audience") == 0
    check_both(one, other)


def test_a_remote_tenant_is_known_and_nobody_signs_in_to_it(two, officer):
    one, other = two
    with Writing(other):
        await_writing([other], 1)
    check_both(one, other)
    with one.space.inside():
        tenants = one.operator("registry.v1.Tenants/ListTenants", {})["tenants"]
        remote = [tenant for tenant in tenants if tenant["kind"] == "REMOTE"]
        assert [(tenant["tenantId"], tenant["deployment"]) for tenant in remote] == [
            (other.tenant, other.name)]
        refused = one.cluster.command_line("--tenant", other.tenant, "call",
                                           "registry.v1.Accounts/CreateAccount",
                                           json.dumps(account("guest")), check=False)
        assert refused.returncode != 0 and "FAILED_PRECONDITION" in refused.stderr
        web = Web(one.cluster.url)
        with pytest.raises(Problem) as problem:
            web.sign_in(officer, PASSWORD, remote[0]["slug"])
        assert problem.value.status == 401


def test_the_others_events_are_read_over_http_like_any_public_event(two, officer):
    one, other = two
    with Writing(other):
        await_writing([other], 1)
    check_both(one, other)
    with one.space.inside():
        web = Web(one.cluster.url)
        web.sign_in(officer, PASSWORD, one.tenant)
        page, after = [], 0
        while not page:
            events = web.get(f"/v1/events?after={after}&limit=100")
            assert events
            page = [event for event in events if event.get("originsequence")]
            after = int(events[-1]["sequence"])
    originals = {event.id: event for event in other.public()}
    for event in page:
        original = originals[event["id"]]
        assert event["source"] == original.source and event["audience"] == "public"
        assert event["tenantid"] == other.tenant
        assert event["originsequence"] == text(original, "sequence")


def test_a_cut_of_seconds_is_made_up_for_in_seconds(two):
    one, other = two
    with Writing(one), Writing(other):
        one.space.cut(other.space)
        try:
            cut_at = time.monotonic()
            await_connected(two, 0.0)
            noticed = time.monotonic() - cut_at
            before = [one.received(other), other.received(one)]
            await_writing(two, 300)
            assert [one.received(other), other.received(one)] == before
        finally:
            one.space.heal(other.space)
    healed_at = time.monotonic()
    await_settled(two)
    await_complete(one, other, HEALED_S)
    print(f"noticed after {noticed:.1f} s, complete {time.monotonic() - healed_at:.1f} s after")
    assert time.monotonic() - healed_at <= HEALED_S
    check_both(one, other)


def test_leaders_killed_while_events_come_in_repeat_and_lose_none(two, chance):
    one, other = two
    with Writing(one), Writing(other):
        for _ in range(4):
            here, there = chance.sample(two, 2)
            start = here.received(there)
            wait_for(lambda: here.received(there) > start + chance.randrange(30), 30, "events")
            victim = wait_for(here.leader, 10, "a leader")
            with here.space.inside():
                here.cluster.kill(victim.name)
                here.cluster.start_service(victim.name)
            wait_for(here.leader, 10, "a new leader")
    await_settled(two)
    check_both(one, other)


def test_a_cut_in_the_middle_of_a_kill_changes_nothing_but_time(two):
    one, other = two
    with Writing(one), Writing(other):
        victim = wait_for(other.leader, 10, "a leader")
        one.space.cut(other.space)
        try:
            with other.space.inside():
                other.cluster.kill(victim.name)
            wait_for(other.leader, 10, "a new leader")
            await_writing(two, 100)
        finally:
            one.space.heal(other.space)
        with other.space.inside():
            other.cluster.start_service(victim.name)
        await_writing(two, 50)
    await_settled(two)
    check_both(one, other)


def test_a_revoked_deployment_gets_nothing_more_and_misses_nothing_later(two):
    one, other = two
    name = f"samverka in {other.name}"
    await_connected(two)
    with one.space.inside():
        listed = one.operator("registry.v1.Systems/ListSystems", {}, one.tenant)["systems"]
        system = next(item for item in listed if item["name"] == name)
        one.operator("registry.v1.Systems/RevokeSystem", {
            "systemId": system["systemId"], "expectedVersion": system["version"]}, one.tenant)
    revoked = time.monotonic()
    wait_for(lambda: time.monotonic() > revoked + REVOKED_S, 10, "a revoked key to be unheard")
    assert other.metric("federation_connected", peer=one.name) == 0
    before = other.received(one)
    with Writing(one):
        await_writing([one], 50)
    await_settled([one])
    assert other.received(one) == before
    with one.space.inside():  # in a tenant a revoked key stays revoked
        second = one.operator("registry.v1.Tenants/CreateTenant", {
            "slug": "second", "name": "Second", "locale": "en"})["tenant"]["tenantId"]
        one.operator("registry.v1.Systems/EnrolSystem", {
            "name": name, "curvePublicKey": other.public_key, "publicOnly": True}, second)
    check_both(one, other)
